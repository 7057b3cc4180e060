package compute

import (
	"math"
	"math/rand/v2"
	"testing"
)

// wide64 compares float64 sums.
func wide64(t *testing.T, what string, got, want, size []float64) {
	t.Helper()
	for i, w := range want {
		if e := math.Abs(got[i]-w) / (size[i] + 1e-12); !(e < 1e-12) {
			t.Fatalf("%s: channel %d of %d is %g, want %g", what, i, len(want), got[i], w)
		}
	}
}

func TestScaleShiftActAndNormGrad(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x, y, dy, p := special(r, n), special(r, n), random(r, n), [][]float32{random(r, c), random(r, c), random(r, c), random(r, c)}
		for _, a := range []Act{Linear, ReLU, ReLU6} {
			want, grad := make([]float32, n), make([]float32, n)
			for i := range want {
				k := i % c
				want[i] = activate(a, float32(x[i]*p[0][k])+p[1][k])
				grad[i] = p[0][k] * (derivative(a, y[i], dy[i]) - p[1][k] - float32((x[i]-p[3][k])*p[2][k]))
			}
			out := newFenced(make([]float32, n))
			ScaleShiftAct(out.x, x, p[0], p[1], c, a)
			out.check(t, "ScaleShiftAct", want)
			NormGrad(out.x, dy, y, x, p[0], p[1], p[2], p[3], c, a)
			out.check(t, "NormGrad", grad)
		}
	})
}

func TestMoments(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x, y, dy := random(r, n), random(r, n), random(r, n)
		mean, m2, size := make([]float64, c), make([]float64, c), make([]float64, c)
		for i, v := range x {
			x[i] = v + 100 // a mean far from zero
			mean[i%c] += float64(x[i]) / float64(pixels)
		}
		sum, dot, dots := make([]float64, c), make([]float64, c), make([]float64, c)
		for i, v := range x {
			d := float64(v) - mean[i%c]
			m2[i%c] += d * d
			size[i%c] += 100 * 100
			g := float64(derivative(ReLU, y[i], dy[i]))
			sum[i%c] += g
			dot[i%c] += g * d
			dots[i%c] += 100 * math.Abs(g)
		}
		a, b := make([]float64, c), make([]float64, c)
		Moments(a, b, x, c)
		wide64(t, "mean", a, mean, mean)
		wide64(t, "squares", b, m2, size)
		clear(a)
		clear(b)
		NormGradSums(a, b, dy, y, x, mean, c, ReLU)
		wide64(t, "sum", a, sum, dots)
		wide64(t, "dot", b, dot, dots)
	})
}

func TestMinMax(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		for n := range 300 {
			x := random(r, n)
			wantLo, wantHi := float32(0), float32(0)
			for _, v := range x {
				wantLo, wantHi = min(wantLo, v), max(wantHi, v)
			}
			if lo, hi := MinMax(x); lo != wantLo || hi != wantHi {
				t.Fatalf("%d values: %g %g, want %g %g", n, lo, hi, wantLo, wantHi)
			}
			if n == 0 {
				continue
			}
			x[r.IntN(n)] = float32(math.NaN())
			if lo, hi := MinMax(x); lo == lo || hi == hi {
				t.Fatalf("%d values with a NaN: %g %g", n, lo, hi)
			}
		}
	})
}

func TestQuantize(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x, dy := special(r, n), random(r, n)
		for _, inverse := range []bool{false, true} {
			q := make([]Steps, c)
			for i := range q {
				scale := float32(0.01 + r.Float64())
				q[i] = Steps{Min: -3 * scale, Max: 4 * scale, Scale: scale, Below: 3}
				if inverse {
					q[i].Inv = 1 / scale
				}
			}
			want, grad := make([]float32, n), make([]float32, n)
			for i, v := range x {
				s := q[i%c]
				steps := clamp(v, s.Min, s.Max) - s.Min
				if inverse {
					steps = float32(steps * s.Inv)
				} else {
					steps /= s.Scale
				}
				want[i] = float32(math.Floor(float64(steps-s.Below+0.5))) * s.Scale
				if !(v < s.Min || v > s.Max) {
					grad[i] = dy[i]
				}
			}
			out := newFenced(make([]float32, n))
			Quantize(out.x, x, q)
			out.check(t, "Quantize", want)
			QuantizeGrad(out.x, dy, x, q)
			out.check(t, "QuantizeGrad", grad)
		}
	})
}

func TestAdam(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for n := range 200 {
			w, m, v, g := newFenced(random(r, n)), newFenced(random(r, n)), newFenced(random(r, n)), random(r, n)
			ww, wm, wv := make([]float32, n), make([]float32, n), make([]float32, n)
			for i := range g {
				v.x[i] = max(v.x[i], -v.x[i])
				wm[i] = m.x[i] + float32((g[i]-m.x[i])*0.1)
				wv[i] = v.x[i] + float32((float32(g[i]*g[i])-v.x[i])*0.001)
				ww[i] = w.x[i] - float32(w.x[i]*0.01) - float32(wm[i]*0.5)/(float32(math.Sqrt(float64(wv[i])))+1e-7)
			}
			Adam(w.x, m.x, v.x, g, 0.5, 0.1, 0.001, 1e-7, 0.01)
			w.check(t, "w", ww)
			m.check(t, "m", wm)
			v.check(t, "v", wv)
		}
	})
}
