package graph

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
)

// The safetensors format: 8 bytes little-endian length of the header, the header as JSON padded with spaces to a multiple of 8 bytes, then the data.
// The header maps each name to dtype, shape and the [begin, end) of its bytes, without gaps, and "__metadata__" to a map of strings. One of these
// strings is ours: a checksum, because a flipped bit in a weight shows in nothing else.

type namedTensor struct {
	name  string
	shape Shape
	data  []float32
}

type tensorHeader struct {
	Dtype   string `json:"dtype"`
	Shape   []int  `json:"shape"`
	Offsets [2]int `json:"data_offsets"`
}

const (
	metadataKey = "__metadata__"
	checksumKey = "temper.crc32c" // of the header as JSON without this entry, then the data
	maxHeader   = 100 << 20       // the format's own limit
	maxFile     = 4 << 30
)

// writeSafetensors lays the tensors out in the order given.
func writeSafetensors(meta map[string]string, tensors []namedTensor) ([]byte, error) {
	size := 0
	headers := map[string]tensorHeader{}
	for _, t := range tensors {
		if _, ok := headers[t.name]; ok {
			return nil, fmt.Errorf("tensor %s stands twice", t.name)
		}
		end := size + 4*len(t.data)
		headers[t.name] = tensorHeader{"F32", append([]int{}, t.shape...), [2]int{size, end}}
		size = end
	}
	body := make([]byte, 0, size)
	for _, t := range tensors {
		for _, v := range t.data {
			body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
		}
	}
	sum, err := checksum(meta, headers, body)
	if err != nil {
		return nil, err
	}
	meta = maps.Clone(meta)
	meta[checksumKey] = sum
	js, err := headerJSON(meta, headers)
	if err != nil {
		return nil, err
	}
	js = append(js, bytes.Repeat([]byte(" "), (8-len(js)%8)%8)...)
	if len(js) > maxHeader || 8+len(js)+len(body) > maxFile {
		return nil, fmt.Errorf("a header of %d bytes and data of %d: a file holds %d and %d", len(js), len(body), maxHeader, int64(maxFile))
	}
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(js)))
	return slices.Concat(out, js, body), nil
}

// headerJSON is sorted by key, so equal contents give equal bytes.
func headerJSON(meta map[string]string, tensors map[string]tensorHeader) ([]byte, error) {
	header := map[string]any{metadataKey: meta}
	for name, t := range tensors {
		header[name] = t
	}
	return json.Marshal(header)
}

// checksum is the CRC-32C of everything that the file says; meta is without the checksum.
func checksum(meta map[string]string, tensors map[string]tensorHeader, body []byte) (string, error) {
	js, err := headerJSON(meta, tensors)
	if err != nil {
		return "", err
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	return fmt.Sprintf("%08x", crc32.Update(crc32.Checksum(js, table), table, body)), nil
}

// readSafetensors checks every size and offset. A file without our checksum, as other programs write it, is read without that check.
func readSafetensors(data []byte) (map[string]string, []namedTensor, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("not a safetensors file: %d bytes", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("not a safetensors file, or truncated: a header of %d bytes in a file of %d", n, len(data))
	}
	meta, headers, err := readHeader(data[8 : 8+n])
	if err != nil {
		return nil, nil, err
	}
	body := data[8+n:]
	names := slices.Collect(maps.Keys(headers))
	slices.SortFunc(names, func(a, b string) int {
		x, y := headers[a].Offsets, headers[b].Offsets
		return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1]), strings.Compare(a, b))
	})
	var tensors []namedTensor
	at := 0
	for _, name := range names {
		h := headers[name]
		if err := h.check(at, len(body)); err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		at = h.Offsets[1]
	}
	if at != len(body) {
		return nil, nil, fmt.Errorf("truncated or damaged: the tensors have %d bytes, the file %d", at, len(body))
	}
	if want, ok := meta[checksumKey]; ok {
		delete(meta, checksumKey)
		if sum, err := checksum(meta, headers, body); err != nil || sum != want {
			return nil, nil, fmt.Errorf("damaged: the checksum of the contents is %s, the file says %s", sum, want)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		tensors = append(tensors, headers[name].read(name, body))
	}
	return meta, tensors, nil
}

func readHeader(js []byte) (map[string]string, map[string]tensorHeader, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(js, &raw); err != nil {
		return nil, nil, fmt.Errorf("safetensors header: %w", err)
	}
	meta, headers := map[string]string{}, map[string]tensorHeader{}
	for name, r := range raw {
		if name == metadataKey {
			if err := json.Unmarshal(r, &meta); err != nil {
				return nil, nil, fmt.Errorf("safetensors metadata: %w", err)
			}
			continue
		}
		var h tensorHeader
		if err := json.Unmarshal(r, &h); err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		headers[name] = h
	}
	return meta, headers, nil
}

// check verifies a tensor that must begin at a given byte of a body of size bytes.
func (h tensorHeader) check(begin, size int) error {
	if h.Dtype != "F32" {
		return fmt.Errorf("dtype %q, want F32", h.Dtype)
	}
	shape := Shape(h.Shape)
	volume := 0
	if !slices.Equal(h.Shape, []int{0}) { // the trainer may have an array of nothing
		if err := shape.check(); err != nil {
			return err
		}
		volume = shape.Volume()
	}
	lo, hi := h.Offsets[0], h.Offsets[1]
	if lo != begin {
		return fmt.Errorf("begins at byte %d, the one before it ends at %d: no overlap and no gap is allowed", lo, begin)
	}
	if shape.Batched() || hi < lo || hi > size || hi-lo != 4*volume {
		return fmt.Errorf("bytes %d to %d of %d do not hold shape %v", lo, hi, size, shape)
	}
	return nil
}

// read takes the numbers of a tensor that was checked.
func (h tensorHeader) read(name string, body []byte) namedTensor {
	x := make([]float32, (h.Offsets[1]-h.Offsets[0])/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[h.Offsets[0]+4*i:]))
	}
	return namedTensor{name, h.Shape, x}
}

// readBounded reads a file of no more than maxFile bytes.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		b.Grow(int(min(info.Size(), maxFile)) + bytes.MinRead)
	}
	// The size is a hint only: that of a device or pipe says nothing.
	if _, err := b.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, err
	}
	if b.Len() > maxFile {
		return nil, fmt.Errorf("checkpoint %s has more than %d bytes", path, int64(maxFile))
	}
	return b.Bytes(), nil
}
