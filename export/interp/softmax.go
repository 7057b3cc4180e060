package interp

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

func init() {
	register(tflite.SOFTMAX, 1, "int8, float32; over the last dimension", prepareSoftmax)
}

func prepareSoftmax(n *node) (func(), error) {
	o, err := options[tflite.SoftmaxOptions](n)
	if err != nil {
		return nil, err
	}
	if b := float64(o.Beta); !(b > 0) || math.IsInf(b, 0) {
		return nil, fmt.Errorf("beta is %g, want a positive number", b)
	}
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if len(n.in[0].Shape) == 0 {
		return nil, fmt.Errorf("input %s is a scalar", n.in[0].Name)
	}
	c := n.in[0].Shape[len(n.in[0].Shape)-1]
	if kind == tflite.FLOAT32 {
		x, y := n.in[0].Float32(), n.out[0].Float32()
		return func() {
			for at := 0; at < len(x); at += c {
				softmaxFloat(y[at:at+c], x[at:at+c], o.Beta)
			}
		}, nil
	}
	if s, z := n.out[0].Quant.Scale[0], zeroOf(n.out[0]); s != 1.0/256 || z != -128 {
		return nil, fmt.Errorf("output scale %g and zero point %d: the kernel makes 1/256 and -128", s, z)
	}
	k := newExpTable(float64(o.Beta) * scaleOf(n.in[0]))
	x, y := n.in[0].Int8(), n.out[0].Int8()
	return func() {
		for at := 0; at < len(x); at += c {
			k.softmax(y[at:at+c], x[at:at+c])
		}
	}, nil
}

func softmaxFloat(y, x []float32, beta float32) {
	top, sum := slices.Max(x), float32(0)
	for i, v := range x {
		y[i] = float32(math.Exp(float64((v - top) * beta)))
		sum += y[i]
	}
	for i := range y {
		y[i] /= sum
	}
}

// expTable holds exp(d*scale) in Q0.31 for the differences d = 0, -1, ... -255 from the largest code; below the kernel's limit the output is 0.
type expTable struct {
	exp   [256]int32
	limit int // differences up to this count
}

// newExpTable prepares the fixed-point exponential with 5 integer bits (softmax.cc, PreprocessSoftmaxScaling; softmax.h).
func newExpTable(betaScale float64) *expTable {
	m, shift := quant.QuantizeMultiplier(min(betaScale*(1<<26), math.MaxInt32))
	t := &expTable{}
	radius := math.Floor(31 * float64(int64(1)<<26) / math.Pow(2, float64(shift)))
	t.limit = int(min(radius, 255))
	for d := 0; d <= t.limit; d++ {
		scaled := quant.SaturatingRoundingDoublingHighMul(shiftLeft(int32(-d), max(shift, 0)), m)
		if shift < 0 {
			scaled = quant.MultiplyByQuantizedMultiplier(int32(-d), m, shift)
		}
		t.exp[d] = expNegative(scaled)
	}
	return t
}

// SoftmaxExp is the kernel's exponential in Q0.31 of a code's difference from the largest, by minus that difference; 0 where the kernel leaves codes out.
func SoftmaxExp(betaScale float64) [256]int32 { return newExpTable(betaScale).exp }

func (t *expTable) softmax(y, x []int8) {
	top := slices.Max(x)
	sum := int32(0)
	for _, v := range x {
		if d := int(top) - int(v); d <= t.limit {
			sum += quant.RoundingDivideByPOT(t.exp[d], 12)
		}
	}
	headroom := bits.LeadingZeros32(uint32(sum))
	inverse := oneOverOnePlus(int32(uint32(sum)<<headroom - 1<<31))
	for i, v := range x {
		d := int(top) - int(v)
		if d > t.limit {
			y[i] = -128
			continue
		}
		q := quant.RoundingDivideByPOT(quant.SaturatingRoundingDoublingHighMul(inverse, t.exp[d]), 12-headroom+23)
		y[i] = clamp8(q-128, -128, 127)
	}
}

// expNegative is exp(a) in Q0.31 for a <= 0 in Q5.26 (gemmlowp, exp_on_negative_values).
func expNegative(a int32) int32 {
	if a == 0 {
		return math.MaxInt32
	}
	mul := quant.SaturatingRoundingDoublingHighMul
	const quarter = 1 << 24
	mod := a&(quarter-1) - quarter
	r := expQuarter(shiftLeft(mod, 5))
	rest := mod - a
	for i, factor := range []int32{1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242} {
		if rest&(1<<(24+i)) != 0 {
			r = mul(r, factor)
		}
	}
	return r
}

// expQuarter is exp(a) for a in [-1/4, 0), Q0.31 (gemmlowp, exp_on_interval_between_negative_one_quarter_and_0_excl).
func expQuarter(a int32) int32 {
	mul := quant.SaturatingRoundingDoublingHighMul
	x := a + 1<<28
	x2 := mul(x, x)
	x3 := mul(x2, x)
	x4 := mul(x2, x2)
	y := quant.RoundingDivideByPOT(mul(quant.RoundingDivideByPOT(x4, 2)+x3, 715827883)+x2, 1)
	return 1895147668 + mul(1895147668, x+y)
}

// oneOverOnePlus is 1/(1+a) for a in [0, 1], Q0.31, by three Newton steps (gemmlowp, one_over_one_plus_x_for_x_in_0_1).
func oneOverOnePlus(a int32) int32 {
	mul := quant.SaturatingRoundingDoublingHighMul
	// The mean of a and 1, rounded half away from zero.
	sum := int64(a) + math.MaxInt32
	sign := int64(1)
	if sum < 0 {
		sign = -1
	}
	half := int32((sum + sign) / 2)
	x := 1515870810 + mul(half, -1010580540)
	for range 3 {
		x += shiftLeft(mul(x, 1<<29-mul(half, x)), 2)
	}
	return shiftLeft(x, 1)
}
