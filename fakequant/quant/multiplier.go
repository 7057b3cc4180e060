package quant

import "math"

// QuantizeMultiplier writes a positive real factor d as m * 2^(shift-31) with m in [2^30, 2^31)
// (tensorflow/lite/kernels/internal/quantization_util.cc). Factors under 2^-32 become 0; factors from 2^30 up saturate at the largest m and shift 30.
func QuantizeMultiplier(d float64) (m int32, shift int) {
	if d == 0 {
		return 0, 0
	}
	q, exp := math.Frexp(d)
	fixed := int64(math.Round(q * (1 << 31)))
	if fixed == 1<<31 {
		fixed /= 2
		exp++
	}
	if exp < -31 {
		return 0, 0
	}
	if exp > 30 {
		return math.MaxInt32, 30
	}
	return int32(fixed), exp
}

// SaturatingRoundingDoublingHighMul is a*b/2^31 rounded to nearest, halves towards plus infinity: gemmlowp's nudge, and a division that truncates
// towards zero. Only the square of the smallest int32 does not fit, and saturates.
func SaturatingRoundingDoublingHighMul(a, b int32) int32 {
	if a == math.MinInt32 && b == math.MinInt32 {
		return math.MaxInt32
	}
	ab := int64(a) * int64(b)
	nudge := int64(1 << 30)
	if ab < 0 {
		nudge = 1 - 1<<30
	}
	return int32((ab + nudge) / (1 << 31))
}

// RoundingDivideByPOT divides by 2^exponent, rounding to nearest with halves away from zero.
func RoundingDivideByPOT(x int32, exponent int) int32 {
	mask := int32(1)<<exponent - 1
	rem := x & mask
	threshold := mask >> 1
	if x < 0 {
		threshold++
	}
	r := x >> exponent
	if rem > threshold {
		r++
	}
	return r
}

// MultiplyByQuantizedMultiplier multiplies x by m * 2^(shift-31) with two roundings (TFLM, and LiteRT's default build):
// the high product is rounded, then the right shift.
func MultiplyByQuantizedMultiplier(x, m int32, shift int) int32 {
	left, right := max(shift, 0), max(-shift, 0)
	return RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(x<<left, m), right)
}

// MultiplyByQuantizedMultiplierSingle is the same product with one rounding, halves up (TFLITE_SINGLE_ROUNDING; what LiteRT's
// FULLY_CONNECTED reference kernel computes). shift must be in [-31, 30].
func MultiplyByQuantizedMultiplierSingle(x, m int32, shift int) int32 {
	total := 31 - shift
	r := (int64(x)*int64(m) + int64(1)<<(total-1)) >> total
	return int32(min(max(r, math.MinInt32), math.MaxInt32))
}
