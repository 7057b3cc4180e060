package graph_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// quantizer prepares a FakeQuant for x of shape [rows, channels].
func quantizer(t *testing.T, k graph.FakeQuant, rows, channels int, train bool, extra ...graph.Shape) graph.Kernel {
	t.Helper()
	in := append([]graph.Shape{{rows, channels}, {2}}, extra...)
	if k.PerAxis {
		in[1] = graph.Shape{2, channels}
	}
	out, err := k.Shape(in)
	if err != nil {
		t.Fatal(err)
	}
	kernel, err := k.Kernel(graph.Context{Op: "q", In: in, Out: out, Train: train})
	if err != nil {
		t.Fatal(err)
	}
	return kernel
}

// TestFakeQuantDelayAndFreeze: before Delay steps values pass, the range follows until Freeze steps, and inference changes nothing.
func TestFakeQuantDelayAndFreeze(t *testing.T) {
	k := graph.FakeQuant{Bits: 2, Observer: "ema", Momentum: 0.5, Delay: 2, Freeze: 3}
	train, eval := quantizer(t, k, 1, 2, true, graph.Shape{1}), quantizer(t, k, 1, 2, false, graph.Shape{1})
	r, count := []float32{0, 3}, []float32{0}
	x, y, dx := []float32{0.4, 9}, make([]float32, 2), make([]float32, 2)
	for step, want := range []struct {
		max      float32 // of the range after the step
		y, dx    []float32
		evalLast float32
	}{
		{6, []float32{0.4, 9}, []float32{1, 1}, 9},
		{7.5, []float32{0.4, 9}, []float32{1, 1}, 7.5}, // after two steps inference quantizes
		{8.25, []float32{0, 8.25}, []float32{1, 0}, 8.25},
		{8.25, []float32{0, 8.25}, []float32{1, 0}, 8.25}, // frozen
		{8.25, []float32{0, 8.25}, []float32{1, 0}, 8.25},
	} {
		in := [][]float32{x, r, count}
		train.Forward(y, in)
		train.Backward([][]float32{dx, nil, nil}, in, y, []float32{1, 1})
		if r[1] != want.max || y[0] != want.y[0] || y[1] != want.y[1] || dx[0] != want.dx[0] || dx[1] != want.dx[1] {
			t.Errorf("step %d: range %v, values %v, gradient %v, want %+v", step, r, y, dx, want)
		}
		eval.Forward(y, in)
		if r[1] != want.max || count[0] != float32(step+1) {
			t.Errorf("inference after step %d changed the range or the count: %v, %v", step, r, count)
		}
		if y[1] != want.evalLast {
			t.Errorf("inference after step %d: %v, want %g", step, y, want.evalLast)
		}
	}
}

// TestFakeQuantLast: the range is that of the values, in training (where it is written) and in inference (where it is not).
func TestFakeQuantLast(t *testing.T) {
	k := graph.FakeQuant{Bits: 8, Symmetric: true, Narrow: true, PerAxis: true, Observer: "last"}
	x := []float32{127, 0.5, -3, -254, 0, 2.4}
	want := []float32{127, 0, -3, -254, 0, 2}
	for _, train := range []bool{true, false} {
		r, y := make([]float32, 4), make([]float32, 6)
		quantizer(t, k, 3, 2, train).Forward(y, [][]float32{x, r})
		for i := range want {
			if y[i] != want[i] {
				t.Errorf("train %t: %v, want %v", train, y, want)
				break
			}
		}
		if written := r[2] == 127 && r[1] == -254; written != train {
			t.Errorf("train %t: the range Var is %v", train, r)
		}
	}
}

// TestFakeQuantDeadActivation: the moving average of a value that stays 0 decays to the smallest subnormal number, whose scale made NaN.
func TestFakeQuantDeadActivation(t *testing.T) {
	k := graph.FakeQuant{Bits: 8, Observer: "ema", Momentum: 0.9}
	kernel := quantizer(t, k, 1, 2, true)
	x, r, y := make([]float32, 2), []float32{-1, 1}, make([]float32, 2)
	for range 3000 {
		kernel.Forward(y, [][]float32{x, r})
	}
	if y[0] != 0 || y[1] != 0 {
		t.Errorf("zeros become %v with the range %v", y, r)
	}
	if _, err := k.Quantizers(nil, r); err != nil {
		t.Error(err)
	}
}

func TestFakeQuantRefuses(t *testing.T) {
	x, r := graph.Shape{graph.Batch, 3}, graph.Shape{2}
	for _, c := range []struct {
		kind graph.FakeQuant
		in   []graph.Shape
		want string
	}{
		{graph.FakeQuant{Bits: 1}, []graph.Shape{x, r}, "1 bits: want 2 to 16"},
		{graph.FakeQuant{Bits: 17}, []graph.Shape{x, r}, "17 bits"},
		{graph.FakeQuant{Bits: 8}, []graph.Shape{x, {2, 3}}, "range [2,3] does not fit"},
		{graph.FakeQuant{Bits: 8, PerAxis: true}, []graph.Shape{x, r}, "want [2,3]"},
		{graph.FakeQuant{Bits: 8, Observer: "max"}, []graph.Shape{x, r}, `observer "max"`},
		{graph.FakeQuant{Bits: 8, Observer: "ema", Momentum: 1}, []graph.Shape{x, r}, "momentum 1"},
		{graph.FakeQuant{Bits: 8, Observer: "last", Learned: true}, []graph.Shape{x, r}, "not observed"},
		{graph.FakeQuant{Bits: 8, Delay: 1}, []graph.Shape{x, r}, "need the count input"},
		{graph.FakeQuant{Bits: 8, Freeze: -1}, []graph.Shape{x, r, {1}}, "freeze -1"},
		{graph.FakeQuant{Bits: 8, Freeze: 1}, []graph.Shape{x, r, {2}}, "count [2]"},
	} {
		if _, err := c.kind.Shape(c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v on %v: the error is %v, want %q", c.kind, c.in, err, c.want)
		}
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, r := range [][]float32{{0, inf}, {-inf, 0}, {nan, 1}, {-1, nan}, {-math.MaxFloat32, math.MaxFloat32}} {
		for _, k := range []graph.FakeQuant{{Bits: 8}, {Bits: 8, Symmetric: true}} {
			if _, err := k.Quantizers(nil, r); err == nil {
				t.Errorf("the range %v is accepted, symmetric %t", r, k.Symmetric)
			}
		}
	}
}

// learnedGradient is LSQ's gradient by the formula of the paper (Esser et al., 2020, equations 3 and 4), for a range with the ends min and max and
// the step s = (max-min)/levels: inside the range dy/ds is round(u)-u with u = x/s, and a saturated value is an end itself.
func learnedGradient(q quant.Nudged, levels float64, x, dy []float32, symmetric bool) (dmin, dmax float64) {
	for i, v := range x {
		d := float64(dy[i])
		switch {
		case v < q.Min:
			dmin += d
		case v > q.Max:
			dmax += d
		default:
			u := float64(v) / float64(q.Scale)
			ds := (math.Floor(u+0.5) - u) * d
			dmin -= ds / levels
			dmax += ds / levels
		}
	}
	if symmetric { // min = -m, max = m: the same step for both
		m := (dmax - dmin) / 2
		dmin, dmax = -m, m
	}
	scale := 1 / math.Sqrt(float64(len(x))*levels)
	return dmin * scale, dmax * scale
}

func TestLearnedRangeGradient(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 11))
	const rows, channels = 40, 3
	for _, k := range []graph.FakeQuant{
		{Bits: 8, Learned: true},
		{Bits: 3, Learned: true},
		{Bits: 4, Learned: true, Symmetric: true, Narrow: true},
		{Bits: 4, Learned: true, Symmetric: true, Narrow: true, PerAxis: true},
		{Bits: 2, Learned: true, PerAxis: true},
	} {
		x, dy := make([]float32, rows*channels), make([]float32, rows*channels)
		for i := range x {
			x[i], dy[i] = float32(rnd.NormFloat64()), float32(rnd.NormFloat64())
		}
		n := 1
		r := []float32{-0.8, 1.1}
		if k.PerAxis {
			n = channels
			r = []float32{-0.8, -1.5, -0.3, 1.1, 0.9, 0.4}
		}
		kernel := quantizer(t, k, rows, channels, true)
		in := [][]float32{x, r}
		y, dr := make([]float32, len(x)), make([]float32, len(r))
		kernel.Forward(y, in)
		kernel.Backward([][]float32{nil, dr}, in, y, dy)
		qs, err := k.Quantizers(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := quant.Levels{Bits: k.Bits, Narrow: k.Narrow}.Bounds()
		for c := range n {
			dmin, dmax := learnedGradient(qs[c], float64(hi-lo), column(x, c, n), column(dy, c, n), k.Symmetric)
			if math.Abs(dmin-float64(dr[c])) > 1e-5 || math.Abs(dmax-float64(dr[n+c])) > 1e-5 {
				t.Errorf("%+v, channel %d: gradient %g, %g, the formula says %g, %g", k, c, dr[c], dr[n+c], dmin, dmax)
			}
		}
	}
}

// TestLearnedRangeBySaturation compares with finite differences where those hold: values beyond the ends are the ends.
func TestLearnedRangeBySaturation(t *testing.T) {
	k := graph.FakeQuant{Bits: 4, Learned: true, Symmetric: true, Narrow: true}
	x, dy := []float32{5, -7, 6, 9}, []float32{1, 0.5, -0.25, 2}
	kernel := quantizer(t, k, 1, 4, true)
	loss := func(m float32) (sum float64) {
		y := make([]float32, 4)
		kernel.Forward(y, [][]float32{x, {-m, m}})
		for i := range y {
			sum += float64(y[i] * dy[i])
		}
		return sum
	}
	const m, h = 2, 1e-2
	want := (loss(m+h) - loss(m-h)) / (2 * h)
	r, y, dr := []float32{-m, m}, make([]float32, 4), make([]float32, 2)
	kernel.Forward(y, [][]float32{x, r})
	kernel.Backward([][]float32{nil, dr}, [][]float32{x, r}, y, dy)
	got := float64(dr[1]-dr[0]) * math.Sqrt(4*14) // both ends move by one step, and LSQ's factor is taken out
	if math.Abs(got-want) > 1e-3 {
		t.Errorf("the gradient is %g, differences say %g", got, want)
	}
}
