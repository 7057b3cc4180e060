package compute

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"
)

// eachKernel runs a test with every kernel family of this processor.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	active()
	best := choice.t
	defer func() { choice.t = best }()
	for _, k := range available() {
		choice.t = k
		t.Run(k.name, f)
	}
}

func random(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// check compares with a float64 reference, in units of the sum of magnitudes behind each value.
func check(t *testing.T, what string, got []float32, want, size []float64) {
	t.Helper()
	for i := range want {
		if e := math.Abs(float64(got[i])-want[i]) / (size[i] + 1e-6); !(e < 3e-6) {
			t.Fatalf("%s: element %d is %g, want %g (relative error %.1e)", what, i, got[i], want[i], e)
		}
	}
}

func TestMatMul(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for range 60 {
			m, k, n := 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(70)
			if r.IntN(8) == 0 {
				k += 1000
			}
			a, b := random(r, m*k), random(r, k*n)
			at, bt := make([]float32, m*k), make([]float32, k*n)
			want, size := make([]float64, m*n), make([]float64, m*n)
			for i := range m {
				for p := range k {
					at[p*m+i] = a[i*k+p]
					for j := range n {
						bt[j*k+p] = b[p*n+j]
						v := float64(a[i*k+p]) * float64(b[p*n+j])
						want[i*n+j] += v
						size[i*n+j] += math.Abs(v)
					}
				}
			}
			name := fmt.Sprintf("%dx%dx%d", m, k, n)
			c := make([]float32, m*n)
			MatMul(c, a, b, m, k, n)
			check(t, name, c, want, size)
			MatMulTA(c, at, b, m, k, n)
			check(t, name+" TA", c, want, size)
			MatMulTB(c, a, bt, m, k, n)
			check(t, name+" TB", c, want, size)
		}
	})
}

// randomShape draws a convolution: SAME or VALID, any stride and dilation.
func randomShape(r *rand.Rand) ConvShape {
	for {
		s := ConvShape{
			N: 1 + r.IntN(3), H: 1 + r.IntN(12), W: 1 + r.IntN(12), C: 1 + r.IntN(40), KH: 1 + r.IntN(5), KW: 1 + r.IntN(5),
			OC: 1 + r.IntN(70), StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2), Multiplier: 1 + r.IntN(3),
		}
		if r.IntN(8) == 0 {
			s.N, s.C, s.OC = 1, 1+r.IntN(130), 1+r.IntN(130)
		}
		eh, ew := (s.KH-1)*s.DilationH+1, (s.KW-1)*s.DilationW+1
		if r.IntN(2) == 0 {
			s.OH, s.OW = (s.H+s.StrideH-1)/s.StrideH, (s.W+s.StrideW-1)/s.StrideW
			s.PadTop = max((s.OH-1)*s.StrideH+eh-s.H, 0) / 2
			s.PadLeft = max((s.OW-1)*s.StrideW+ew-s.W, 0) / 2
		} else {
			s.OH, s.OW = (s.H-eh)/s.StrideH+1, (s.W-ew)/s.StrideW+1
		}
		if s.H >= eh && s.W >= ew || s.PadTop > 0 && s.PadLeft > 0 {
			return s
		}
	}
}

// reference holds sums and sums of magnitudes in float64.
type reference struct{ v, size []float64 }

func newReference(n int) reference { return reference{make([]float64, n), make([]float64, n)} }

func (r reference) add(i int, a, b float32) {
	p := float64(a) * float64(b)
	r.v[i] += p
	r.size[i] += math.Abs(p)
}

// visit calls f with the offsets (input pixel, kernel position, output pixel) of every product.
func (s ConvShape) visit(f func(in, tap, out int)) {
	for n := range s.N {
		for oy := range s.OH {
			for ox := range s.OW {
				for ky := range s.KH {
					for kx := range s.KW {
						y, x := oy*s.StrideH+ky*s.DilationH-s.PadTop, ox*s.StrideW+kx*s.DilationW-s.PadLeft
						if y >= 0 && y < s.H && x >= 0 && x < s.W {
							f((n*s.H+y)*s.W+x, ky*s.KW+kx, (n*s.OH+oy)*s.OW+ox)
						}
					}
				}
			}
		}
	}
}

func TestConv2D(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		for range 80 {
			s := randomShape(r)
			x, w := random(r, s.N*s.H*s.W*s.C), random(r, s.KH*s.KW*s.C*s.OC)
			dy := random(r, s.N*s.OH*s.OW*s.OC)
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
			got := [][]float32{random(r, len(dy)), random(r, len(x)), random(r, len(w))}
			Conv2D(got[0], x, w, s)
			Conv2DGradInput(got[1], dy, w, s)
			Conv2DGradKernel(got[2], x, dy, s)
			for i, ref := range []reference{y, dx, dw} {
				check(t, fmt.Sprintf("%s %+v", []string{"y", "dx", "dw"}[i], s), got[i], ref.v, ref.size)
			}
		}
	})
}

func TestDepthwise(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for range 80 {
			s := randomShape(r)
			s.OC = s.C * s.Multiplier
			x, w := random(r, s.N*s.H*s.W*s.C), random(r, s.KH*s.KW*s.OC)
			dy := random(r, s.N*s.OH*s.OW*s.OC)
			y, dx, dw := newReference(len(dy)), newReference(len(x)), newReference(len(w))
			s.visit(func(in, tap, out int) {
				for o := range s.OC {
					i, j, k := in*s.C+o/s.Multiplier, tap*s.OC+o, out*s.OC+o
					y.add(k, x[i], w[j])
					dx.add(i, dy[k], w[j])
					dw.add(j, x[i], dy[k])
				}
			})
			got := [][]float32{random(r, len(dy)), random(r, len(x)), random(r, len(w))}
			Depthwise(got[0], x, w, s)
			DepthwiseGradInput(got[1], dy, w, s)
			DepthwiseGradKernel(got[2], x, dy, s)
			for i, ref := range []reference{y, dx, dw} {
				check(t, fmt.Sprintf("%s %+v", []string{"y", "dx", "dw"}[i], s), got[i], ref.v, ref.size)
			}
		}
	})
}

// TestWorkersPark: workers woken for a step park soon after its end, and a step after that finds them again.
func TestWorkersPark(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for range 3 {
		Begin()
		var sum atomic.Int32
		Each(10, func(i int) { sum.Add(int32(i)) })
		End()
		if sum.Load() != 45 {
			t.Fatalf("the pieces add up to %d, want 45", sum.Load())
		}
		for _, w := range workers(2) {
			for deadline := time.Now().Add(time.Minute); !w.parked.Load(); runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatal("a worker does not park")
				}
			}
		}
	}
}
