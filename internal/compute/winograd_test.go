package compute

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestWinograd compares all three results with float64 over random sizes, paddings and channels. An error is measured by the largest sum of magnitudes behind
// a value of the tensor: a tile's error comes from all of its pixels, also where one output reads few.
func TestWinograd(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		tried := 0
		for tried < 60 {
			s := ConvShape{N: 1 + r.IntN(5), H: 1 + r.IntN(16), W: 1 + r.IntN(16), C: 8 + r.IntN(123), OC: 8 + r.IntN(123), PadTop: r.IntN(4), PadLeft: r.IntN(4),
				KH: 3, KW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Multiplier: 1}
			s.OH, s.OW = s.H+s.PadTop+r.IntN(4)-2, s.W+s.PadLeft+r.IntN(4)-2
			if r.IntN(2) == 0 {
				s.C = 8 * (1 + r.IntN(8))
				s.OC = s.C
			}
			if s.OH < 1 || s.OW < 1 || newWinograd(s) == nil || s.N*s.OH*s.OW*s.C*s.OC > 1<<19 {
				continue
			}
			tried++
			x, w := random(r, s.N*s.In()), random(r, 9*s.C*s.OC)
			dy := random(r, s.N*s.Out())
			y, dx, dw := newReference(len(dy)), newReference(len(x)), newReference(len(w))
			s.visit(func(in, tap, out int) {
				for c := range s.C {
					for o := range s.OC {
						i, j, k := in*s.C+c, (tap*s.C+c)*s.OC+o, out*s.OC+o
						y.add(k, x[i], w[j])
						dx.add(i, dy[k], w[j])
						dw.add(j, x[i], dy[k])
					}
				}
			})
			got := [][]float32{random(r, len(dy)), random(r, len(x)), random(r, len(w)), random(r, len(x)), random(r, len(w))}
			c := NewConv(s)
			c.Forward(got[0], x, w)
			c.GradInput(got[1], dy, w)
			c.GradKernel(got[2], x, dy)
			c.Grad(got[3], got[4], x, dy, w)
			for i, ref := range []reference{y, dx, dw, dx, dw} {
				most := slices.Max(ref.size)
				for k, want := range ref.v {
					if e := math.Abs(float64(got[i][k])-want) / most; !(e < 3e-6) {
						t.Fatalf("%s %+v: element %d is %g, want %g (error %.1e)", []string{"y", "dx", "dw", "joint dx", "joint dw"}[i], s, k, got[i][k], want, e)
					}
				}
			}
		}
	})
}

// TestThreads: convolutions of every kind give the same bits on one thread and on several, also with groups of images and a last piece that is short.
func TestThreads(t *testing.T) {
	depthwise := same(21, 9, 7, 24, 3, 24, 2)
	for _, s := range []ConvShape{same(37, 8, 8, 24, 3, 40, 1), same(37, 15, 13, 16, 3, 16, 1), same(21, 9, 9, 20, 3, 12, 2), same(21, 6, 6, 40, 1, 24, 1), depthwise} {
		weights := s.KH * s.KW * s.C * s.OC
		if s == depthwise {
			weights = s.KH * s.KW * s.OC
		}
		r := rand.New(rand.NewPCG(7, 7))
		x, w, dy := random(r, s.N*s.In()), random(r, weights), random(r, s.N*s.Out())
		run := func(threads int) [][]float32 {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			got := [][]float32{random(r, len(dy)), random(r, len(x)), random(r, weights)}
			if s == depthwise {
				c := NewDepthwise(s)
				c.Forward(got[0], x, w)
				c.Grad(got[1], got[2], x, dy, w)
				return got
			}
			c := NewConv(s)
			c.Forward(got[0], x, w)
			c.Grad(got[1], got[2], x, dy, w)
			return got
		}
		want := run(1)
		for _, threads := range []int{2, 5} {
			for i, got := range run(threads) {
				if !slices.Equal(got, want[i]) {
					t.Errorf("%+v: %s differs on %d threads", s, []string{"y", "dx", "dw"}[i], threads)
				}
			}
		}
	}
}
