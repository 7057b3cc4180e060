package interp

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
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

func init() {
	register(tflite.ARG_MAX, 2, "int8 and float32 to int32; constant axis", prepareArgMax)
	register(tflite.L2_NORMALIZATION, 1, "int8, over the last dimension", prepareL2Norm)
}

func prepareArgMax(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	a, err := n.axis(1, x)
	if err != nil {
		return nil, err
	}
	if y.Type != tflite.INT32 {
		return nil, fmt.Errorf("output %s is %s, want int32", y.Name, y.Type)
	}
	if err := n.sameShape(y, slices.Delete(slices.Clone(x.Shape), a, a+1)); err != nil {
		return nil, err
	}
	outer, size, inner := volume(x.Shape[:a]), x.Shape[a], volume(x.Shape[a+1:])
	out := y.Int32()
	switch x.Type {
	case tflite.INT8:
		v := x.Int8()
		return func() { argMax(v, out, outer, size, inner) }, nil
	case tflite.FLOAT32:
		v := x.Float32()
		return func() { argMax(v, out, outer, size, inner) }, nil
	}
	return nil, fmt.Errorf("input of type %s", x.Type)
}

func argMax[T int8 | float32](x []T, y []int32, outer, size, inner int) {
	for o := range outer {
		for i := range inner {
			best := 0
			for k := range size {
				if x[(o*size+k)*inner+i] > x[(o*size+best)*inner+i] {
					best = k
				}
			}
			y[o*inner+i] = int32(best)
		}
	}
}

// prepareL2Norm divides each vector of the last dimension by its length, in fixed point (l2normalization.h).
func prepareL2Norm(n *node) (func(), error) {
	o, err := options[tflite.L2NormOptions](n)
	if err != nil {
		return nil, err
	}
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind != tflite.INT8 || o.Activation != tflite.NONE || len(n.in[0].Shape) == 0 {
		return nil, fmt.Errorf("input %s of shape %v with fused activation %d: want int8, at least one dimension, no activation", kind, n.in[0].Shape, o.Activation)
	}
	x, y, zero := n.in[0].Int8(), n.out[0].Int8(), zeroOf(n.in[0])
	c := n.in[0].Shape[len(n.in[0].Shape)-1]
	return func() {
		for at := 0; at < len(x); at += c {
			sum := int32(0)
			for _, v := range x[at : at+c] {
				d := int32(v) - zero
				sum += d * d
			}
			m, shift := inverseSqrt(sum)
			for i, v := range x[at : at+c] {
				y[at+i] = clamp8(quant.MultiplyByQuantizedMultiplier(int32(v)-zero, m, shift+7), -128, 127)
			}
		}
	}, nil
}

// inverseSqrt is 1/sqrt(x) as m * 2^(shift-31), by five Newton steps on 3 integer bits (internal/common.cc, GetInvSqrtQuantizedMultiplierExp).
func inverseSqrt(x int32) (m int32, shift int) {
	if x <= 1 {
		return 1<<31 - 1, 0
	}
	right := 11
	for x >= 1<<29 {
		x /= 4
		right++
	}
	pairs := (bits.LeadingZeros32(uint32(x))-1)/2 - 1
	right -= pairs
	x <<= 2 * pairs
	mul := quant.SaturatingRoundingDoublingHighMul
	half := quant.RoundingDivideByPOT(x>>1, 1)
	const threeHalves = 1<<28 + 1<<27
	v := int32(1 << 28)
	for range 5 {
		cube := shiftLeft(mul(mul(v, v), v), 6)
		v = shiftLeft(mul(threeHalves, v)-mul(half, cube), 3)
	}
	v = mul(v, 1518500250)
	if right < 0 {
		v <<= -right
		right = 0
	}
	return v, -right
}

// shiftLeft is a saturating shift.
func shiftLeft(x int32, n int) int32 {
	v := int64(x) << n
	return int32(min(max(v, -1<<31), 1<<31-1))
}
