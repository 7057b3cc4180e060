package sim

import (
	"math/bits"

	"github.com/temper-ml/temper/npu/isa"
)

// rescale is v * s.Scale / 2^s.Shift in a rounding mode. DBL rounds as TensorFlow Lite's MultiplyByQuantizedMultiplier: at bit 31, half up, and what is left of
// the shift with halves away from zero.
func rescale(v int64, s isa.Scale, rounding int) int64 {
	if v >= 1<<30 || v <= -1<<30 {
		return wide(v, s, rounding)
	}
	p := v * int64(s.Scale)
	switch {
	case s.Shift == 0:
		return p
	case rounding == isa.RoundTruncate:
		if p < 0 {
			return -(-p >> s.Shift)
		}
		return p >> s.Shift
	case rounding == isa.RoundNatural || s.Shift <= 31:
		return p>>s.Shift + p>>(s.Shift-1)&1
	}
	return divideAway((p+1<<30)>>31, s.Shift-31)
}

// divideAway is v / 2^shift, rounded to nearest, halves away from zero.
func divideAway(v int64, shift int) int64 {
	mask := int64(1)<<shift - 1
	rest, threshold := v&mask, mask>>1
	if v < 0 {
		threshold++
	}
	if v >>= shift; rest > threshold {
		v++
	}
	return v
}

// wide is rescale with a product of 128 bits.
func wide(v int64, s isa.Scale, rounding int) int64 {
	hi, lo := bits.Mul64(magnitude(v), uint64(s.Scale))
	if v < 0 { // two's complement
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	shift := func(hi, lo uint64, n int, half bool) int64 {
		if half && n > 0 {
			var carry uint64
			lo, carry = bits.Add64(lo, 1<<(n-1), 0)
			hi += carry
		}
		if n == 0 {
			return int64(lo)
		}
		return int64(hi<<(64-n) | lo>>n)
	}
	switch {
	case s.Shift == 0:
		return int64(lo)
	case rounding == isa.RoundTruncate:
		hi, lo = bits.Mul64(magnitude(v), uint64(s.Scale))
		if q := shift(hi, lo, s.Shift, false); v < 0 {
			return -q
		} else {
			return q
		}
	case rounding == isa.RoundNatural || s.Shift <= 31:
		return shift(hi, lo, s.Shift, true)
	}
	return divideAway(shift(hi, lo, 31, true), s.Shift-31)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
