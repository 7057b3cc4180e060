package compute

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// channelCounts has every case of repetition and of a last, partial vector.
var channelCounts = []int{1, 2, 3, 4, 5, 7, 8, 10, 12, 16, 17, 24, 31, 32, 33, 40, 48, 63, 64, 65, 96, 100, 127, 128, 130, 600}

// eachSize runs f with every kernel family, for all channel counts and some numbers of pixels.
func eachSize(t *testing.T, f func(t *testing.T, r *rand.Rand, pixels, c int)) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, c := range channelCounts {
			for _, pixels := range []int{1, 2, 3 + r.IntN(30), 100 + r.IntN(300)} {
				f(t, r, pixels, c)
			}
		}
	})
}

// fenced is memory with a fence behind it that nobody may write.
type fenced struct{ all, x []float32 }

const fence = 12345

func newFenced(x []float32) fenced {
	all := append(append([]float32{}, x...), fence, fence, fence, fence)
	return fenced{all, all[:len(x)]}
}

func (f fenced) check(t *testing.T, what string, want []float32) {
	t.Helper()
	for i, v := range want {
		if math.Float32bits(f.x[i]) != math.Float32bits(v) && (v == v || f.x[i] == f.x[i]) {
			t.Fatalf("%s: element %d of %d is %g, want %g", what, i, len(want), f.x[i], v)
		}
	}
	for _, v := range f.all[len(f.x):] {
		if v != fence {
			t.Fatalf("%s: wrote behind the end", what)
		}
	}
}

// special makes random values with zeros, bounds, infinities and NaN among them.
func special(r *rand.Rand, n int) []float32 {
	x := random(r, n)
	odd := []float32{0, minusZero, 6, -6, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 7, 1e-40}
	for i := range x {
		x[i] *= 5
		if r.IntN(8) == 0 {
			x[i] = odd[r.IntN(len(odd))]
		}
	}
	return x
}

// activate is an activation by its definition.
func activate(a Act, v float32) float32 {
	switch {
	case a != Linear && v < 0:
		return 0
	case a == ReLU6 && v > 6:
		return 6
	}
	return v
}

// derivative is the gradient by the output: NaN lets it pass.
func derivative(a Act, y, dy float32) float32 {
	if a != Linear && y <= 0 || a == ReLU6 && y >= 6 {
		return 0
	}
	return dy
}

func TestBiasAct(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		for a := range ReLU6 + 1 {
			x, bias := special(r, pixels*c), random(r, c)
			y, bare, want, plain := newFenced(x), newFenced(x), make([]float32, len(x)), make([]float32, len(x))
			for i, v := range x {
				want[i], plain[i] = activate(a, v+bias[i%c]), activate(a, v)
			}
			BiasAct(y.x, y.x, bias, c, a)
			y.check(t, fmt.Sprintf("activation %d of %d pixels of %d", a, pixels, c), want)
			BiasAct(bare.x, x, nil, c, a)
			bare.check(t, fmt.Sprintf("activation %d without bias of %d pixels of %d", a, pixels, c), plain)
			var seen Range
			BiasActRange(&seen, y.x, x, bias, c, a)
			y.check(t, "with its range", want)
			sameRange(t, "range", seen, rangeOf(want))
		}
	})
}

// rangeOf is a range by its definition.
func rangeOf(x []float32) Range {
	var r Range
	for _, v := range x {
		if v != v {
			return Range{v, v}
		}
		r.Min, r.Max = min(r.Min, v), max(r.Max, v)
	}
	return r
}

func sameRange(t *testing.T, what string, got, want Range) {
	t.Helper()
	if got != want && !(want.Min != want.Min && got.Min != got.Min && got.Max != got.Max) {
		t.Fatalf("%s: range %v, want %v", what, got, want)
	}
}

// TestGate: a gate that also asks for a range passes what both pass.
func TestGate(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	values := []float32{-inf, -7, -3, math.Nextafter32(-3, -inf), minusZero, 0, 1e-45, 3, 5, math.Nextafter32(5, inf), 6, 7, inf, nan}
	passes := func(g Gate, v float32) bool { return !(v <= g.Above || v >= g.Below) }
	for a := range ReLU6 + 1 {
		for _, r := range []Range{{-3, 5}, {0, 7}, {-3, 0}} {
			for _, v := range values {
				want := derivative(a, v, 1) == 1 && !(v < r.Min || v > r.Max)
				if got := passes(a.Gate().Within(r.Min, r.Max), v); got != want {
					t.Errorf("activation %d within %v passes %g: %v, want %v", a, r, v, got, want)
				}
			}
		}
	}
}

func TestActGrad(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		for a := range ReLU6 + 1 {
			dy, y := random(r, pixels*c), special(r, pixels*c)
			want, sum, size := make([]float32, len(y)), make([]float64, c), make([]float64, c)
			db := random(r, c)
			for i, v := range db {
				sum[i], size[i] = float64(v), math.Abs(float64(v))
			}
			for i := range y {
				want[i] = derivative(a, y[i], dy[i])
				sum[i%c] += float64(want[i])
				size[i%c] += math.Abs(float64(want[i]))
			}
			what := fmt.Sprintf("activation %d of %d pixels of %d", a, pixels, c)
			dz, sums := newFenced(dy), newFenced(db)
			ActGrad(dz.x, dz.x, y, sums.x, c, a.Gate())
			dz.check(t, what, want)
			check(t, what, sums.x, sum, size)
			sums.check(t, what, sums.x)
			ActGrad(dz.x, dy, y, nil, c, a.Gate())
			dz.check(t, what+" without sums", want)
		}
	})
}

func TestSumRows(t *testing.T) {
	eachSize(t, func(t *testing.T, r *rand.Rand, pixels, c int) {
		x, sum, size := random(r, pixels*c), make([]float64, c), make([]float64, c)
		for i, v := range x {
			sum[i%c] += float64(v)
			size[i%c] += math.Abs(float64(v))
		}
		got := newFenced(random(r, c))
		SumChannels(got.x, x, c)
		check(t, fmt.Sprintf("%d pixels of %d", pixels, c), got.x, sum, size)
		got.check(t, "sums", got.x)
	})
}

func TestBinaryPasses(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, n := range []int{0, 1, 15, 16, 63, 64, 65, 1000, 3*stretch + 77} {
			a, b := special(r, n), special(r, n)
			for name, p := range map[string]struct {
				pass func(y, a, b []float32)
				of   func(a, b float32) float32
			}{
				"add": {Add, func(a, b float32) float32 { return a + b }},
				"sub": {Sub, func(a, b float32) float32 { return a - b }},
				"mul": {Mul, func(a, b float32) float32 { return a * b }},
				"sum": {func(y, a, b []float32) { copy(y, a); Sum(y, y, b) }, func(a, b float32) float32 { return a + b }},
			} {
				y, want := newFenced(make([]float32, n)), make([]float32, n)
				for i := range want {
					want[i] = p.of(a[i], b[i])
				}
				p.pass(y.x, a, b)
				y.check(t, fmt.Sprintf("%s of %d", name, n), want)
			}
			for act := range ReLU6 + 1 {
				y, want := newFenced(make([]float32, n)), make([]float32, n)
				for i := range want {
					want[i] = activate(act, a[i]+b[i])
				}
				AddAct(y.x, a, b, act)
				y.check(t, fmt.Sprintf("AddAct of %d", n), want)
				var seen Range
				AddActRange(&seen, y.x, a, b, act)
				y.check(t, fmt.Sprintf("AddActRange of %d", n), want)
				sameRange(t, "AddActRange", seen, rangeOf(want))
			}
		}
	})
}
