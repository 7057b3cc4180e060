package sparsity

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// TestChains: over random networks and random chains of conditioners (pruned, clustered on the int8 grid, quantized with ranges that learn or follow), in the
// middle of the schedule and after some training: stripping changes no bit, and the file has the zeros and the codes that were promised.
func TestChains(t *testing.T) {
	kernels := 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		g, p := randomNet(t, seed), randomPrune(r)
		if p.Apply(g) != nil {
			continue // TestLaws looks at the error
		}
		train := func(from, to int) {
			for step := from; step < to; step++ {
				must(t, p.BeforeStep(g, step))
				for _, v := range g.Vars {
					for i := range v.Data {
						if v.Role == graph.Weight && r.IntN(3) == 0 {
							v.Data[i] += float32(r.NormFloat64()) / 10
						}
					}
				}
			}
		}
		train(0, 5)
		c := clustering.Cluster{Codes: 3 + r.IntN(14), Init: clustering.Inits[r.IntN(len(clustering.Inits))]}
		if err := c.Apply(g); err != nil && !strings.Contains(err.Error(), "fewer") && !strings.Contains(err.Error(), "no layer") {
			t.Fatalf("seed %d: %v\n%s", seed, err, g)
		}
		train(5, 12)
		x := normal(2*g.Input().Shape.Volume(), seed)
		before := outputs(t, g, x)
		stripped := g.Clone()
		must(t, graph.Strip(stripped))
		if after := outputs(t, stripped, x); !slices.Equal(before, after) {
			t.Errorf("seed %d: stripping changed the outputs\n%s", seed, stripped)
		}
		data := examples(t, g, 4)
		q := fakequant.QAT{Config: fakequant.Config{Calibration: data}, Learned: r.IntN(2) == 0}
		must(t, q.Apply(g))
		train(12, 14)
		m, err := export.TFLite(g, export.Options{})
		must(t, err)
		for _, o := range linear(g) {
			promise, err := graph.PromiseOf(o.In[1])
			must(t, err)
			v := kernelOf(o)
			if v == nil || promise == (graph.Promise{}) {
				continue
			}
			for _, x := range m.Subgraphs[0].Tensors {
				if x.Name != v.Name {
					continue
				}
				kernels++
				codes, none := map[byte]bool{}, 0
				for _, b := range x.Data {
					codes[b] = true
					if b == 0 {
						none++
					}
				}
				if none < promise.Zeros || promise.Codes > 0 && len(codes) > promise.Codes {
					t.Errorf("seed %d: %s has %d zeros and %d codes in the file, promised are %v\n%s", seed, x.Name, none, len(codes), promise, g)
				}
			}
		}
	}
	if kernels < 50 {
		t.Errorf("only %d kernels were looked at", kernels)
	}
}
