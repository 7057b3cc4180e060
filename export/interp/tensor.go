package interp

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

func view[T any](t *Tensor) []T {
	if len(t.raw) == 0 {
		return nil
	}
	var z T
	return unsafe.Slice((*T)(unsafe.Pointer(&t.raw[0])), len(t.raw)/int(unsafe.Sizeof(z)))
}

// Bytes are the contents as they are in the file's byte order (little-endian).
func (t *Tensor) Bytes() []byte { return t.raw }

// Int8 are the elements of an int8 tensor.
func (t *Tensor) Int8() []int8 { return view[int8](t) }

// Int16 are the elements of an int16 tensor.
func (t *Tensor) Int16() []int16 { return view[int16](t) }

// Float32 are the elements of a float32 tensor.
func (t *Tensor) Float32() []float32 { return view[float32](t) }

// Int32 are the elements of an int32 tensor.
func (t *Tensor) Int32() []int32 { return view[int32](t) }

// Volume is the number of elements.
func (t *Tensor) Volume() int { return len(t.raw) / max(t.Type.Size(), 1) }

// SetFloats writes real values, quantizing as TFLite's QUANTIZE does: round half away from zero of x/scale, plus the zero point, clamped. NaN
// becomes the zero point.
func (t *Tensor) SetFloats(x []float32) error {
	if len(x) != t.Volume() {
		return fmt.Errorf("tensor %s of shape %v takes %d values, not %d", t.Name, t.Shape, t.Volume(), len(x))
	}
	switch {
	case t.Type == tflite.FLOAT32:
		copy(t.Float32(), x)
	case t.Type == tflite.INT8 && t.Quant != nil && !t.Quant.IsPerAxis():
		s, z := t.Quant.Scale[0], t.Quant.ZeroPoint[0]
		out := t.Int8()
		for i, v := range x {
			out[i] = quantize(v, s, z)
		}
	default:
		return fmt.Errorf("tensor %s has type %s: real values fit float32, and int8 with one scale", t.Name, t.Type)
	}
	return nil
}

// quantize is the code of v; NaN, for which the reference has no answer, becomes the zero point.
func quantize(v, scale float32, zero int32) int8 {
	return clamp8(round(float64(v/scale))+zero, -128, 127)
}

// round rounds half away from zero and saturates far beyond any code, where Go's conversion would depend on the machine. NaN becomes 0.
func round(v float64) int32 {
	if math.IsNaN(v) {
		return 0
	}
	return int32(min(max(math.Round(v), -1<<30), 1<<30))
}

// Floats writes the real values to x.
func (t *Tensor) Floats(x []float32) error {
	if len(x) != t.Volume() {
		return fmt.Errorf("tensor %s of shape %v has %d values, not %d", t.Name, t.Shape, t.Volume(), len(x))
	}
	switch {
	case t.Type == tflite.FLOAT32:
		copy(x, t.Float32())
	case t.Type == tflite.INT8 && t.Quant != nil && !t.Quant.IsPerAxis():
		s, z := t.Quant.Scale[0], t.Quant.ZeroPoint[0]
		for i, q := range t.Int8() {
			x[i] = s * float32(int32(q)-z)
		}
	case t.Type == tflite.INT32:
		for i, q := range t.Int32() {
			x[i] = float32(q)
		}
	default:
		return fmt.Errorf("tensor %s has type %s without one scale: it has no real values", t.Name, t.Type)
	}
	return nil
}

func volume(s []int) int {
	n := 1
	for _, d := range s {
		n *= d
	}
	return n
}

// sameShape demands the shape that an operator's rule gives to its output.
func (n *node) sameShape(t *Tensor, want []int) error {
	if len(t.Shape) != len(want) {
		return fmt.Errorf("output %s has shape %v, the operator makes %v", t.Name, t.Shape, want)
	}
	for i := range want {
		if t.Shape[i] != want[i] {
			return fmt.Errorf("output %s has shape %v, the operator makes %v", t.Name, t.Shape, want)
		}
	}
	return nil
}

// kind is the common type of the operator's data: int8 with one scale, or float32.
func (n *node) kind(ts ...*Tensor) (tflite.Type, error) {
	k := ts[0].Type
	for _, t := range ts {
		if t.Type != k || k != tflite.INT8 && k != tflite.FLOAT32 {
			return 0, fmt.Errorf("tensors of type %s and %s: int8 and float32 are supported, not mixed (a hybrid model?)", ts[0].Type, t.Type)
		}
		if k == tflite.INT8 && (t.Quant == nil || t.Quant.IsPerAxis()) {
			return 0, fmt.Errorf("tensor %s: an int8 activation needs one scale and zero point", t.Name)
		}
	}
	return k, nil
}

// rank demands a number of dimensions.
func rank(t *Tensor, r int) error {
	if len(t.Shape) != r {
		return fmt.Errorf("tensor %s has shape %v, want %d dimensions", t.Name, t.Shape, r)
	}
	return nil
}

// constants are the int32 values of an input that must be in the file.
func (n *node) constants(i int) ([]int, error) {
	if i >= len(n.in) || n.in[i] == nil || !n.in[i].Const || n.in[i].Type != tflite.INT32 {
		return nil, fmt.Errorf("input %d must be a constant of int32", i)
	}
	v := n.in[i].Int32()
	x := make([]int, len(v))
	for j := range v {
		x[j] = int(v[j])
	}
	return x, nil
}

// options returns the operator's options, or an error when they are missing or of another operator.
func options[T any](n *node) (*T, error) {
	o, ok := n.op.Options.(*T)
	if !ok || o == nil {
		return nil, fmt.Errorf("the operator's options are missing")
	}
	return o, nil
}

// scale and zero of an int8 activation.
func scaleOf(t *Tensor) float64 { return float64(t.Quant.Scale[0]) }
func zeroOf(t *Tensor) int32    { return t.Quant.ZeroPoint[0] }

// multiplier is a fixed-point factor.
type multiplier struct {
	m     int32
	shift int
}

func newMultiplier(d float64) multiplier {
	m, s := quant.QuantizeMultiplier(min(d, math.MaxFloat64)) // a quotient in float32 can overflow
	return multiplier{m, s}
}

// times multiplies with two roundings.
func (m multiplier) times(x int32) int32 {
	return quant.MultiplyByQuantizedMultiplier(x, m.m, m.shift)
}

func clamp8(v, lo, hi int32) int8 { return int8(min(max(v, lo), hi)) }

// activationRange is the int8 range of a fused activation (CalculateActivationRangeQuantized).
func activationRange(a tflite.Activation, out *Tensor) (lo, hi int32, err error) {
	q := func(v float64) int32 {
		return round(v/scaleOf(out)) + zeroOf(out)
	}
	lo, hi = -128, 127
	switch a {
	case tflite.NONE:
	case tflite.RELU_ACT:
		lo = max(lo, q(0))
	case tflite.RELU6_ACT:
		lo, hi = max(lo, q(0)), min(hi, q(6))
	case tflite.RELU_N1_TO_1_ACT:
		lo, hi = max(lo, q(-1)), min(hi, q(1))
	default:
		return 0, 0, fmt.Errorf("fused activation %d is not supported", a)
	}
	return lo, hi, nil
}

// activationFloat is the float32 range of a fused activation.
func activationFloat(a tflite.Activation) (lo, hi float32, err error) {
	inf := float32(math.Inf(1))
	switch a {
	case tflite.NONE:
		return -inf, inf, nil
	case tflite.RELU_ACT:
		return 0, inf, nil
	case tflite.RELU6_ACT:
		return 0, 6, nil
	case tflite.RELU_N1_TO_1_ACT:
		return -1, 1, nil
	}
	return 0, 0, fmt.Errorf("fused activation %d is not supported", a)
}

// shiftLeft is a saturating shift.
func shiftLeft(x int32, n int) int32 {
	v := int64(x) << n
	return int32(min(max(v, -1<<31), 1<<31-1))
}
