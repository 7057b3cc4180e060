package graph

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Batch stands for the number of examples, in the first dimension of an activation's shape.
const Batch = -1

// Shape is the size of each dimension, row-major, the last varying fastest.
type Shape []int

// Batched tells whether the first dimension is the batch.
func (s Shape) Batched() bool { return len(s) > 0 && s[0] == Batch }

// With returns the shape with the batch set to n; a shape without a batch is returned as it is.
func (s Shape) With(n int) Shape {
	if !s.Batched() {
		return s
	}
	c := slices.Clone(s)
	c[0] = n
	return c
}

// PerExample is the shape without the batch dimension.
func (s Shape) PerExample() Shape {
	if s.Batched() {
		return s[1:]
	}
	return s
}

// Volume is the number of elements; of one example when the shape is batched.
func (s Shape) Volume() int {
	n := 1
	for _, d := range s.PerExample() {
		n *= d
	}
	return n
}

// Channels is the size of the last dimension, 1 for a scalar.
func (s Shape) Channels() int {
	if len(s) == 0 {
		return 1
	}
	return s[len(s)-1]
}

// Equal compares two shapes dimension by dimension.
func (s Shape) Equal(o Shape) bool { return slices.Equal(s, o) }

func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
		if d == Batch && i == 0 {
			parts[i] = "batch"
		}
	}
	return "[" + strings.Join(parts, ",") + "]"
}

// maxVolume bounds the elements of a value of one example, and of a Var: 2^28 float32 are 1 GiB.
const maxVolume = 1 << 28

// check reports dimensions that no value can have.
func (s Shape) check() error {
	n := 1
	for i, d := range s {
		if d == Batch && i == 0 {
			continue
		}
		if d <= 0 {
			return fmt.Errorf("shape %v: dimension %d must be positive", s, i)
		}
		if n > maxVolume/d {
			return fmt.Errorf("shape %v has more than %d elements", s, maxVolume)
		}
		n *= d
	}
	return nil
}

// Padding names how a window meets the border, as TFLite defines it.
type Padding string

const (
	Same  Padding = "same"  // out = ceil(in/stride); the smaller half of the padding comes first
	Valid Padding = "valid" // out = ceil((in-effective+1)/stride); no padding
)

// Window returns the output size and the leading padding of a window of size k (stride, dilation) over n positions
// (tensorflow/lite/kernels/padding.h: ComputeOutSize, ComputePadding).
func (p Padding) Window(n, k, stride, dilation int) (out, before int, err error) {
	if min(k, stride, dilation) <= 0 || max(k, stride, dilation) > maxVolume {
		return 0, 0, fmt.Errorf("window size %d, stride %d and dilation %d must be 1 to %d", k, stride, dilation, maxVolume)
	}
	effective := (k-1)*dilation + 1
	switch p {
	case Same:
		out = (n + stride - 1) / stride
		before = max((out-1)*stride+effective-n, 0) / 2
	case Valid:
		out = (n - effective + stride) / stride
	default:
		return 0, 0, fmt.Errorf("padding %q is neither %q nor %q", string(p), Same, Valid)
	}
	if n < effective && p == Valid || out <= 0 {
		return 0, 0, fmt.Errorf("a window of %d (dilation %d) does not fit into %d positions with padding %q", k, dilation, n, string(p))
	}
	return out, before, nil
}
