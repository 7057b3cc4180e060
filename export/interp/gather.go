package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

// Operators that only move values are tables from output to input elements.

// gather copies elements by a table; the table's -1 stands for the input's zero point (or 0).
func (n *node) gather(in, out *Tensor, from []int32) (func(), error) {
	if in.Type != out.Type {
		return nil, fmt.Errorf("input %s and output %s differ in type", in.Type, out.Type)
	}
	if len(from) != out.Volume() {
		return nil, fmt.Errorf("output %s has shape %v: the operator makes %d values", out.Name, out.Shape, len(from))
	}
	for _, k := range from {
		if k < -1 || int(k) >= in.Volume() {
			return nil, fmt.Errorf("element %d of input %s of shape %v", k, in.Name, in.Shape)
		}
	}
	switch in.Type.Size() {
	case 1:
		zero := byte(0)
		if in.Type == tflite.INT8 && in.Quant != nil {
			zero = byte(zeroOf(in))
		}
		return mover(view[byte](in), view[byte](out), from, zero), nil
	case 2:
		return mover(view[uint16](in), view[uint16](out), from, 0), nil
	case 4:
		return mover(view[uint32](in), view[uint32](out), from, 0), nil
	}
	return mover(view[uint64](in), view[uint64](out), from, 0), nil
}

func mover[T any](x, y []T, from []int32, zero T) func() {
	return func() {
		for i, k := range from {
			if k < 0 {
				y[i] = zero
			} else {
				y[i] = x[k]
			}
		}
	}
}

// axisOf checks an axis, which may count from the end.
func axisOf(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d of %d dimensions", a, rank)
	}
	return a, nil
}

// axis reads a constant input as a dimension of t.
func (n *node) axis(input int, t *Tensor) (int, error) {
	a, err := n.constants(input)
	if err != nil {
		return 0, fmt.Errorf("axis: %w", err)
	}
	if len(a) != 1 {
		return 0, fmt.Errorf("%d axes, want 1", len(a))
	}
	return axisOf(a[0], len(t.Shape))
}

// offset is the row-major index of a position.
func offset(at, shape []int) int {
	k := 0
	for i, a := range at {
		k = k*shape[i] + a
	}
	return k
}
