package clustering

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/layers/models"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func trace(t testing.TB, input layers.Shape, l ...layers.Layer) *graph.Graph {
	t.Helper()
	g, err := layers.Model{Name: "net", Seed: 1, Input: input, Layer: layers.Sequential(l)}.Trace()
	must(t, err)
	return g
}

// model is a reference network.
func model(t testing.TB, name string) *graph.Graph {
	t.Helper()
	m, err := models.ByName(name, models.Options{Seed: 3})
	must(t, err)
	g, err := m.Trace()
	must(t, err)
	return g
}

// small is a network with every Op with a kernel, and a BatchNorm.
func small(t testing.TB) *graph.Graph {
	return trace(t, layers.Shape{8, 8, 2},
		layers.Conv2D{Filters: 8, Kernel: 3, NoBias: true}, layers.BatchNorm{Activation: layers.ReLU},
		layers.DepthwiseConv2D{Name: "depthwise", Kernel: 3, NoBias: true}, layers.BatchNorm{Activation: layers.ReLU6},
		layers.Conv2D{Name: "point", Filters: 12, Kernel: 1, Activation: layers.ReLU},
		layers.TransposeConv2D{Filters: 6, Kernel: 2, Stride: 2},
		layers.GlobalAvgPool{}, layers.Dense{Units: 20, Activation: layers.ReLU}, layers.Dense{Units: 3})
}

// examples are n normal inputs of g with random classes.
func examples(t testing.TB, g *graph.Graph, n int) *datasets.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	x, y := make([]float32, n*g.Input().Shape.Volume()), make([]int32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	classes := make([]string, g.Outputs[0].Shape.Channels())
	for i := range classes {
		classes[i] = string(rune('a' + i))
	}
	for i := range y {
		y[i] = int32(r.IntN(len(classes)))
	}
	s, err := datasets.FromFloats("normal", g.Input().Shape[1:], x, y, classes)
	must(t, err)
	return s
}

// outputs runs g in inference.
func outputs(t testing.TB, g *graph.Graph, x []float32) []float32 {
	t.Helper()
	s, err := graph.NewEval(g)
	must(t, err)
	defer s.Close()
	must(t, s.Forward(x))
	return append([]float32{}, s.Output(0)...)
}

func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}
