// Package quant is the number system of Temper: affine quantization parameters, how they follow from a range, and the fixed-point
// multiplication of the int8 kernels. It depends on the standard library only.
//
// A real value r and its code q are related by r = scale * (q - zeroPoint). Activations are int8 in [-128, 127] with any zero point,
// weights int8 in [-127, 127] with zero point 0, biases int32 with zero point 0 and scale inputScale*weightScale (TFLite 8-bit
// quantization specification).
package quant

import (
	"fmt"
	"math"
)

// Params are the quantization parameters of one tensor: one scale and zero point, or one a slice along Axis.
type Params struct {
	Scale     []float32 // len 1, or the size of dimension Axis
	ZeroPoint []int32   // same length as Scale
	Axis      int       // dimension that Scale runs along; 0 and meaningless when len(Scale) == 1
}

// PerTensor returns parameters with a single scale and zero point.
func PerTensor(scale float32, zeroPoint int32) Params {
	return Params{Scale: []float32{scale}, ZeroPoint: []int32{zeroPoint}}
}

// PerAxis returns symmetric parameters (zero points 0) with a scale for each slice along axis.
func PerAxis(scale []float32, axis int) Params {
	return Params{Scale: scale, ZeroPoint: make([]int32, len(scale)), Axis: axis}
}

// IsPerAxis tells whether the parameters run along an axis.
func (p Params) IsPerAxis() bool { return len(p.Scale) > 1 }

// Equal tells whether two parameter sets are the same bits.
func (p Params) Equal(o Params) bool {
	if len(p.Scale) != len(o.Scale) || len(p.ZeroPoint) != len(o.ZeroPoint) || p.IsPerAxis() && p.Axis != o.Axis {
		return false
	}
	for i := range p.Scale {
		if p.Scale[i] != o.Scale[i] || p.ZeroPoint[i] != o.ZeroPoint[i] {
			return false
		}
	}
	return true
}

// Check reports parameters that no kernel can use.
func (p Params) Check() error {
	if len(p.Scale) == 0 || len(p.Scale) != len(p.ZeroPoint) {
		return fmt.Errorf("quantization has %d scales and %d zero points", len(p.Scale), len(p.ZeroPoint))
	}
	for i, s := range p.Scale {
		if !(s > 0) || math.IsInf(float64(s), 0) {
			return fmt.Errorf("quantization scale %g of slice %d is not a positive finite number", s, i)
		}
	}
	return nil
}

// Fixed parameters that the TFLite specification gives to the outputs of bounded functions.
var (
	SoftmaxOutput = PerTensor(1.0/256, -128) // SOFTMAX and LOGISTIC
	TanhOutput    = PerTensor(1.0/128, 0)    // TANH and L2_NORMALIZATION
)

// RoundHalfAway rounds to the nearest integer, halves away from zero (C's round, TfLiteRound).
func RoundHalfAway(x float64) float64 { return math.Round(x) }

// Clamp limits v to [lo, hi].
func Clamp(v, lo, hi int32) int32 { return min(max(v, lo), hi) }
