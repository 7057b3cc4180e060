package interp

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.RELU, 1, "int8, float32", func(n *node) (func(), error) { return prepareReLU(n, tflite.RELU_ACT) })
	register(tflite.RELU6, 1, "int8 (tflm: clamps without rescaling), float32", prepareReLU6)
	register(tflite.RELU_N1_TO_1, 1, "int8, float32", func(n *node) (func(), error) { return prepareReLU(n, tflite.RELU_N1_TO_1_ACT) })
	register(tflite.LEAKY_RELU, 1, "int8, float32", prepareLeakyReLU)
	register(tflite.LOGISTIC, 1, "int8, float32", func(n *node) (func(), error) {
		return prepareTable(n, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
	})
	register(tflite.TANH, 1, "int8, float32", func(n *node) (func(), error) { return prepareTable(n, math.Tanh) })
	register(tflite.ABS, 1, "int8, float32", prepareAbs)
	register(tflite.NEG, 1, "int8 as LiteRT does (negates the code), float32", prepareNeg)
}

// sameSize checks an element-wise operator of one input.
func sameSize(n *node) (tflite.Type, error) {
	kind, err := n.kind(n.in[0], n.out[0])
	if err != nil {
		return 0, err
	}
	return kind, n.sameShape(n.out[0], n.in[0].Shape)
}

// mapFloat is the float32 kernel of a function.
func mapFloat(n *node, f func(float32) float32) func() {
	x, y := n.in[0].Float32(), n.out[0].Float32()
	return func() {
		for i, v := range x {
			y[i] = f(v)
		}
	}
}

// mapInt8 computes a function of a code once for each of the 256.
func mapInt8(n *node, f func(q int32) int8) func() {
	var lut [256]int8
	for q := range lut {
		lut[q] = f(int32(int8(q)))
	}
	x, y := n.in[0].Int8(), n.out[0].Int8()
	return func() {
		for i, v := range x {
			y[i] = lut[uint8(v)]
		}
	}
}

// prepareReLU rescales and clamps.
func prepareReLU(n *node, a tflite.Activation) (func(), error) {
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		lo, hi, err := activationFloat(a)
		return mapFloat(n, func(v float32) float32 { return min(max(v, lo), hi) }), err
	}
	lo, hi, err := activationRange(a, n.out[0])
	if err != nil {
		return nil, err
	}
	m, zx, zy := newMultiplier(scaleOf(n.in[0])/scaleOf(n.out[0])), zeroOf(n.in[0]), zeroOf(n.out[0])
	return mapInt8(n, func(q int32) int8 { return clamp8(m.times(q-zx)+zy, lo, hi) }), nil
}

// prepareReLU6: TFLM clamps the input's codes and does not rescale them.
func prepareReLU6(n *node) (func(), error) {
	kind, err := sameSize(n)
	if err != nil || kind == tflite.FLOAT32 || n.profile == LiteRTRef {
		return prepareReLU(n, tflite.RELU6_ACT)
	}
	z := zeroOf(n.in[0])
	six := z + round(6/scaleOf(n.in[0]))
	return mapInt8(n, func(q int32) int8 { return clamp8(q, z, min(six, 127)) }), nil
}

func prepareLeakyReLU(n *node) (func(), error) {
	o, err := options[tflite.LeakyReluOptions](n)
	if err != nil {
		return nil, err
	}
	if a := float64(o.Alpha); math.IsNaN(a) || math.IsInf(a, 0) {
		return nil, fmt.Errorf("alpha is %g", a)
	}
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return mapFloat(n, func(v float32) float32 {
			if v < 0 {
				v *= o.Alpha
			}
			return v
		}), nil
	}
	// Both factors are computed in float32.
	sx, sy := n.in[0].Quant.Scale[0], n.out[0].Quant.Scale[0]
	pos, neg := newMultiplier(float64(sx/sy)), newMultiplier(math.Abs(float64(float32(sx*o.Alpha)/sy)))
	if o.Alpha < 0 {
		neg.m = -neg.m
	}
	zx, zy := zeroOf(n.in[0]), zeroOf(n.out[0])
	return mapInt8(n, func(q int32) int8 {
		if q >= zx {
			return clamp8(pos.times(q-zx)+zy, -128, 127)
		}
		return clamp8(neg.times(q-zx)+zy, -128, 127)
	}), nil
}

// prepareTable is a function by 256 entries, computed in float32 (activations.cc, PopulateLookupTable).
func prepareTable(n *node, f func(float64) float64) (func(), error) {
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return mapFloat(n, func(v float32) float32 { return float32(f(float64(v))) }), nil
	}
	sx, zx := n.in[0].Quant.Scale[0], zeroOf(n.in[0])
	inverse, zy := 1/n.out[0].Quant.Scale[0], zeroOf(n.out[0])
	return mapInt8(n, func(q int32) int8 {
		v := float32(f(float64(sx * float32(q-zx))))
		return clamp8(round(float64(v*inverse))+zy, -128, 127)
	}), nil
}

func prepareAbs(n *node) (func(), error) {
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return mapFloat(n, func(v float32) float32 { return max(v, -v) }), nil
	}
	m, zx, zy := newMultiplier(scaleOf(n.in[0])/scaleOf(n.out[0])), zeroOf(n.in[0]), zeroOf(n.out[0])
	return mapInt8(n, func(q int32) int8 { return clamp8(m.times(max(q-zx, zx-q))+zy, -128, 127) }), nil
}

func prepareNeg(n *node) (func(), error) {
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return mapFloat(n, func(v float32) float32 { return -v }), nil
	}
	if n.profile == TFLM {
		return nil, fmt.Errorf("TFLM has no int8 NEG")
	}
	return mapInt8(n, func(q int32) int8 { return int8(-q) }), nil
}
