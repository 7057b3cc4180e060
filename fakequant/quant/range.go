package quant

import "math"

// Range is what a quantizer is derived from: the smallest and the largest real value that it must represent.
type Range struct{ Min, Max float32 }

// Levels are the integer codes of a fake quantizer: [0, 2^bits-1], or [1, 2^bits-1] when narrow (TensorFlow's FakeQuantWithMinMaxVars).
type Levels struct {
	Bits    int // 2 to 16
	Narrow  bool
	PerAxis bool // round as TensorFlow does where each channel has a range: see Nudged
}

// Bounds returns the smallest and the largest code.
func (l Levels) Bounds() (lo, hi int32) {
	if l.Narrow {
		lo = 1
	}
	return lo, int32(1)<<l.Bits - 1
}

// Nudged is a range moved so that zero is a code exactly. Fake quantization of x is
//
//	floor((clamp(x, Min, Max) - Min)/Scale - zero + 0.5) * Scale
//
// computed in float32 in this order, where zero is the number of codes below that of 0. Per axis TensorFlow multiplies by Inv instead of dividing
// by Scale, which differs on ties (tensorflow/core/kernels/fake_quant_ops_functor.h).
type Nudged struct {
	Min, Max, Scale float32
	Inv             float32 // 1/Scale, from the range and not from the rounded Scale
	Zero            int32   // the code of 0, counted from 0 for the smallest unsigned level
	below           float32 // codes below that of 0
	multiply        bool    // by Inv
}

// Nudge is TensorFlow's Nudge: scale = (max-min)/(hi-lo) in float32, the zero point rounded half away and clamped to the codes.
// A range that does not hold zero, or is empty, must be widened by the caller first (see WithZero).
func Nudge(r Range, l Levels) Nudged {
	lo, hi := l.Bounds()
	qlo, qhi := float32(lo), float32(hi)
	scale := (r.Max - r.Min) / (qhi - qlo)
	zero := qlo - r.Min/scale
	var nudged float32
	switch {
	case zero < qlo:
		nudged = qlo
	case zero > qhi:
		nudged = qhi
	default:
		nudged = float32(math.Round(float64(zero)))
	}
	return Nudged{
		Min:      float32((qlo - nudged) * scale),
		Max:      float32((qhi - nudged) * scale),
		Scale:    scale,
		Inv:      (qhi - qlo) / (r.Max - r.Min),
		Zero:     int32(nudged),
		below:    nudged - qlo,
		multiply: l.PerAxis,
	}
}

// Below is the number of codes below that of 0.
func (n Nudged) Below() float32 { return n.below }

// ByInverse tells that steps are counted by multiplication with Inv.
func (n Nudged) ByInverse() bool { return n.multiply }

// Apply fake-quantizes one value.
func (n Nudged) Apply(x float32) float32 { return n.round(x) * n.Scale }

// Code is the integer that stands for x, counted from the zero point: the fake-quantized value is Code*Scale.
func (n Nudged) Code(x float32) int32 { return int32(n.round(x)) }

func (n Nudged) round(x float32) float32 {
	steps := min(max(x, n.Min), n.Max) - n.Min
	if n.multiply {
		steps = float32(steps * n.Inv)
	} else {
		steps /= n.Scale
	}
	return float32(math.Floor(float64(steps - n.below + 0.5)))
}

// ApplyAll fake-quantizes x into y, element by element as Apply.
func (n Nudged) ApplyAll(y, x []float32) {
	if n.multiply {
		for i, v := range x {
			y[i] = n.Apply(v)
		}
		return
	}
	lo, hi, scale, below := n.Min, n.Max, n.Scale, n.below
	for i, v := range x {
		steps := (min(max(v, lo), hi)-lo)/scale - below + 0.5
		y[i] = float32(math.Floor(float64(steps))) * scale
	}
}

// Inside tells whether x lies in the nudged range, where the straight-through gradient passes.
func (n Nudged) Inside(x float32) bool { return x >= n.Min && x <= n.Max }

// smallest is the extent below which a range counts as empty: a moving average of zeros decays to subnormal numbers, whose scale would be 0.
// An empty range gets the extent emptyExtent, so that a scale exists.
const (
	smallest    = 1e-30
	emptyExtent = 1e-6
)

// WithZero widens r to hold zero, and gives an empty range a small extent.
func (r Range) WithZero() Range {
	r.Min, r.Max = min(r.Min, 0), max(r.Max, 0)
	if r.Max-r.Min < smallest {
		return Range{0, emptyExtent}
	}
	return r
}

// Symmetric returns the range [-m, m] with m the largest magnitude of r, or a small one when r is empty.
func (r Range) Symmetric() Range {
	m := max(-r.Min, r.Max)
	if m < smallest {
		m = emptyExtent
	}
	return Range{-m, m}
}

// Int8 are the int8 parameters of an 8-bit wide asymmetric activation quantizer: the same scale and nudged zero as Nudge, shifted by -128.
// The converter's scale = (max-min)/255 and zeroPoint = round(-128 - min/scale) (tf/lite/tools/optimize/quantization_utils.cc) are the same but
// for ties, which it rounds to the other side since its numbers are negative there.
func (n Nudged) Int8() (scale float32, zeroPoint int32) { return n.Scale, n.Zero - 128 }
