package sparsity

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// randomPrune is any way to prune.
func randomPrune(r *rand.Rand) Prune {
	s := []float64{0, 0.3, 0.5, 0.9}[r.IntN(4)]
	p := Prune{Schedule: Polynomial{Initial: s / 2, Final: s, End: 8, Frequency: 1 + r.IntN(3), Power: float64(1 + r.IntN(3))}}
	switch r.IntN(4) {
	case 0:
		p.Global = true
	case 1:
		p.Block, p.Pooling = [2]int{1 + r.IntN(3), 1 + r.IntN(4)}, []string{"avg", "max"}[r.IntN(2)]
	case 2:
		p.N, p.M = 1, 2+r.IntN(2)
		p.Schedule = Polynomial{Final: 1 / float64(p.M), End: 8, Frequency: 2}
	}
	return p
}

// TestLaws: over random networks, ways to prune and places in the schedule, a mask keeps the shape, takes zero to zero, does the same when it is done twice,
// is the same bits after stripping, and its zeros are in the file.
func TestLaws(t *testing.T) {
	files := 0
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 3))
		g, p := randomNet(t, seed), randomPrune(r)
		if err := p.Apply(g); err != nil {
			if !strings.Contains(err.Error(), "no layer to prune") {
				t.Fatalf("seed %d: %v\n%s", seed, err, g)
			}
			continue
		}
		must(t, g.Check())
		for step := range 1 + r.IntN(10) {
			must(t, p.BeforeStep(g, step))
			for _, v := range g.Vars {
				for i := range v.Data { // training
					if v.Role == graph.Weight && r.IntN(3) == 0 {
						v.Data[i] += float32(r.NormFloat64()) / 10
					}
				}
			}
		}
		promised := map[string]int{}
		for _, o := range g.Ops {
			if graph.KindName(o.Kind) != "Mask" {
				continue
			}
			x, mask := o.In[0].Var.Data, o.In[1].Var.Data
			y, err := graph.Const(o.Out)
			must(t, err)
			if !o.Out.Shape.Equal(o.In[0].Shape) {
				t.Errorf("seed %d: %s has shape %v of %v", seed, o.Name, o.Out.Shape, o.In[0].Shape)
			}
			for i := range y {
				if y[i] != x[i]*mask[i] || mask[i] != 0 && mask[i] != 1 {
					t.Fatalf("seed %d: %s takes %g with %g to %g", seed, o.Name, x[i], mask[i], y[i])
				}
			}
			promised[o.In[0].Name] = zeros(mask)
			twice := g.Clone()
			copy(twice.Op(o.Name).In[0].Var.Data, y)
			if again, err := graph.Const(twice.Op(o.Name).Out); err != nil || !slices.Equal(again, y) {
				t.Errorf("seed %d: %s is not idempotent, %v", seed, o.Name, err)
			}
		}
		x := normal(2*g.Input().Shape.Volume(), seed)
		before := outputs(t, g, x)
		stripped := g.Clone()
		must(t, graph.Strip(stripped))
		if after := outputs(t, stripped, x); !slices.Equal(before, after) {
			t.Errorf("seed %d: stripping changed the outputs\n%s", seed, stripped)
		}
		for name, n := range promised {
			if pr := stripped.Var(name).Promise; pr == nil || pr.Zeros != n {
				t.Errorf("seed %d: the promise of %s is %v, its mask has %d zeros", seed, name, pr, n)
			}
		}
		data := examples(t, g, 4)
		must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: data}}.Apply(g))
		m, err := export.TFLite(g, export.Options{AllowBrokenPromises: p.M > 0}) // in the middle of the schedule, N:M is not there yet
		must(t, err)
		for _, x := range m.Subgraphs[0].Tensors {
			n, ok := promised[x.Name]
			if !ok {
				continue
			}
			files++
			got := 0
			for _, b := range x.Data {
				if b == 0 {
					got++
				}
			}
			if got < n {
				t.Errorf("seed %d: %s has %d zeros in the file, promised are %d", seed, x.Name, got, n)
			}
		}
	}
	if files < 100 {
		t.Errorf("only %d kernels were looked at", files)
	}
}
