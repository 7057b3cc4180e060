package export

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// quantizer puts a FakeQuant with a range behind a value.
type quantizer = func(v *graph.Value, k graph.FakeQuant, ends ...float32) *graph.Value

// byHand builds a quantized network without package fakequant: f gets the quantized input and a function that quantizes what a file rounds.
func byHand(t *testing.T, f func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value) *graph.Graph {
	t.Helper()
	b := graph.NewBuilder("by_hand", 1)
	q := func(v *graph.Value, k graph.FakeQuant, ends ...float32) *graph.Value {
		shape := graph.Shape{2}
		if k.PerAxis {
			shape = graph.Shape{2, len(ends) / 2}
		}
		rng := b.Var(v.Name+"/range", graph.State, shape, func(x []float32, _ graph.Shape, _ *rand.Rand) { copy(x, ends) })
		return b.Op(v.Name+"/q", k, v, rng)
	}
	x := q(b.Input("x", 2), graph.FakeQuant{Bits: 8}, -1, 1)
	g, err := b.Graph(f(b, x, q))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func constant2(b *graph.Builder, name string, role graph.Role, shape graph.Shape, x ...float32) *graph.Value {
	return b.Var(name, role, shape, func(to []float32, _ graph.Shape, _ *rand.Rand) { copy(to, x) })
}

// TestFoldOfOneScale: a kernel with one scale in front of a BatchNorm gets one scale a channel, for the channels are multiplied by factors of their own;
// a negative factor turns the codes, 0 clears them.
func TestFoldOfOneScale(t *testing.T) {
	g := byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
		w := q(constant2(b, "w", graph.Weight, graph.Shape{2, 3}, 1, 1, 1, -0.5, -0.5, -0.5), graph.FakeQuant{Bits: 8, Symmetric: true, Narrow: true}, -1, 1)
		c := graph.Shape{3}
		norm := b.Op("norm", graph.BatchNorm{Epsilon: 1e-9}, b.Op("dense", graph.Dense{}, x, w), constant2(b, "gamma", graph.Scale, c, 2, -4, 0),
			constant2(b, "beta", graph.Bias, c, 0, 0, 1), constant2(b, "mean", graph.State, c), constant2(b, "variance", graph.State, c, 1, 1, 1))
		return q(norm, graph.FakeQuant{Bits: 8}, -4, 4)
	})
	m, err := TFLite(g, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range m.Subgraphs[0].Tensors {
		if x.Name != "w" {
			continue
		}
		// [out,in]
		for i, want := range []int8{127, -64, -127, 64, 0, 0} {
			if got := int8(x.Data[i]); got != want && got != want+1 && got != want-1 || want == 0 && got != 0 {
				t.Errorf("codes %v", x.Data)
			}
		}
		if s := x.Quant.Scale; len(s) != 3 || s[1] < 1.99*s[0] || s[1] > 2.01*s[0] {
			t.Errorf("scales %v", s)
		}
	}
}

// TestUnfit: quantizers that no int8 file can hold are refused by name.
func TestUnfit(t *testing.T) {
	dense := func(weights, out graph.FakeQuant, ends ...float32) *graph.Graph {
		return byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
			w := q(constant2(b, "w", graph.Weight, graph.Shape{2, 1}, 1, 1), weights, -1, 1)
			return q(b.Op("dense", graph.Dense{}, x, w), out, ends...)
		})
	}
	symmetric, plain := graph.FakeQuant{Bits: 8, Symmetric: true, Narrow: true}, graph.FakeQuant{Bits: 8}
	over6 := byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
		return q(b.Op("relu6", graph.ReLU6{}, x), plain, 0, 8)
	})
	float := byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
		return b.Op("tanh", graph.Tanh{}, x)
	})
	pool := byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
		image := b.Op("image", graph.Reshape{To: []int{1, 2, 1}}, x)
		return q(b.Op("pool", graph.AvgPool2D{Size: [2]int{1, 2}, Padding: graph.Valid}, image), plain, -2, 2)
	})
	for _, c := range []struct {
		g    *graph.Graph
		want string
	}{
		{dense(plain, plain, -1, 1), "w/q: an int8 file holds symmetric weights"},
		{dense(graph.FakeQuant{Bits: 9, Symmetric: true, Narrow: true}, plain, -1, 1), "at most 8 bits"},
		{dense(symmetric, graph.FakeQuant{Bits: 4}, -1, 1), "dense/q: an int8 file holds activations of 8 bits"},
		{dense(symmetric, graph.FakeQuant{Bits: 8, Narrow: true}, -1, 1), "all 256 codes"},
		{over6, "the range of relu6 goes beyond 6"},
		{float, "the value tanh is not quantized"},
		{pool, "output pool must have the quantization of input image"},
	} {
		if _, err := TFLite(c.g, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
	}
}

// TestNoLowering: a Kind that has no operator in TFLite is named, with those that have.
func TestNoLowering(t *testing.T) {
	g := byHand(t, func(b *graph.Builder, x *graph.Value, q quantizer) *graph.Value {
		return q(b.Op("act", graph.Tanh{}, x), graph.FakeQuant{Bits: 8}, -1, 127.0/128)
	})
	f := lowerings["Tanh"]
	delete(lowerings, "Tanh")
	defer func() { lowerings["Tanh"] = f }()
	if _, err := TFLite(g, Options{}); err == nil || !strings.Contains(err.Error(), "act: Tanh has no int8 TFLite operator; exportable are Add, AvgPool2D") {
		t.Errorf("the error is %v", err)
	}
}
