package clustering

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/sparsity"
)

// randomNet is a sequence of convolutions, with and without BatchNorm, residuals and dense layers of random sizes.
func randomNet(t *testing.T, r *rand.Rand) *graph.Graph {
	var l []layers.Layer
	width := 1 + r.IntN(20)
	conv := func() layers.Sequential {
		c := layers.Conv2D{Filters: width, Kernel: 1 + r.IntN(3), NoBias: r.IntN(2) == 0, Activation: layers.ReLU}
		if r.IntN(2) == 0 {
			return layers.Sequential{c}
		}
		c.Activation = layers.Linear
		return layers.Sequential{c, layers.BatchNorm{Activation: layers.ReLU6}}
	}
	l = append(l, conv())
	for range 1 + r.IntN(3) {
		switch r.IntN(4) {
		case 0:
			l = append(l, layers.Residual{Body: conv()})
		case 1:
			l = append(l, layers.DepthwiseConv2D{Kernel: 3})
		case 2:
			l = append(l, layers.TransposeConv2D{Filters: width, Kernel: 2, Stride: 2})
		default:
			width = 1 + r.IntN(20)
			l = append(l, conv())
		}
	}
	l = append(l, layers.GlobalAvgPool{})
	for range r.IntN(3) {
		l = append(l, layers.Dense{Units: 2 + r.IntN(20), Activation: layers.ReLU})
	}
	g := trace(t, layers.Shape{5, 6, 1 + r.IntN(4)}, append(l, layers.Dense{Units: 3})...)
	for _, v := range g.Vars {
		for i := range v.Data {
			if v.Role == graph.Scale || v.Role == graph.Bias {
				v.Data[i] = float32(r.NormFloat64())
			}
		}
	}
	return g
}

// randomCluster is a setting that the network's smallest layer allows.
func randomCluster(r *rand.Rand) Cluster {
	c := Cluster{Codes: 3 + r.IntN(14), Init: Inits[r.IntN(len(Inits))], PerChannelDense: r.IntN(2) == 0, Mean: r.IntN(4) == 0, Seed: r.Uint64()}
	if r.IntN(3) == 0 {
		c.Grid = Float
	}
	return c
}

// TestRandomChains: the laws over random networks and random chains of prune, strip, cluster, train, quantize, train; and the counts of the file.
func TestRandomChains(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		g, c := randomNet(t, r), randomCluster(r)
		for _, o := range g.Heads() {
			if o.IsLinear() && o.In[1].Shape.Volume() < c.Codes {
				c.Rules = append(c.Rules, Rule{Match: o.Name, Skip: true})
			}
		}
		t.Run(fmt.Sprintf("%d %+v", seed, c), func(t *testing.T) {
			pruned := r.IntN(2) == 0
			if pruned {
				p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: 0.9 * r.Float64()}, Rules: []sparsity.Rule{{Match: "*"}}}
				must(t, p.Apply(g))
				must(t, p.Finish(g))
				if r.IntN(2) == 0 {
					must(t, graph.Strip(g))
				}
			}
			if err := c.Apply(g); err != nil && len(c.Rules) > 0 {
				t.Skip(err) // every layer is too small
			} else {
				must(t, err)
			}
			if r.IntN(2) == 0 {
				train(t, g, 2)
			}
			x := make([]float32, g.Input().Shape.Volume())
			for i := range x {
				x[i] = float32(r.NormFloat64())
			}
			q := fakequant.Config{Calibration: examples(t, g, 4), PerChannelDense: r.IntN(2) == 0}
			if r.IntN(2) == 0 {
				must(t, fakequant.PTQ{Config: q}.Apply(g))
			} else {
				must(t, fakequant.QAT{Config: q, Learned: r.IntN(2) == 0}.Apply(g))
				train(t, g, 2)
			}
			for _, o := range clusterOps(g) {
				checkLaws(t, o)
			}
			stripped := g.Clone()
			must(t, graph.Strip(stripped))
			if !slices.Equal(outputs(t, g, x), outputs(t, stripped, x)) {
				t.Error("the stripped network computes something else")
			}
			o := export.Options{AllowBrokenPromises: c.Grid == Float} // a scale a channel spreads float centroids to more codes
			m, err := export.TFLite(g, o)
			must(t, err)
			compareFile(t, g, m, x)
			again, err := export.TFLite(stripped, o)
			must(t, err)
			if c.Grid != Float {
				checkFile(t, g, m, false)
				checkFile(t, g, again, false)
			}
		})
	}
}

// compareFile runs file and graph on an example: steps that differ in a layer add up over the few layers of these networks.
func compareFile(t *testing.T, g *graph.Graph, m *tflite.Model, x []float32) {
	t.Helper()
	it, err := interp.New(m, interp.TFLM)
	must(t, err)
	must(t, it.Inputs()[0].SetFloats(x))
	it.Invoke()
	out := it.Outputs()[0]
	y := make([]float32, out.Volume())
	must(t, out.Floats(y))
	for i, w := range outputs(t, g, x) {
		if d := math.Abs(float64(w-y[i])) / float64(out.Quant.Scale[0]); d > 8 {
			t.Errorf("output %d is %g in the graph, %g in the file: %.1f steps apart", i, w, y[i], d)
		}
	}
}
