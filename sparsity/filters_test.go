package sparsity

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
)

func weightsOf(g *graph.Graph) (n int) {
	for _, v := range g.Vars {
		if v.Role == graph.Weight {
			n += len(v.Data)
		}
	}
	return n
}

// TestFiltersOfModels: a reference network without 30 % of its filters is smaller, runs, and becomes an int8 file that computes what the session computes.
func TestFiltersOfModels(t *testing.T) {
	// How far file and session are apart, in steps: on the average of a block's values, for each block before, and of the two logits of MobileNetV2, which
	// with random weights is deep enough to be 60 apart when it is whole.
	for name, last := range map[string]float64{"resnet-8": 2, "ds-cnn": 2, "mobilenet-v2-0.35": 60} {
		t.Run(name, func(t *testing.T) {
			g := model(t, name)
			before := weightsOf(g)
			must(t, Filters{Ratio: 0.3}.Apply(g))
			if part := float64(weightsOf(g)) / float64(before); part > 0.6 || part < 0.45 {
				t.Errorf("%.2f of the weights are left, want about 0.7*0.7", part)
			}
			for _, o := range g.Ops { // the ends of residual blocks are looked at, too
				if _, ok := o.Kind.(graph.Add); ok {
					g.Outputs = append(g.Outputs, g.Group(o).End)
				}
			}
			data := examples(t, g, 3)
			settle(t, g, data)
			must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: data}}.Apply(g))
			compareFile(t, g, data, last)
		})
	}
}

// compareFile exports g and compares the outputs of file and session. Values may differ by a step a layer, which adds up from block to block.
func compareFile(t *testing.T, g *graph.Graph, data *datasets.Set, last float64) {
	t.Helper()
	m, err := export.TFLite(g, export.Options{})
	must(t, err)
	it, err := interp.New(m, interp.TFLM)
	must(t, err)
	s, err := graph.NewEval(g)
	must(t, err)
	defer s.Close()
	x, y := make([]float32, g.Input().Shape.Volume()), make([]float32, data.TargetLen())
	for i := range data.Len() {
		data.Example(i, x, y)
		must(t, s.Forward(x))
		must(t, it.Inputs()[0].SetFloats(x))
		it.Invoke()
		for k, out := range it.Outputs() {
			want, got, sum := s.Output(k), make([]float32, out.Volume()), 0.0
			must(t, out.Floats(got))
			for j := range got {
				sum += math.Abs(float64(got[j]-want[j])) / float64(out.Quant.Scale[0])
			}
			limit := 2 * float64(k)
			if k == 0 { // the network's own output; then come the blocks in their order
				limit = last
			}
			if mean := sum / float64(len(got)); mean > limit {
				t.Errorf("example %d: %s differs by %.2f steps in the mean", i, g.Outputs[k].Name, mean)
			}
		}
	}
}

// settle sets the statistics of BatchNorms to those of some examples, so that the signal of a fresh network does not fade.
func settle(t *testing.T, g *graph.Graph, data *datasets.Set) {
	c := g.Clone()
	for _, o := range c.Ops {
		if k, ok := o.Kind.(graph.BatchNorm); ok {
			k.Momentum = 1e-6
			o.Kind = k
		}
	}
	s, err := graph.NewTrain(c, optim.SoftmaxCrossEntropy{})
	must(t, err)
	defer s.Close()
	for x, y := range data.Batches(0, 0, data.Len(), 0) {
		_, err = s.Step(y, x)
		must(t, err)
	}
	for _, v := range g.Vars {
		copy(v.Data, c.Var(v.Name).Data)
	}
}

// TestFilters: what goes, in the smallest network with a residual, a depthwise layer, a concatenation and a flattening.
func TestFilters(t *testing.T) {
	conv := func(name string, n int) layers.Layer { return layers.Conv2D{Name: name, Filters: n, Kernel: 3} }
	g := trace(t, layers.Shape{4, 4, 3},
		conv("a", 4), layers.BatchNorm{Activation: layers.ReLU},
		layers.Residual{Body: layers.Sequential{layers.DepthwiseConv2D{Kernel: 3, Multiplier: 2}, conv("b", 4)}},
		layers.Branches{Layers: []layers.Layer{conv("c", 5), conv("d", 2)}},
		layers.Flatten{}, layers.Dense{Name: "e", Units: 6}, layers.Dense{Name: "out", Units: 2})
	f := Filters{Ratio: 0.5, Rules: []FilterRule{{Match: "branches/*/d", Skip: true}}}
	rows, err := f.Describe(g)
	must(t, err)
	const want = `a                    2 of 4 filters stay  shares its channels with residual/b
residual/b           2 of 4 filters stay  shares its channels with a
branches/branch_0/c  3 of 5 filters stay
branches/branch_1/d  left alone           rule "branches/*/d"
e                    3 of 6 filters stay
out                  left alone           its channels must stay: they reach an output, or an operator that mixes them
`
	if d := cmp.Diff(want, graph.Table(rows)); d != "" {
		t.Error(d)
	}
	// The weakest are chosen by hand: filters 0 and 2 of a and b together, 1 and 4 of c, 5, 0 and 3 of e.
	weak := func(layer string, filters ...int) {
		for _, o := range linear(g) {
			if o.Layer() == layer {
				w := o.In[1].Var
				for i := range w.Data {
					if w.Data[i] = 1; slices.Contains(filters, i%w.Shape.Channels()) {
						w.Data[i] = 0.5
					}
				}
			}
		}
	}
	weak("a", 0, 2)
	weak("residual/b", 0, 2)
	weak("branches/branch_0/c", 1, 4)
	weak("e", 0, 3, 5)
	for i := range g.Var("e/bias").Data {
		g.Var("e/bias").Data[i] = float32(i)
	}
	for i := range g.Var("a/bias").Data {
		g.Var("a/bias").Data[i] = float32(i)
	}
	must(t, f.Apply(g))
	if got := g.Var("e/bias").Data; !slices.Equal(got, []float32{1, 2, 4}) {
		t.Errorf("bias of e %v", got)
	}
	if got := g.Var("a/bias").Data; !slices.Equal(got, []float32{1, 3}) {
		t.Errorf("bias of a %v", got)
	}
	if slices.Contains(g.Var("residual/b/kernel").Data, 0.5) {
		t.Error("a weak filter of b is left")
	}
	for name, want := range map[string]graph.Shape{
		"residual/depthwise_conv2d/kernel": {3, 3, 4}, "residual/b/kernel": {3, 3, 4, 2}, "branches/branch_1/d/kernel": {3, 3, 2, 2},
		"e/kernel": {4 * 4 * (3 + 2), 3}, "out/kernel": {3, 2},
	} {
		if got := g.Var(name).Shape; !got.Equal(want) {
			t.Errorf("%s has shape %v, want %v", name, got, want)
		}
	}
}

// TestFilterScores: BatchNorm's factor counts, and Multiple rounds up what stays.
func TestFilterScores(t *testing.T) {
	g := trace(t, layers.Shape{4, 4, 3}, layers.Conv2D{Filters: 10, Kernel: 3}, layers.BatchNorm{}, layers.GlobalAvgPool{}, layers.Dense{Units: 2})
	w := g.Var("conv2d/kernel")
	for i := range w.Data {
		w.Data[i] = 1
	}
	for i := range g.Var("batch_normalization/gamma").Data {
		g.Var("batch_normalization/gamma").Data[i] = float32((i*3)%10) - 4.75
	}
	for norm, multiple := range map[string]int{"l1": 0, "l2": 4} {
		small := g.Clone()
		must(t, Filters{Ratio: 0.5, Norm: norm, Multiple: multiple}.Apply(small))
		got := small.Var("batch_normalization/gamma").Data
		want := slices.DeleteFunc(slices.Clone(g.Var("batch_normalization/gamma").Data), func(v float32) bool {
			return abs(v) < map[string]float32{"l1": 2.5, "l2": 1}[norm]
		})
		if !slices.Equal(got, want) {
			t.Errorf("%s, multiple %d: gammas %v stay, want %v", norm, multiple, got, want)
		}
	}
}

// TestFilterErrors: what cannot be done is said before anything changes.
func TestFilterErrors(t *testing.T) {
	g := smallNet(t)
	pruned, stripped := g.Clone(), g.Clone()
	must(t, Prune{}.Apply(pruned))
	must(t, Prune{}.Apply(stripped))
	must(t, Prune{}.Finish(stripped))
	must(t, graph.Strip(stripped))
	for _, c := range []struct {
		name string
		f    Filters
		g    *graph.Graph
		want []string
	}{
		{"ratio", Filters{Ratio: 1}, g, []string{"ratio 1 ", "[0, 1)"}},
		{"rule's ratio", Filters{Rules: []FilterRule{{Match: "point", Ratio: -1}}}, g, []string{`"point"`, "ratio -1"}},
		{"norm", Filters{Ratio: 0.3, Norm: "max"}, g, []string{`norm "max"`}},
		{"multiple", Filters{Ratio: 0.3, Multiple: -8}, g, []string{"multiple -8"}},
		{"pattern", Filters{Ratio: 0.3, Rules: []FilterRule{{Match: "poinz"}}}, g, []string{"matches no layer", "point"}},
		{"depthwise", Filters{Ratio: 0.3, Rules: []FilterRule{{Match: "DepthwiseConv2D"}}}, g, []string{"matches no layer"}},
		{"nothing", Filters{}, g, []string{"nothing to remove", "ratio 0 takes none"}},
		{"the output", Filters{Rules: []FilterRule{{Match: "dense", Ratio: 0.5}}}, g, []string{"dense", "must stay"}},
		{"after masks", Filters{Ratio: 0.3}, pruned, []string{"Mask", "filters go first"}},
		{"after strip", Filters{Ratio: 0.3}, stripped, []string{"promised", "filters go first"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.g.String()
			wantError(t, c.f.Apply(c.g), append(c.want, "filters: ")...)
			if c.g.String() != before {
				t.Error("the graph changed")
			}
		})
	}
}

// TestSilentFilters: over random networks, removing filters that compute zero does not change what the network computes.
func TestSilentFilters(t *testing.T) {
	removed := 0
	for seed := range uint64(300) {
		g := randomNet(t, seed)
		if seed < 5 { // which the random ones seldom are: a depthwise layer with more outputs than inputs, and a reader
			g = trace(t, layers.Shape{4, 4, 2}, layers.Conv2D{Filters: 6, Kernel: 2}, layers.DepthwiseConv2D{Kernel: 3, Multiplier: 2}, layers.Conv2D{Filters: 3, Kernel: 1})
		}
		f := Filters{Ratio: 0.1 + 0.8*rand.New(rand.NewPCG(seed, 2)).Float64(), Norm: []string{"l1", "l2"}[seed%2]}
		silence(t, g, f)
		small := g.Clone()
		if err := f.Apply(small); err != nil {
			if !strings.Contains(err.Error(), "nothing to remove") {
				t.Fatalf("seed %d: %v\n%s", seed, err, g)
			}
			continue
		}
		removed += weightsOf(g) - weightsOf(small)
		x := normal(2*g.Input().Shape.Volume(), seed)
		want, got := outputs(t, g, x), outputs(t, small, x)
		for i := range want {
			if d := math.Abs(float64(want[i] - got[i])); !(d <= 1e-4*(1+math.Abs(float64(want[i])))) {
				t.Fatalf("seed %d: output %d is %g, before %g\n%s\n%s", seed, i, got[i], want[i], g, small)
			}
		}
	}
	if removed < 10000 {
		t.Errorf("only %d weights were removed in all", removed)
	}
}

// silence makes the filters that f removes from g compute zero.
func silence(t *testing.T, g *graph.Graph, f Filters) {
	c := channelsOf(g)
	teams, err := f.plan(g, c)
	must(t, err)
	gone := map[int]bool{}
	for _, tm := range teams {
		for _, class := range tm.gone {
			gone[class] = true
		}
	}
	zero := func(v *graph.Value) {
		if v.Var == nil {
			return
		}
		axis := len(v.Shape) - 1
		for i, l := range c.vars[v.Var][axis] {
			for at := i; gone[c.class(l)] && at < len(v.Var.Data); at += v.Shape[axis] {
				v.Var.Data[at] = 0
			}
		}
	}
	for _, o := range g.Ops {
		switch o.Kind.(type) {
		case graph.Conv2D, graph.TransposeConv2D, graph.Dense, graph.BiasAdd, graph.Add, graph.Sub: // a depthwise layer's are zero by its input
			zero(o.In[1])
		case graph.BatchNorm:
			zero(o.In[2]) // beta
			zero(o.In[3]) // moving mean
		}
	}
}

// randomNet is a network of operators that keep zeros, in any order.
func randomNet(t *testing.T, seed uint64) *graph.Graph {
	r := rand.New(rand.NewPCG(seed, 11))
	b := graph.NewBuilder("random", seed)
	n := 0
	name := func(s string) string { n++; return fmt.Sprintf("%s_%d", s, n) }
	variable := func(role graph.Role, shape ...int) *graph.Value {
		return b.Var(name("var"), role, shape, func(x []float32, _ graph.Shape, r *rand.Rand) {
			for i := range x {
				if x[i] = float32(r.NormFloat64()) / 2; role == graph.State {
					x[i] = 0.5 + r.Float32()
				}
			}
		})
	}
	values := []*graph.Value{b.Input("x", 4+r.IntN(3), 4, 1+r.IntN(3))}
	for range 6 + r.IntN(10) {
		v := values[max(r.IntN(len(values)), r.IntN(len(values)))]
		c, image := v.Shape.Channels(), len(v.Shape) == 4
		op := func(k graph.Kind, in ...*graph.Value) {
			values = append(values, b.Op(name(graph.KindName(k)), k, append([]*graph.Value{v}, in...)...))
		}
		switch k := r.IntN(16); {
		case k < 4 && image:
			op(graph.Conv2D{Padding: graph.Same, Stride: [2]int{1 + r.IntN(2), 1}}, variable(graph.Weight, 1+r.IntN(3), 2, c, 2+r.IntN(8)))
		case k < 6:
			op(graph.Dense{}, variable(graph.Weight, c, 2+r.IntN(8)))
		case k == 6 && image:
			op(graph.DepthwiseConv2D{Padding: graph.Same}, variable(graph.Weight, 2, 2, c*(1+r.IntN(2))))
		case k == 7 && image && v.Shape.Volume() < 300:
			op(graph.TransposeConv2D{Padding: graph.Same, Stride: [2]int{2, 1}}, variable(graph.Weight, 2, 2, c, 2+r.IntN(5)))
		case k == 8:
			op(graph.BiasAdd{}, variable(graph.Bias, c))
		case k == 9:
			op(graph.BatchNorm{}, variable(graph.Scale, c), variable(graph.Bias, c), variable(graph.State, c), variable(graph.State, c))
		case k == 10:
			op([]graph.Kind{graph.ReLU{}, graph.LeakyReLU{Alpha: 0.1}, graph.HardSwish{}, graph.Tanh{}}[r.IntN(4)])
		case k == 11 && image:
			op([]graph.Kind{graph.MaxPool2D{Size: [2]int{2, 2}, Padding: graph.Same}, graph.AvgPool2D{Size: [2]int{2, 1}, Padding: graph.Same},
				graph.GlobalAvgPool{KeepDims: true}, graph.GlobalAvgPool{}, graph.Pad{Before: [2]int{1, 0}}, graph.Resize{Size: [2]int{3, 5}, Method: "bilinear"}}[r.IntN(6)])
		case k == 12:
			to := [][]int{{v.Shape.Volume()}, {v.Shape.Volume() / c, c}}
			if image {
				to = append(to, []int{v.Shape[1], v.Shape[2] * c}, []int{v.Shape[2], v.Shape[1], c}, []int{c, v.Shape[1] * v.Shape[2]})
			}
			op(graph.Reshape{To: to[r.IntN(len(to))]})
		case k == 13:
			op(graph.PReLU{}, variable(graph.Scale, c))
		default:
			binary(b, r, v, values, op, variable)
		}
	}
	g, err := b.Graph(values[len(values)-1], b.Op("mean", graph.Softmax{}, values[len(values)/2]))
	must(t, err)
	g.RemoveDead()
	return g
}

// binary joins v with another value, or with a constant.
func binary(b *graph.Builder, r *rand.Rand, v *graph.Value, values []*graph.Value, op func(graph.Kind, ...*graph.Value), variable func(graph.Role, ...int) *graph.Value) {
	kinds := []graph.Kind{graph.Add{}, graph.Sub{}, graph.Mul{}}
	if r.IntN(4) == 0 {
		op(kinds[r.IntN(3)], variable(graph.Weight, v.Shape.Channels()))
		return
	}
	for _, w := range values {
		switch axis := 1 + r.IntN(len(v.Shape)-1); {
		case w.Shape.Equal(v.Shape) && r.IntN(2) == 0:
			op(kinds[r.IntN(3)], w)
			return
		case len(w.Shape) == len(v.Shape) && len(v.Shape) == 4 && w.Shape[1] == 1 && w.Shape[2] == 1 && w.Shape[3] == v.Shape[3]:
			op(kinds[r.IntN(3)], w)
			return
		case len(w.Shape) == len(v.Shape) && r.IntN(2) == 0:
			x, y := slices.Clone(w.Shape), slices.Clone(v.Shape)
			if x[axis] = y[axis]; x.Equal(y) {
				op(graph.Concat{Axis: axis}, w)
				return
			}
		}
	}
}
