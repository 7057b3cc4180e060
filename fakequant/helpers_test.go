package fakequant

import (
	"math/rand/v2"
	"testing"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// trace builds a small network.
func trace(t testing.TB, input layers.Shape, l ...layers.Layer) *graph.Graph {
	t.Helper()
	g, err := layers.Model{Name: "net", Seed: 1, Input: input, Layer: layers.Sequential(l)}.Trace()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// samples are n normal examples of the graph's input.
func samples(t testing.TB, g *graph.Graph, n int) *datasets.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 5))
	x := make([]float32, n*g.Input().Shape.Volume())
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	s, err := datasets.FromTargets("normal", g.Input().Shape[1:], x, make([]float32, n), 1)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func config(t testing.TB, g *graph.Graph) Config {
	t.Helper()
	return Config{Calibration: samples(t, g, 20)}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
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

// randomise gives the Vars of BatchNorms and biases values that are not the neutral ones of a fresh network: gamma of both signs, variances positive.
func randomise(g *graph.Graph) {
	r := rand.New(rand.NewPCG(6, 6))
	for _, v := range g.Vars {
		for i := range v.Data {
			switch v.Role {
			case graph.State:
				v.Data[i] = 0.3 + r.Float32()
			case graph.Scale, graph.Bias:
				v.Data[i] = float32(r.NormFloat64())
			}
		}
	}
}
