package fakequant

import (
	"math"
	"testing"

	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// near tells whether two outputs agree but for the rounding of float32.
func near(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > tolerance*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

func countKind(g *graph.Graph, kind string) (n int) {
	for _, o := range g.Ops {
		if graph.KindName(o.Kind) == kind {
			n++
		}
	}
	return n
}

// TestFoldIsExact: the folded network computes what the network computed in inference, for every kernel layout, with a bias and without.
func TestFoldIsExact(t *testing.T) {
	image := layers.Shape{6, 6, 3}
	for _, c := range []struct {
		name  string
		input layers.Shape
		layer layers.Layer
	}{
		{"convolution", image, layers.Conv2D{Filters: 4, Kernel: 3, NoBias: true}},
		{"convolution with bias", image, layers.Conv2D{Filters: 4, Kernel: 3, Stride: 2}},
		{"depthwise", image, layers.DepthwiseConv2D{Kernel: 3, NoBias: true}},
		{"depthwise, two outputs a channel", image, layers.DepthwiseConv2D{Kernel: 3, Multiplier: 2}},
		{"transposed", image, layers.TransposeConv2D{Filters: 4, Kernel: 3, Stride: 2, NoBias: true}},
		{"dense", layers.Shape{5}, layers.Dense{Units: 4}},
		{"dense without bias", layers.Shape{5}, layers.Dense{Units: 4, NoBias: true}},
	} {
		g := trace(t, c.input, c.layer, layers.BatchNorm{Epsilon: 0.01, Activation: layers.ReLU})
		randomise(g)
		x := inputs(t, g, 4)
		want := outputs(t, g, x)
		folded := g.Clone()
		must(t, foldBatchNorms(folded, func(graph.Group) bool { return true }))
		must(t, folded.Check())
		if countKind(folded, "BatchNorm") != 0 || countKind(folded, "BiasAdd") != 1 {
			t.Errorf("%s: not folded:\n%s", c.name, folded)
		}
		near(t, c.name, outputs(t, folded, x), want, 1e-5)
	}
}

func inputs(t *testing.T, g *graph.Graph, n int) []float32 {
	t.Helper()
	for x := range samples(t, g, n).Batches(0, 0, n, 0) {
		return append([]float32{}, x...)
	}
	return nil
}

// TestFoldCommutes: with a scale a channel it does not matter for the kernel whether BatchNorm is folded before quantization or into the scales
// by the exporter: quantized folded weights are the folded quantized weights.
func TestFoldCommutes(t *testing.T) {
	live := trace(t, layers.Shape{5, 5, 3}, layers.Conv2D{Name: "conv", Filters: 4, Kernel: 3, NoBias: true}, layers.BatchNorm{Name: "norm"})
	randomise(live)
	c := config(t, live)
	folded := live.Clone()
	must(t, PTQ{c}.Apply(live))
	c.FoldBatchNorm = true
	must(t, PTQ{c}.Apply(folded))

	scale, _, err := graph.Affine(live.Op("norm/batch_norm"))
	must(t, err)
	kernel, err := graph.Const(live.Op("conv/conv2d").In[1])
	must(t, err)
	want := make([]float32, len(kernel))
	for i := range kernel {
		want[i] = kernel[i] * scale[i%len(scale)]
	}
	got, err := graph.Const(folded.Op("conv/conv2d").In[1])
	must(t, err)
	near(t, "folded kernel", got, want, 1e-5)
}

// TestFoldChoice: a dense layer with one scale is folded always, one with a scale a unit is not; a kernel that others read, or that is computed, is
// left to the exporter.
func TestFoldChoice(t *testing.T) {
	dense := trace(t, layers.Shape{4}, layers.Dense{Units: 3}, layers.BatchNorm{})
	for _, perChannel := range []bool{false, true} {
		g := dense.Clone()
		c := config(t, g)
		c.PerChannelDense = perChannel
		must(t, PTQ{c}.Apply(g))
		if kept := countKind(g, "BatchNorm") == 1; kept != perChannel {
			t.Errorf("per channel %t: BatchNorm is kept: %t", perChannel, kept)
		}
	}

	b := graph.NewBuilder("net", 1)
	x := b.Input("input", 4)
	w := b.Var("kernel", graph.Weight, graph.Shape{4, 4}, layers.GlorotUniform)
	y := layers.BatchNorm{}.Build(b, b.Op("first", graph.Dense{}, x, w))
	shared, err := b.Graph(b.Op("second", graph.Dense{}, y, w))
	must(t, err)
	c := config(t, shared)
	c.FoldBatchNorm = true
	before := append([]float32{}, shared.Var("kernel").Data...)
	must(t, PTQ{c}.Apply(shared))
	near(t, "shared kernel", shared.Var("kernel").Data, before, 0)
	if countKind(shared, "BatchNorm") != 1 {
		t.Errorf("folded into a kernel that another layer reads:\n%s", shared)
	}
}
