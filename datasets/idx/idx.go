// Package idx reads the IDX format of MNIST: 0, 0, type, rank, sizes as big-endian 32-bit numbers, then the values. Files may be gzip-compressed.
package idx

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"github.com/temper-ml/temper/datasets"
)

// maxBytes bounds what a file may unpack to.
const maxBytes = 1 << 30

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
		if d == 0 || n > maxBytes/int(d) {
			return nil, nil, fmt.Errorf("idx: sizes %v and %d: want at least 1 and together at most %d bytes", shape, d, maxBytes)
		}
		n *= int(d)
		shape = append(shape, int(d))
	}
	// Memory grows with what is really there, not with what the header says.
	var buf bytes.Buffer
	got, err := io.CopyN(&buf, b, int64(n))
	if err != nil {
		return nil, nil, fmt.Errorf("idx: %d of %d bytes: %w", got, n, err)
	}
	return shape, buf.Bytes(), nil
}

// Set makes a data set of a file of images [n,h,w] or [n,h,w,c] and a file of labels [n]; pixels are divided by 255.
func Set(name string, images, labels io.Reader, classes []string) (*datasets.Set, error) {
	shape, pixels, err := Read(images)
	if err != nil {
		return nil, fmt.Errorf("%s images: %w", name, err)
	}
	ls, classOf, err := Read(labels)
	if err != nil {
		return nil, fmt.Errorf("%s labels: %w", name, err)
	}
	if len(shape) != 3 && len(shape) != 4 || len(ls) != 1 || ls[0] != shape[0] {
		return nil, fmt.Errorf("%s: images %v and labels %v: want [n,h,w] or [n,h,w,c] and [n]", name, shape, ls)
	}
	if len(shape) == 3 {
		shape = append(shape, 1)
	}
	l := make([]int32, len(classOf))
	for i, c := range classOf {
		l[i] = int32(c)
		for int(c) >= len(classes) {
			classes = append(classes, fmt.Sprint(len(classes)))
		}
	}
	return datasets.FromBytes(name, shape[1:], pixels, 1.0/255, 0, l, classes)
}

// Open is Set for files.
func Open(name, images, labels string) (*datasets.Set, error) {
	a, err := os.Open(images)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	b, err := os.Open(labels)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	s, err := Set(name, a, b, nil)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", images, labels, err)
	}
	return s, nil
}
