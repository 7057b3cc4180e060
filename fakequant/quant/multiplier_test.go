package quant

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The oracles work on integers without bounds, from the definition of each rounding.

// divideRound is n/2^e to nearest, halves towards plus infinity, or away from zero.
func divideRound(n *big.Int, e uint, away bool) *big.Int {
	half := new(big.Int)
	if e > 0 {
		half.Lsh(big.NewInt(1), e-1)
	}
	if away && n.Sign() < 0 {
		m := new(big.Int).Neg(n)
		m.Add(m, half).Rsh(m, e)
		return m.Neg(m)
	}
	m := new(big.Int).Add(n, half)
	return m.Rsh(m, e) // floor, for negative numbers too
}

func product(a, b int32) *big.Int {
	return new(big.Int).Mul(big.NewInt(int64(a)), big.NewInt(int64(b)))
}

func saturate(n *big.Int) int32 {
	if n.Cmp(big.NewInt(math.MaxInt32)) > 0 {
		return math.MaxInt32
	}
	if n.Cmp(big.NewInt(math.MinInt32)) < 0 {
		return math.MinInt32
	}
	return int32(n.Int64())
}

func highMulOracle(a, b int32) int32 { return saturate(divideRound(product(a, b), 31, false)) }

// extremes are where an off-by-one would show: zero, ones, powers of two and their neighbours, the ends.
func extremes() []int32 {
	x := []int32{0, math.MinInt32, math.MaxInt32, math.MinInt32 + 1, math.MaxInt32 - 1}
	for e := range 31 {
		p := int32(1) << e
		x = append(x, p, p-1, p+1, -p, -p-1, 1-p, p+p>>1, -p-p>>1)
	}
	return x
}

func TestSaturatingRoundingDoublingHighMul(t *testing.T) {
	for _, c := range []struct{ a, b, want int32 }{
		{math.MinInt32, math.MinInt32, math.MaxInt32}, // the one that saturates
		{math.MinInt32, math.MaxInt32, -math.MaxInt32},
		{math.MaxInt32, math.MaxInt32, math.MaxInt32 - 1},
		{1 << 30, 1, 1},     // 1/2 goes up
		{-1 << 30, 1, 0},    // -1/2 goes up, too
		{-1 << 30, 3, -1},   // -3/2
		{-1<<30 - 1, 1, -1}, // just below -1/2
		{1 << 30, 1 << 30, 1 << 29},
	} {
		if got := SaturatingRoundingDoublingHighMul(c.a, c.b); got != c.want {
			t.Errorf("(%d, %d) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	for _, a := range extremes() {
		for _, b := range extremes() {
			if got, want := SaturatingRoundingDoublingHighMul(a, b), highMulOracle(a, b); got != want {
				t.Fatalf("(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestRoundingDivideByPOT(t *testing.T) {
	for _, c := range []struct {
		x    int32
		e    int
		want int32
	}{
		{5, 1, 3}, {-5, 1, -3}, {4, 1, 2}, {6, 2, 2}, {-6, 2, -2}, {5, 2, 1}, {-7, 2, -2}, {7, 0, 7}, {-7, 0, -7},
		{math.MaxInt32, 31, 1}, {math.MinInt32, 31, -1}, {1 << 30, 31, 1}, {1<<30 - 1, 31, 0}, {-1 << 30, 31, -1},
	} {
		if got := RoundingDivideByPOT(c.x, c.e); got != c.want {
			t.Errorf("%d / 2^%d = %d, want %d", c.x, c.e, got, c.want)
		}
	}
	for _, x := range extremes() {
		for e := range 32 {
			want := saturate(divideRound(big.NewInt(int64(x)), uint(e), true))
			if got := RoundingDivideByPOT(x, e); got != want {
				t.Fatalf("%d / 2^%d = %d, want %d", x, e, got, want)
			}
		}
	}
}

func TestQuantizeMultiplier(t *testing.T) {
	for _, c := range []struct {
		d     float64
		m     int32
		shift int
	}{
		{0, 0, 0},
		{0.5, 1 << 30, 0},
		{1, 1 << 30, 1},
		{0.75, 3 << 29, 0},
		{3, 3 << 29, 2},
		{1 - 0x1p-40, 1 << 30, 1},         // rounds to 2^31, which is halved
		{0x1p-32, 1 << 30, -31},           // the smallest
		{0x1p-33, 0, 0},                   // too small
		{0x1p-32 - 0x1p-70, 1 << 30, -31}, // rounds to the smallest
		{0x1p29, 1 << 30, 30},
		{0x1p40, math.MaxInt32, 30},
		{-0.1, -1717986918, -3}, // LeakyReLU with a negative slope
	} {
		if m, shift := QuantizeMultiplier(c.d); m != c.m || shift != c.shift {
			t.Errorf("QuantizeMultiplier(%g) = %d, %d, want %d, %d", c.d, m, shift, c.m, c.shift)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		d := math.Ldexp(0.5+r.Float64()/2, r.IntN(58)-30)
		m, shift := QuantizeMultiplier(d)
		if m < 1<<30 {
			t.Fatalf("QuantizeMultiplier(%g): m = %d is not normalised", d, m)
		}
		if back := math.Ldexp(float64(m), shift-31); math.Abs(back-d) > math.Ldexp(1, shift-32) {
			t.Fatalf("QuantizeMultiplier(%g) = %d, %d, which is %g", d, m, shift, back)
		}
	}
}

// doubleOracle and singleOracle are the two forms of x*m*2^(shift-31); ok is false where x<<shift does not fit, which no kernel reaches.
func doubleOracle(x, m int32, shift int) (want int32, ok bool) {
	left := new(big.Int).Lsh(big.NewInt(int64(x)), uint(max(shift, 0)))
	if !left.IsInt64() || left.Int64() != int64(int32(left.Int64())) {
		return 0, false
	}
	high := highMulOracle(int32(left.Int64()), m)
	return saturate(divideRound(big.NewInt(int64(high)), uint(max(-shift, 0)), true)), true
}

func singleOracle(x, m int32, shift int) int32 {
	return saturate(divideRound(product(x, m), uint(31-shift), false))
}

func checkMultiply(t *testing.T, x, m int32, shift int) {
	t.Helper()
	if want, ok := doubleOracle(x, m, shift); ok {
		if got := MultiplyByQuantizedMultiplier(x, m, shift); got != want {
			t.Fatalf("double rounding: %d * %d * 2^(%d-31) = %d, want %d", x, m, shift, got, want)
		}
	}
	if got, want := MultiplyByQuantizedMultiplierSingle(x, m, shift), singleOracle(x, m, shift); got != want {
		t.Fatalf("single rounding: %d * %d * 2^(%d-31) = %d, want %d", x, m, shift, got, want)
	}
}

func TestMultiplyByQuantizedMultiplier(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	multipliers := []int32{0, 1 << 30, 1<<30 + 1, math.MaxInt32, math.MaxInt32 - 1, 3 << 29, -1 << 30, math.MinInt32}
	for range 8 {
		multipliers = append(multipliers, 1<<30+r.Int32N(1<<30))
	}
	for _, x := range extremes() {
		for _, m := range multipliers {
			for shift := -31; shift <= 30; shift++ {
				checkMultiply(t, x, m, shift)
			}
		}
	}
}

// TestDoubleRoundingDiffers: the profiles of the interpreter are different functions, here on the smallest cases.
func TestDoubleRoundingDiffers(t *testing.T) {
	for _, c := range []struct {
		x              int32
		shift          int
		double, single int32
	}{
		{3, -1, 1, 1},
		{1, -1, 1, 0},    // 0.25: 0.5 -> 1 -> 0.5 -> 1, against 0
		{-3, -1, -1, -1}, // -0.75: -1.5 -> -1 -> -0.5 -> -1
		{-2, -1, -1, 0},  // -0.5: halves away from zero at the end, against halves up
	} {
		m := int32(1 << 30)
		if got := MultiplyByQuantizedMultiplier(c.x, m, c.shift); got != c.double {
			t.Errorf("double: %d/4 = %d, want %d", c.x, got, c.double)
		}
		if got := MultiplyByQuantizedMultiplierSingle(c.x, m, c.shift); got != c.single {
			t.Errorf("single: %d/4 = %d, want %d", c.x, got, c.single)
		}
	}
}

func FuzzMultiply(f *testing.F) {
	f.Add(int32(0), int32(1<<30), int8(0))
	f.Add(int32(math.MinInt32), int32(math.MinInt32), int8(0))
	f.Add(int32(math.MaxInt32), int32(math.MaxInt32), int8(30))
	f.Add(int32(-1), int32(1<<30), int8(-31))
	f.Fuzz(func(t *testing.T, x, m int32, s int8) {
		checkMultiply(t, x, m, min(max(int(s), -31), 30))
	})
}
