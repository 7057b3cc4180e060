package quant

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestNudgeTable(t *testing.T) {
	for _, c := range []struct {
		name     string
		r        Range
		l        Levels
		min, max float32
		zero     int32
	}{
		{"zero is a code already", Range{0, 255}, Levels{Bits: 8}, 0, 255, 0},
		{"moved down to a code", Range{-0.4, 254.6}, Levels{Bits: 8}, 0, 255, 0},
		{"moved up to a code", Range{-0.6, 254.4}, Levels{Bits: 8}, -1, 254, 1},
		{"half a code goes away from zero", Range{-0.5, 254.5}, Levels{Bits: 8}, -1, 254, 1},
		{"all negative", Range{-255, 0}, Levels{Bits: 8}, -255, 0, 255},
		{"symmetric narrow", Range{-127, 127}, Levels{Bits: 8, Narrow: true}, -127, 127, 128},
		{"symmetric wide has one more below", Range{-127.5, 127.5}, Levels{Bits: 8}, -128, 127, 128},
		{"2 bits narrow: three values", Range{-1, 1}, Levels{Bits: 2, Narrow: true}, -1, 1, 2},
		{"16 bits", Range{-32768, 32767}, Levels{Bits: 16}, -32768, 32767, 32768},
		{"without zero starts at zero", Range{1, 256}, Levels{Bits: 8}, 0, 255, 0},
		{"without zero ends at zero", Range{-256, -1}, Levels{Bits: 8}, -255, 0, 255},
	} {
		n := Nudge(c.r, c.l)
		if n.Min != c.min || n.Max != c.max || n.Zero != c.zero {
			t.Errorf("%s: [%g, %g] with 0 at code %d, want [%g, %g] at %d", c.name, n.Min, n.Max, n.Zero, c.min, c.max, c.zero)
		}
	}
}

func TestRangeRepairs(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct{ in, zero, symmetric Range }{
		{Range{-1, 2}, Range{-1, 2}, Range{-2, 2}},
		{Range{1, 2}, Range{0, 2}, Range{-2, 2}},
		{Range{-3, -1}, Range{-3, 0}, Range{-3, 3}},
		{Range{0, 0}, Range{0, 1e-6}, Range{-1e-6, 1e-6}},
		// A moving average of zeros gets stuck at the smallest subnormal number: its scale was 0, and 0/0 made NaN.
		{Range{0, math.SmallestNonzeroFloat32}, Range{0, 1e-6}, Range{-1e-6, 1e-6}},
		{Range{-1e-38, 1e-40}, Range{0, 1e-6}, Range{-1e-6, 1e-6}},
		// A trained range may turn inside out: the scale was negative.
		{Range{0.5, -0.25}, Range{0, 1e-6}, Range{-1e-6, 1e-6}},
	} {
		if got := c.in.WithZero(); got != c.zero {
			t.Errorf("%v with zero is %v, want %v", c.in, got, c.zero)
		}
		if got := c.in.Symmetric(); got != c.symmetric {
			t.Errorf("%v symmetric is %v, want %v", c.in, got, c.symmetric)
		}
	}
	if r := (Range{nan, 1}).WithZero(); r.Min == r.Min {
		t.Errorf("NaN is hidden: %v", r)
	}
	if r := (Range{-1, nan}).Symmetric(); r.Min == r.Min {
		t.Errorf("NaN is hidden: %v", r)
	}
}

// TestInt8 compares with the converter's formula, computed in float64.
func TestInt8(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 1000 {
		rng := Range{-5 * r.Float32(), 5 * r.Float32()}.WithZero()
		scale, zero := Nudge(rng, Levels{Bits: 8}).Int8()
		exact := -128 - float64(rng.Min)/float64(scale)
		if f := exact - math.Floor(exact); math.Abs(f-0.5) < 1e-3 {
			continue // a tie
		}
		if want := int32(min(max(RoundHalfAway(exact), -128), 127)); zero != want || scale != (rng.Max-rng.Min)/255 {
			t.Fatalf("range %v: scale %g, zero point %d, want %d", rng, scale, zero, want)
		}
	}
}

// checkLaws are what placement, the exporter and training rely on.
func checkLaws(t *testing.T, r Range, l Levels, x, x2 float32) {
	t.Helper()
	n := Nudge(r, l)
	lo, hi := l.Bounds()
	if n.Min > 0 || n.Max < 0 || !(n.Scale > 0) || n.Zero < lo || n.Zero > hi {
		t.Fatalf("%v %+v: nudged to %+v", r, l, n)
	}
	if y := n.Apply(0); y != 0 {
		t.Fatalf("%v %+v: 0 becomes %g", r, l, y)
	}
	y := n.Apply(x)
	if c := n.Code(x); c < lo-n.Zero || c > hi-n.Zero || float32(c)*n.Scale != y {
		t.Fatalf("%v %+v: Apply(%g) = %g, Code %d, Scale %g", r, l, x, y, c, n.Scale)
	}
	if again := n.Apply(y); again != y {
		t.Fatalf("%v %+v: Apply(%g) = %g, applied again %g", r, l, x, y, again)
	}
	if n.Inside(x) && math.Abs(float64(y-x)) > 0.51*float64(n.Scale) {
		t.Fatalf("%v %+v: Apply(%g) = %g is further than half of %g", r, l, x, y, n.Scale)
	}
	if y2 := n.Apply(x2); x < x2 && y > y2 || x > x2 && y < y2 {
		t.Fatalf("%v %+v: %g -> %g, but %g -> %g", r, l, x, y, x2, y2)
	}
	all := []float32{x, x2}
	n.ApplyAll(all, all)
	if all[0] != y || all[1] != n.Apply(x2) {
		t.Fatalf("%v %+v: ApplyAll(%g, %g) = %v", r, l, x, x2, all)
	}
}

func TestNudgeLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 20000 {
		size := float32(math.Pow(10, 40*r.Float64()-20))
		rng := Range{-r.Float32() * size, r.Float32() * size}
		switch r.IntN(4) {
		case 0:
			rng.Min = 0
		case 1:
			rng = rng.Symmetric()
		}
		l := Levels{Bits: 2 + r.IntN(15), Narrow: r.IntN(2) == 0, PerAxis: r.IntN(2) == 0}
		checkLaws(t, rng.WithZero(), l, 2*size*(r.Float32()-0.5), 2*size*(r.Float32()-0.5))
	}
}

func FuzzNudge(f *testing.F) {
	f.Add(float32(-1), float32(1), byte(8), true, false, float32(0.3), float32(-7))
	f.Add(float32(0), float32(0), byte(2), false, true, float32(1), float32(0))
	f.Add(float32(0), float32(1e-45), byte(16), false, false, float32(0), float32(1))
	f.Add(float32(5), float32(-5), byte(4), true, true, float32(5), float32(-5))
	f.Fuzz(func(t *testing.T, lo, hi float32, bits byte, narrow, perAxis bool, x, x2 float32) {
		for _, v := range []float32{lo, hi, x, x2} {
			if !(math.Abs(float64(v)) < 1e30) {
				t.Skip("a range that overflows is an error of FakeQuant.Quantizers")
			}
		}
		l := Levels{Bits: 2 + int(bits)%15, Narrow: narrow, PerAxis: perAxis}
		checkLaws(t, Range{lo, hi}.WithZero(), l, x, x2)
		checkLaws(t, Range{lo, hi}.Symmetric(), l, x, x2)
	})
}
