// Package idx reads the IDX format of MNIST: 0, 0, type, rank, sizes as big-endian 32-bit numbers, then the values. Files may be gzip-compressed.
package idx

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/temper-ml/temper/datasets"
)

// maxBytes bounds what a file may unpack to.
const maxBytes = 1 << 30

// atOnce bounds what is allocated before anything was read.
const atOnce = 64 << 20

// Read returns the sizes and the bytes of an IDX file of unsigned bytes, plain or gzip.
func Read(r io.Reader) (shape []int, data []byte, err error) {
	b := bufio.NewReader(r)
	if magic, _ := b.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, fmt.Errorf("idx: %w", err)
		}
		defer z.Close()
		b = bufio.NewReader(z)
	}
	var head [4]byte
	if _, err := io.ReadFull(b, head[:]); err != nil {
		return nil, nil, fmt.Errorf("idx: header: %w", err)
	}
	if head[0] != 0 || head[1] != 0 || head[2] != 8 || head[3] == 0 || head[3] > 8 {
		return nil, nil, fmt.Errorf("idx: header % x: want 00 00 08 (unsigned bytes) and a rank of 1 to 8", head)
	}
	n := 1
	for i := range int(head[3]) {
		var d uint32
		if err := binary.Read(b, binary.BigEndian, &d); err != nil {
			return nil, nil, fmt.Errorf("idx: size %d: %w", i, err)
		}
		if d == 0 || d > maxBytes || n > maxBytes/int(d) {
			return nil, nil, fmt.Errorf("idx: sizes %v and %d: want at least 1 and together at most %d bytes", shape, d, maxBytes)
		}
		n *= int(d)
		shape = append(shape, int(d))
	}
	// A size that can be real is allocated at once, with no copies left behind; beyond it, memory grows with what is there, not with what the header says.
	data = make([]byte, 0, min(n, atOnce))
	for len(data) < n {
		data = slices.Grow(data, min(n-len(data), atOnce))
		got, err := io.ReadFull(b, data[len(data):min(n, cap(data))])
		data = data[:len(data)+got]
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, nil, fmt.Errorf("idx: %d of %d bytes: %w", len(data), n, err)
		}
	}
	// The end is read too: gzip compares its checksum there.
	switch _, err := b.ReadByte(); err {
	case io.EOF:
		return shape, data, nil
	case nil:
		return nil, nil, fmt.Errorf("idx: the file goes on after sizes %v", shape)
	default:
		return nil, nil, fmt.Errorf("idx: %w", err)
	}
}

// Set makes a data set of a file of images [n,h,w] or [n,h,w,c] and a file of labels [n]; pixels are divided by 255. Without names the classes are
// called by their numbers.
func Set(name string, images, labels io.Reader, classes []string) (*datasets.Set, error) {
	shape, pixels, err := Read(images)
	if err != nil {
		return nil, fmt.Errorf("%s images: %w", name, err)
	}
	n, classOf, err := Read(labels)
	if err != nil {
		return nil, fmt.Errorf("%s labels: %w", name, err)
	}
	return join(name, shape, pixels, n, classOf, classes)
}

// Open is Set for files.
func Open(name, images, labels string) (*datasets.Set, error) {
	shape, pixels, err := readFile(images)
	if err != nil {
		return nil, err
	}
	n, classOf, err := readFile(labels)
	if err != nil {
		return nil, err
	}
	s, err := join(name, shape, pixels, n, classOf, nil)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", images, labels, err)
	}
	return s, nil
}

func readFile(path string) (shape []int, data []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if shape, data, err = Read(f); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return shape, data, nil
}

func join(name string, shape []int, pixels []byte, n []int, classOf []byte, classes []string) (*datasets.Set, error) {
	if len(shape) != 3 && len(shape) != 4 || len(n) != 1 || n[0] != shape[0] {
		return nil, fmt.Errorf("%s: images %v and labels %v: want [n,h,w] or [n,h,w,c] and [n]", name, shape, n)
	}
	if len(shape) == 3 {
		shape = append(shape, 1)
	}
	labels := make([]int32, len(classOf))
	for i, c := range classOf {
		labels[i] = int32(c)
	}
	if classes == nil {
		for k := range int(slices.Max(labels)) + 1 {
			classes = append(classes, strconv.Itoa(k))
		}
	}
	return datasets.FromBytes(name, shape[1:], pixels, 1.0/255, 0, labels, classes)
}
