package layers

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// draw fills a Var of that name.
func draw(init graph.Init, seed uint64, name string, s graph.Shape) []float32 {
	x := make([]float32, s.Volume())
	init(x, s, graph.Stream(seed, name))
	return x
}

// moments are mean, deviation and largest magnitude.
func moments(x []float32) (mean, deviation, largest float64) {
	for _, v := range x {
		mean += float64(v) / float64(len(x))
		largest = max(largest, math.Abs(float64(v)))
	}
	for _, v := range x {
		deviation += (float64(v) - mean) * (float64(v) - mean) / float64(len(x))
	}
	return mean, math.Sqrt(deviation), largest
}

// TestFans has the fans of Keras (keras/src/initializers/random_initializers.py, compute_fans).
func TestFans(t *testing.T) {
	for _, c := range []struct {
		shape   graph.Shape
		in, out float64
	}{
		{graph.Shape{7}, 7, 7},
		{graph.Shape{20, 30}, 20, 30},
		{graph.Shape{5, 8, 16}, 40, 80},
		{graph.Shape{3, 3, 16, 32}, 144, 288},
		{graph.Shape{3, 5, 16, 2}, 240, 30},
	} {
		if in, out := fans(c.shape); in != c.in || out != c.out {
			t.Errorf("%v: fans %g and %g, want %g and %g", c.shape, in, out, c.in, c.out)
		}
	}
}

// TestDistributions compares mean, deviation and bounds of 4608 draws with the formulas: fans 144 and 288.
func TestDistributions(t *testing.T) {
	shape := graph.Shape{3, 3, 16, 32}
	const cut = 2 / 0.87962566103423978 // truncated at two deviations of what was before truncation
	for _, c := range []struct {
		name             string
		init             graph.Init
		deviation, bound float64
	}{
		{"glorot uniform", GlorotUniform, math.Sqrt(6.0/432) / math.Sqrt(3), math.Sqrt(6.0 / 432)},
		{"glorot normal", GlorotNormal, math.Sqrt(2.0 / 432), cut * math.Sqrt(2.0/432)},
		{"he uniform", HeUniform, math.Sqrt(6.0/144) / math.Sqrt(3), math.Sqrt(6.0 / 144)},
		{"he normal", HeNormal, math.Sqrt(2.0 / 144), cut * math.Sqrt(2.0/144)},
		{"random normal", RandomNormal(0.3), 0.3, 0.3 * 6},
	} {
		mean, deviation, largest := moments(draw(c.init, 1, "kernel", shape))
		if math.Abs(mean) > 0.05*c.deviation || largest < c.bound/3 {
			t.Errorf("%s: mean %g, largest %g", c.name, mean, largest)
		}
		if math.Abs(deviation-c.deviation) > 0.03*c.deviation || largest > c.bound*(1+1e-6) {
			t.Errorf("%s: deviation %g and largest %g, want %g and at most %g", c.name, deviation, largest, c.deviation, c.bound)
		}
	}
}

func TestConstants(t *testing.T) {
	for _, c := range []struct {
		init graph.Init
		want float32
	}{{Constant(0.5), 0.5}, {Ones, 1}, {Zeros, 0}} {
		if got := draw(c.init, 1, "x", graph.Shape{2, 2}); !slices.Equal(got, []float32{c.want, c.want, c.want, c.want}) {
			t.Errorf("%v, want all %g", got, c.want)
		}
	}
}

// TestOrthogonal: the columns, or where there are fewer the rows, have length 1 and right angles.
func TestOrthogonal(t *testing.T) {
	for _, s := range []graph.Shape{{8, 3}, {3, 8}, {5, 5}, {3, 3, 2, 4}, {1, 1, 2, 6}, {4, 1}} {
		x := draw(Orthogonal, 2, "kernel", s)
		cols := s.Channels()
		rows := len(x) / cols
		at := func(i, j int) float64 { // element j of vector i
			if rows >= cols {
				return float64(x[j*cols+i])
			}
			return float64(x[i*cols+j])
		}
		for a := range min(rows, cols) {
			for b := range a + 1 {
				dot, want := 0.0, 0.0
				for j := range max(rows, cols) {
					dot += at(a, j) * at(b, j)
				}
				if a == b {
					want = 1
				}
				if math.Abs(dot-want) > 1e-6 {
					t.Errorf("%v: vectors %d and %d have the product %g, want %g", s, a, b, dot, want)
				}
			}
		}
	}
}

// TestStreams: what a kernel draws depends on its name and the seed, not on what stands around it.
func TestStreams(t *testing.T) {
	first := Dense{Units: 4, Name: "first"}
	last := Dense{Units: 4, Name: "last"}
	kernel := func(name string, seed uint64, l ...Layer) []float32 {
		g, err := Model{Name: "m", Seed: seed, Input: Shape{4}, Layer: Sequential(l)}.Trace()
		if err != nil {
			t.Fatal(err)
		}
		return g.Var(name + "/kernel").Data
	}
	want := kernel("last", 1, first, last)
	if !slices.Equal(want, kernel("last", 1, last)) || !slices.Equal(want, kernel("last", 1, first, BatchNorm{}, Dense{Units: 4, Init: Ones}, last)) {
		t.Error("the layers before change what a layer draws")
	}
	if slices.Equal(want, kernel("last", 2, first, last)) {
		t.Error("two seeds draw the same")
	}
	if slices.Equal(want, kernel("first", 1, first, last)) {
		t.Error("two names draw the same")
	}
}

// TestDepthwiseFans: a depthwise kernel [3,3,2*4] has the fans of Keras' [3,3,2,4], 18 and 36; it once counted as 72 and 9.
func TestDepthwiseFans(t *testing.T) {
	var in, out float64
	spy := func(_ []float32, s graph.Shape, _ *rand.Rand) { in, out = fans(s) }
	if _, err := (Model{Name: "m", Input: Shape{5, 5, 2}, Layer: DepthwiseConv2D{Kernel: 3, Multiplier: 4, Init: spy}}).Trace(); err != nil {
		t.Fatal(err)
	}
	if in != 18 || out != 36 {
		t.Errorf("fans %g and %g, want 18 and 36", in, out)
	}
}
