package compute

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestScaleShiftActAndNormGrad(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x, dy, p := special(r, n), random(r, n), [][]float32{random(r, c), random(r, c), random(r, c), random(r, c)}
		grad := make([]float32, n)
		for i := range grad {
			k := i % c
			grad[i] = p[0][k] * (dy[i] - p[1][k] - float32((x[i]-p[3][k])*p[2][k]))
		}
		out := newFenced(make([]float32, n))
		NormGrad(out.x, dy, x, p[0], p[1], p[2], p[3], c)
		out.check(t, "NormGrad", grad)
		for _, a := range []Act{Linear, ReLU, ReLU6} {
			want := make([]float32, n)
			for i := range want {
				want[i] = activate(a, float32(x[i]*p[0][i%c])+p[1][i%c])
			}
			ScaleShiftAct(out.x, x, p[0], p[1], c, a)
			out.check(t, "ScaleShiftAct", want)
			for _, q := range []Steps{{Min: -1, Max: 2, Scale: 0.1, Below: 10}, {Min: -0.3, Max: 0.5, Scale: 0.1, Below: 3, Inv: 10}, {Max: 9, Scale: 0.01}} {
				both := newFenced(make([]float32, n))
				Quantize(both.x, want, []Steps{q})
				ScaleShiftActQuantize(out.x, x, p[0], p[1], c, a, q)
				out.check(t, "ScaleShiftActQuantize", both.x)
				ScaleShiftActQuantize(out.x, want, nil, nil, c, Linear, q)
				out.check(t, "ScaleShiftActQuantize of values as they are", both.x)
			}
		}
	})
}

// TestMoments compares with float64 sums. The mean is far from zero, which must cost no digits; a first pixel some standard
// deviations from the mean costs one.
func TestMoments(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x := random(r, n)
		for i := range x {
			x[i] += 100
		}
		for _, extremes := range []bool{false, true} {
			all, part := NewMoments(c, extremes), NewMoments(c, extremes)
			all.Clear()
			for _, cut := range [][2]int{{0, pixels / 3}, {pixels / 3, pixels}} {
				part.Clear()
				part.Add(x[cut[0]*c:cut[1]*c], c)
				all.Merge(&part)
			}
			for k := range c {
				mean, m2, lo, hi := 0.0, 0.0, x[k], x[k]
				for i := k; i < n; i += c {
					mean += float64(x[i]) / float64(pixels)
					lo, hi = min(lo, x[i]), max(hi, x[i])
				}
				for i := k; i < n; i += c {
					d := float64(x[i]) - mean
					m2 += d * d
				}
				if math.Abs(all.Mean[k]-mean) > 1e-6 || math.Abs(all.M2[k]-m2) > 1e-5*m2 || all.N != pixels {
					t.Fatalf("%d pixels of %d: mean %g, squares %g, want %g, %g", all.N, c, all.Mean[k], all.M2[k], mean, m2)
				}
				if extremes && (all.Min[k] != lo || all.Max[k] != hi) {
					t.Fatalf("%d pixels of %d: from %g to %g, want %g to %g", pixels, c, all.Min[k], all.Max[k], lo, hi)
				}
			}
		}
	})
}

func TestNormGate(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		n := pixels * c
		x, dy, p := random(r, n), random(r, n), [][]float32{random(r, c), random(r, c), random(r, c)}
		want, sum, dot, size := make([]float32, n), make([]float64, c), make([]float64, c), make([]float64, c)
		for i, v := range x {
			k := i % c
			want[i] = derivative(ReLU6, float32(v*p[0][k])+p[1][k], dy[i])
			sum[k] += float64(want[i])
			dot[k] += float64(want[i]) * (float64(v) - float64(p[2][k]))
			size[k] += math.Abs(float64(want[i])) * (1 + math.Abs(float64(v)-float64(p[2][k])))
		}
		out, gotSum, gotDot := newFenced(make([]float32, n)), make([]float64, c), make([]float64, c)
		NormGate(out.x, gotSum, gotDot, dy, x, p[0], p[1], p[2], c, ReLU6.Gate())
		out.check(t, "NormGate", want)
		for k := range c {
			if math.Abs(gotSum[k]-sum[k]) > 1e-6*size[k] || math.Abs(gotDot[k]-dot[k]) > 1e-6*size[k] {
				t.Fatalf("%d pixels of %d: sums %g, %g, want %g, %g", pixels, c, gotSum[k], gotDot[k], sum[k], dot[k])
			}
		}
	})
}

func TestMinMax(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		for _, x := range [][]float32{random(r, pixels*c), special(r, pixels*c)} {
			sameRange(t, "MinMax", MinMax(x), rangeOf(x))
			lo, hi := newFenced(make([]float32, c)), newFenced(make([]float32, c))
			ChannelRanges(lo.x, hi.x, x, c)
			for k := range c {
				var channel []float32
				for i := k; i < len(x); i += c {
					channel = append(channel, x[i])
				}
				sameRange(t, "ChannelRanges", Range{lo.x[k], hi.x[k]}, rangeOf(channel))
			}
			lo.check(t, "minima", lo.x)
			hi.check(t, "maxima", hi.x)
		}
	})
	if MinMax(nil) != (Range{}) {
		t.Error("no values have a range")
	}
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
