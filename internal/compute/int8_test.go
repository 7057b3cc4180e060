package compute

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// naiveRequant is MultiplyByQuantizedMultiplier as TFLite writes it down: a saturating rounding doubling high product, then a rounding shift.
func naiveRequant(v int32, r Requant, c int) int8 {
	if r.Shift[c] > 0 {
		v <<= r.Shift[c]
	}
	ab := int64(v) * int64(r.Multiplier[c])
	nudge := int64(1 << 30)
	if ab < 0 {
		nudge = 1 - nudge
	}
	high := int32((ab + nudge) / (1 << 31))
	if n := -r.Shift[c]; n > 0 {
		mask := int32(1)<<n - 1
		threshold := mask >> 1
		if high < 0 {
			threshold++
		}
		rest := high & mask
		high >>= n
		if rest > threshold {
			high++
		}
	}
	return int8(min(max(high+r.OutputZero, r.Lo), r.Hi))
}

func randomCodes(r *rand.Rand, n int) []int8 {
	x := make([]int8, n)
	for i := range x {
		x[i] = int8(r.IntN(256) - 128)
	}
	return x
}

func randomRequant(r *rand.Rand, channels int) Requant {
	q := Requant{InputZero: int32(r.IntN(256) - 128), OutputZero: int32(r.IntN(256) - 128), Lo: -128, Hi: 127}
	if r.IntN(3) == 0 {
		q.Lo, q.Hi = q.OutputZero, min(q.OutputZero+100, 127)
	}
	for range channels {
		q.Bias = append(q.Bias, int32(r.IntN(20001)-10000))
		q.Multiplier = append(q.Multiplier, 1<<30+r.Int32N(1<<30))
		q.Shift = append(q.Shift, int32(r.IntN(14)-12))
	}
	if r.IntN(4) == 0 {
		q.Bias = nil
	}
	return q
}

// TestInt8Conv compares with the sums written down one by one.
func TestInt8Conv(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 8))
		for range 60 {
			s := randomShape(r)
			s.N, s.Multiplier = 1, 1
			x, w := randomCodes(r, s.In()), randomCodes(r, s.KH*s.KW*s.C*s.OC)
			for i := range w {
				w[i] = max(w[i], -127)
			}
			q := randomRequant(r, s.OC)
			c, ok := NewInt8Conv(s, w, q)
			if !ok {
				t.Fatalf("%+v refused", s)
			}
			got := make([]int8, s.Out())
			c.Run(got, x)
			sums := make([]int32, s.Out())
			s.visit(func(in, tap, out int) {
				for o := range s.OC {
					for i := range s.C {
						sums[out*s.OC+o] += (int32(x[in*s.C+i]) - q.InputZero) * int32(w[(o*s.KH*s.KW+tap)*s.C+i])
					}
				}
			})
			for i, v := range sums {
				if q.Bias != nil {
					v += q.Bias[i%s.OC]
				}
				if want := naiveRequant(v, q, i%s.OC); got[i] != want {
					t.Fatalf("%s: output %d is %d, want %d (sum %d, %+v)", fmt.Sprintf("%+v", s), i, got[i], want, v, q)
				}
			}
		}
	})
}

// TestInt8ConvRefuses: sums that may leave 30 bits are not computed here.
func TestInt8ConvRefuses(t *testing.T) {
	s := ConvShape{N: 1, H: 1, W: 1, C: 1, KH: 1, KW: 1, OC: 1, OH: 1, OW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1}
	for _, q := range []Requant{
		{Bias: []int32{1 << 30}, Multiplier: []int32{1 << 30}, Shift: []int32{0}},
		{Multiplier: []int32{1 << 30}, Shift: []int32{20}},
	} {
		if _, ok := NewInt8Conv(s, []int8{127}, q); ok {
			t.Errorf("%+v accepted", q)
		}
	}
}

func BenchmarkInt8Conv(b *testing.B) {
	for _, c := range []struct{ h, w, c, k, oc int }{{28, 28, 1, 3, 32}, {28, 28, 32, 3, 32}, {14, 14, 32, 3, 32}, {25, 5, 64, 1, 64}, {32, 32, 16, 3, 16}, {8, 8, 64, 3, 64}} {
		s := ConvShape{N: 1, H: c.h, W: c.w, C: c.c, KH: c.k, KW: c.k, OC: c.oc, OH: c.h, OW: c.w, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: c.k / 2, PadLeft: c.k / 2}
		r := rand.New(rand.NewPCG(1, 1))
		x, w, y := randomCodes(r, s.In()), randomCodes(r, s.KH*s.KW*s.C*s.OC), make([]int8, s.Out())
		conv, ok := NewInt8Conv(s, w, randomRequant(r, s.OC))
		if !ok {
			b.Fatal("refused")
		}
		b.Run(fmt.Sprintf("%dx%dx%d-k%d-%d", c.h, c.w, c.c, c.k, c.oc), func(b *testing.B) {
			for b.Loop() {
				conv.Run(y, x)
			}
			b.ReportMetric(float64(c.h*c.w*c.c*c.k*c.k*c.oc)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

// TestInt8Depthwise compares with the sums written down one by one.
func TestInt8Depthwise(t *testing.T) {
	if !hasInt8Depthwise() {
		t.Skip("this processor has no AVX-512")
	}
	r := rand.New(rand.NewPCG(9, 9))
	for range 80 {
		s := randomShape(r)
		s.N = 1
		s.OC = s.C * s.Multiplier
		x, w := randomCodes(r, s.In()), randomCodes(r, s.KH*s.KW*s.OC)
		q := randomRequant(r, s.OC)
		d, ok := NewInt8Depthwise(s, w, q)
		if !ok {
			t.Fatalf("%+v refused", s)
		}
		got := make([]int8, s.Out())
		d.Run(got, x)
		sums := make([]int32, s.Out())
		s.visit(func(in, tap, out int) {
			for o := range s.OC {
				sums[out*s.OC+o] += (int32(x[in*s.C+o/s.Multiplier]) - q.InputZero) * int32(w[tap*s.OC+o])
			}
		})
		for i, v := range sums {
			if q.Bias != nil {
				v += q.Bias[i%s.OC]
			}
			if want := naiveRequant(v, q, i%s.OC); got[i] != want {
				t.Fatalf("%+v: output %d is %d, want %d", s, i, got[i], want)
			}
		}
	}
}

// TestInt8MaxPool compares with the maxima written down one by one, for windows inside the image.
func TestInt8MaxPool(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(10, 10))
		for range 60 {
			s := ConvShape{N: 1, H: 1 + r.IntN(9), W: 1 + r.IntN(9), C: 1 + r.IntN(70), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: 1, DilationW: 1}
			s.KH, s.KW, s.OC = 1+r.IntN(s.H), 1+r.IntN(s.W), s.C
			s.OH, s.OW = (s.H-s.KH)/s.StrideH+1, (s.W-s.KW)/s.StrideW+1
			x, got, want := randomCodes(r, s.In()), make([]int8, s.Out()), make([]int8, s.Out())
			for i := range want {
				want[i] = -128
			}
			s.visit(func(in, _, out int) {
				for c := range s.C {
					want[out*s.C+c] = max(want[out*s.C+c], x[in*s.C+c])
				}
			})
			Int8MaxPool(got, x, s)
			for i := range want {
				if got[i] != want[i] {
					t.Fatalf("%+v: output %d is %d, want %d", s, i, got[i], want[i])
				}
			}
		}
	})
}

func BenchmarkInt8Depthwise(b *testing.B) {
	s := ConvShape{N: 1, H: 25, W: 5, C: 64, KH: 3, KW: 3, OC: 64, OH: 25, OW: 5, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, Multiplier: 1}
	r := rand.New(rand.NewPCG(1, 1))
	x, w, y := randomCodes(r, s.In()), randomCodes(r, 9*64), make([]int8, s.Out())
	d, ok := NewInt8Depthwise(s, w, randomRequant(r, 64))
	if !ok {
		b.Skip("no kernel")
	}
	for b.Loop() {
		d.Run(y, x)
	}
	b.ReportMetric(float64(9*64*25*5)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
}

func TestRescaler(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 11))
		for n := range 70 {
			q := Requant{OutputZero: 3, Lo: -100, Hi: 90, Multiplier: []int32{1<<30 + r.Int32N(1<<30)}, Shift: []int32{int32(r.IntN(20) - 18)}}
			sums, got := make([]int32, n), make([]int8, n)
			for i := range sums {
				sums[i] = r.Int32N(1<<27) - 1<<26
			}
			NewRescaler(q.Multiplier[0], q.Shift[0], q.OutputZero, q.Lo, q.Hi).Run(got, sums)
			for i, v := range sums {
				if want := naiveRequant(v, q, 0); got[i] != want {
					t.Fatalf("%d of %d: %d, want %d", i, n, got[i], want)
				}
			}
		}
	})
}
