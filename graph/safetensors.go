package graph

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
)

// The safetensors format: 8 bytes little-endian length of the header, the header as JSON padded with spaces, then the data. The header maps
// each name to dtype, shape and the [begin, end) of its bytes, without gaps, and "__metadata__" to a map of strings.

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
	maxHeader   = 100 << 20 // the format's own limit
	maxFile     = 4 << 30
)

// writeSafetensors lays the tensors out in the order given.
func writeSafetensors(meta map[string]string, tensors []namedTensor) ([]byte, error) {
	header := map[string]any{metadataKey: meta}
	at := 0
	for _, t := range tensors {
		if header[t.name] != nil {
			return nil, fmt.Errorf("tensor %s stands twice", t.name)
		}
		header[t.name] = tensorHeader{"F32", append([]int{}, t.shape...), [2]int{at, at + 4*len(t.data)}}
		at += 4 * len(t.data)
	}
	js, err := json.Marshal(header) // sorted by key, so equal contents give equal bytes
	if err != nil {
		return nil, err
	}
	js = append(js, bytes.Repeat([]byte(" "), (8-len(js)%8)%8)...)
	out := make([]byte, 0, 8+len(js)+at)
	out = binary.LittleEndian.AppendUint64(out, uint64(len(js)))
	out = append(out, js...)
	for _, t := range tensors {
		for _, v := range t.data {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
		}
	}
	return out, nil
}

func readSafetensors(data []byte) (map[string]string, []namedTensor, error) {
	if len(data) < 8 {
		return nil, nil, fmt.Errorf("not a safetensors file: %d bytes", len(data))
	}
	n := binary.LittleEndian.Uint64(data)
	if n > maxHeader || n > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("not a safetensors file, or truncated: a header of %d bytes in a file of %d", n, len(data))
	}
	body := data[8+n:]
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data[8:8+n], &raw); err != nil {
		return nil, nil, fmt.Errorf("safetensors header: %w", err)
	}
	meta := map[string]string{}
	var tensors []namedTensor
	total := 0
	for name, r := range raw {
		if name == metadataKey {
			if err := json.Unmarshal(r, &meta); err != nil {
				return nil, nil, fmt.Errorf("safetensors metadata: %w", err)
			}
			continue
		}
		t, err := readTensor(name, r, body)
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %s: %w", name, err)
		}
		total += 4 * len(t.data)
		if total > len(body) {
			return nil, nil, fmt.Errorf("tensor %s overlaps another", name)
		}
		tensors = append(tensors, t)
	}
	if total != len(body) {
		return nil, nil, fmt.Errorf("truncated or damaged: the tensors have %d bytes, the file %d", total, len(body))
	}
	slices.SortFunc(tensors, func(a, b namedTensor) int { return strings.Compare(a.name, b.name) })
	return meta, tensors, nil
}

func readTensor(name string, r json.RawMessage, body []byte) (namedTensor, error) {
	var h tensorHeader
	if err := json.Unmarshal(r, &h); err != nil {
		return namedTensor{}, err
	}
	if h.Dtype != "F32" {
		return namedTensor{}, fmt.Errorf("dtype %q, want F32", h.Dtype)
	}
	shape := Shape(h.Shape)
	if err := shape.check(); err != nil {
		return namedTensor{}, err
	}
	lo, hi := h.Offsets[0], h.Offsets[1]
	if shape.Batched() || lo < 0 || hi < lo || hi > len(body) || hi-lo != 4*shape.Volume() {
		return namedTensor{}, fmt.Errorf("bytes %d to %d of %d do not hold shape %v", lo, hi, len(body), shape)
	}
	x := make([]float32, shape.Volume())
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[lo+4*i:]))
	}
	return namedTensor{name, shape, x}, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), int64(maxFile))
	}
	return os.ReadFile(path)
}
