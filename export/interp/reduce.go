package interp

import (
	"fmt"
	"math/bits"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.MEAN, 2, "int8, float32; constant axes", prepareMean)
	register(tflite.SUM, 2, "int8 as in TFLM, float32; constant axes", prepareSum)
	register(tflite.REDUCE_MAX, 2, "int8, float32; constant axes", func(n *node) (func(), error) { return prepareReduceExtreme(n, 1) })
	register(tflite.REDUCE_MIN, 2, "int8, float32; constant axes", func(n *node) (func(), error) { return prepareReduceExtreme(n, -1) })
}

// reduction maps each input element to an output element.
type reduction struct {
	to    []int32
	count int // input elements of an output element
	kind  tflite.Type
}

func newReduction(n *node) (*reduction, error) {
	o, err := options[tflite.ReducerOptions](n)
	if err != nil {
		return nil, err
	}
	kind, err := n.kind(n.in[0], n.out[0])
	if err != nil {
		return nil, err
	}
	axes, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	gone := make([]bool, len(in))
	for _, a := range axes {
		if a < 0 {
			a += len(in)
		}
		if a < 0 || a >= len(in) {
			return nil, fmt.Errorf("axes %v of shape %v", axes, in)
		}
		gone[a] = true
	}
	var want, kept []int
	for i, d := range in {
		switch {
		case !gone[i]:
			want, kept = append(want, d), append(kept, d)
		case o.KeepDims:
			want = append(want, 1)
		}
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	r := &reduction{kind: kind, count: volume(in) / volume(kept)}
	r.to = table(in, func(at []int) int {
		k := 0
		for i, a := range at {
			if !gone[i] {
				k = k*in[i] + a
			}
		}
		return k
	})
	return r, nil
}

func (r *reduction) float(n *node, f func(sum float32) float32) func() {
	x, y := n.in[0].Float32(), n.out[0].Float32()
	return func() {
		clear(y)
		for i, v := range x {
			y[r.to[i]] += v
		}
		for i, v := range y {
			y[i] = f(v)
		}
	}
}

// int8 sums codes and passes the sum less count zero points through f (reduce.h, QuantizedMeanOrSum).
func (r *reduction) int8(n *node, f func(sum int32) int32) func() {
	x, y := n.in[0].Int8(), n.out[0].Int8()
	offset, zero := int32(r.count)*zeroOf(n.in[0]), zeroOf(n.out[0])
	sum := make([]int32, len(y))
	return func() {
		clear(sum)
		for i, v := range x {
			sum[r.to[i]] += int32(v)
		}
		for i, s := range sum {
			y[i] = clamp8(f(s-offset)+zero, -128, 127)
		}
	}
}

func prepareMean(n *node) (func(), error) {
	r, err := newReduction(n)
	if err != nil {
		return nil, err
	}
	if r.kind == tflite.FLOAT32 {
		return r.float(n, func(s float32) float32 { return s / float32(r.count) }), nil
	}
	// The multiplier takes the division by the count, with as many bits as fit.
	m := newMultiplier(scaleOf(n.in[0]) / scaleOf(n.out[0]))
	shift := min(63-bits.LeadingZeros64(uint64(r.count)), 32, 31+m.shift)
	m = multiplier{int32((int64(m.m) << shift) / int64(r.count)), m.shift - shift}
	return r.int8(n, m.times), nil
}

func prepareSum(n *node) (func(), error) {
	r, err := newReduction(n)
	if err != nil {
		return nil, err
	}
	if r.kind == tflite.FLOAT32 {
		return r.float(n, func(s float32) float32 { return s }), nil
	}
	m := newMultiplier(scaleOf(n.in[0]) / scaleOf(n.out[0]))
	return r.int8(n, m.times), nil
}

func prepareReduceExtreme(n *node, sign int) (func(), error) {
	r, err := newReduction(n)
	if err != nil {
		return nil, err
	}
	if r.kind == tflite.FLOAT32 {
		return extreme(r, n.in[0].Float32(), n.out[0].Float32(), sign), nil
	}
	if !n.in[0].Quant.Equal(*n.out[0].Quant) {
		return nil, fmt.Errorf("input and output must have the same quantization")
	}
	return extreme(r, n.in[0].Int8(), n.out[0].Int8(), sign), nil
}

func extreme[T int8 | float32](r *reduction, x, y []T, sign int) func() {
	seen := make([]bool, len(y))
	return func() {
		clear(seen)
		for i, v := range x {
			k := r.to[i]
			if !seen[k] || sign > 0 && v > y[k] || sign < 0 && v < y[k] {
				y[k], seen[k] = v, true
			}
		}
	}
}
