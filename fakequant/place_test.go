package fakequant

import (
	"strings"
	"testing"

	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/golden"
	"github.com/temper-ml/temper/layers"
)

// TestPlacement compares the graph before and after with testdata/place.
func TestPlacement(t *testing.T) {
	conv := func(name string) layers.Layer { return layers.Conv2D{Name: name, Filters: 4, Kernel: 3, NoBias: true} }
	convNormReLU := []layers.Layer{conv("conv"), layers.BatchNorm{Name: "norm", Activation: layers.ReLU}}
	image := layers.Shape{6, 6, 2}
	for _, c := range []struct {
		name  string
		input layers.Shape
		net   []layers.Layer
		apply func(Config) graph.Pass
	}{
		{"conv_bn_relu", image, convNormReLU, ptq},
		{"conv_bn_relu_folded", image, convNormReLU, func(c Config) graph.Pass { c.FoldBatchNorm = true; return ptq(c) }},
		{"conv_bn_relu_qat", image, convNormReLU, func(c Config) graph.Pass {
			return pass(QAT{Config: c, Momentum: 0.9, Delay: 5, Freeze: 50, FreezeBatchNorm: true}.Apply)
		}},
		{"conv_bn_relu_learned", image, convNormReLU, func(c Config) graph.Pass { return pass(QAT{Config: c, Learned: true}.Apply) }},
		{"dense_bn", layers.Shape{5}, []layers.Layer{
			layers.Dense{Name: "hidden", Units: 4}, layers.BatchNorm{Name: "norm", Activation: layers.ReLU}, layers.Dense{Name: "logits", Units: 3}, layers.Softmax,
		}, ptq},
		{"residual", image, []layers.Layer{
			layers.Residual{Name: "block", Shortcut: conv("short"), Activation: layers.ReLU, Body: layers.Sequential{
				layers.DepthwiseConv2D{Name: "depthwise", Kernel: 3, NoBias: true}, layers.BatchNorm{Name: "norm", Activation: layers.ReLU6}, conv("point"),
			}},
		}, ptq},
		{"pools", image, []layers.Layer{
			conv("conv"), layers.MaxPool2D{Name: "max", Size: 2}, layers.ReLU6, layers.AvgPool2D{Name: "average", Size: 3}, layers.Flatten{}, layers.Dense{Name: "logits", Units: 1}, layers.Sigmoid,
		}, ptq},
		{"concat", image, []layers.Layer{
			layers.Branches{Name: "inner", Layers: []layers.Layer{conv("a"), layers.Sequential{conv("b"), layers.MaxPool2D{Size: 3, Stride: 1, Padding: graph.Same}}}},
			layers.Branches{Name: "outer", Layers: []layers.Layer{nil, conv("c"), layers.Sequential{conv("d"), layers.Tanh}}},
		}, ptq},
		{"rules", image, []layers.Layer{
			layers.Scope{Name: "first", Layer: conv("conv")}, layers.Scope{Name: "second", Layer: conv("conv")}, layers.Scope{Name: "third", Layer: conv("conv")},
			layers.Flatten{}, layers.Dense{Name: "logits", Units: 3},
		}, func(c Config) graph.Pass {
			c.Rules = []Rule{{Match: "first/conv", Skip: true}, {Match: "third/*", WeightBits: 6}, {Match: "Conv2D", WeightBits: 4}, {Match: "logits", PerChannelDense: true}}
			return ptq(c)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := trace(t, c.input, c.net...)
			before := g.String()
			must(t, graph.Apply(g, c.apply(config(t, g))))
			golden.Equal(t, "testdata/place/"+c.name+".txt", before+"\n# becomes\n\n"+g.String())
		})
	}
}

func pass(f func(*graph.Graph) error) graph.Pass { return graph.Pass{Name: "quantize", Run: f} }

func ptq(c Config) graph.Pass { return pass(PTQ{c}.Apply) }

// TestConcatRangesCover: where a value goes into two concatenations, the range of the first used to be replaced by that of the second, which did
// not see the other inputs of the first. The range of every value must hold the values.
func TestConcatRangesCover(t *testing.T) {
	b := graph.NewBuilder("net", 1)
	x := b.Input("input", 4, 4, 2)
	wide := layers.Conv2D{Name: "wide", Filters: 2, Init: layers.Constant(10)}.Build(b, x)
	narrow := layers.Conv2D{Name: "narrow", Filters: 2}.Build(b, x)
	other := layers.Conv2D{Name: "other", Filters: 2, Init: layers.Constant(0.01)}.Build(b, x)
	first := b.Op("first", graph.Concat{Axis: -1}, narrow, wide)
	second := b.Op("second", graph.Concat{Axis: -1}, narrow, other)
	g, err := b.Graph(first, second)
	must(t, err)
	c := config(t, g)
	c.Observer = MinMax{}
	covers(t, g, c)
}

// TestPooledConcatRangesCover: a range found behind an average pool is too small for what goes into the pool, and one found behind a max-pool for
// the smallest values that another operator reads.
func TestPooledConcatRangesCover(t *testing.T) {
	for _, pool := range []layers.Layer{layers.AvgPool2D{Size: 4}, layers.MaxPool2D{Size: 4}} {
		g := trace(t, layers.Shape{8, 8, 2},
			layers.Conv2D{Name: "conv", Filters: 2, Kernel: 3},
			layers.Branches{Layers: []layers.Layer{pool, layers.Conv2D{Filters: 2, Kernel: 3, Stride: 4, Init: layers.Constant(0.01)}}})
		covers(t, g, config(t, g))
	}
}

// covers quantizes g and compares every range with what the float network computes on the calibration data.
func covers(t *testing.T, g *graph.Graph, c Config) {
	t.Helper()
	q := g.Clone()
	must(t, PTQ{c}.Apply(q))
	s, err := graph.NewEval(g, graph.Unfused)
	must(t, err)
	defer s.Close()
	for x := range c.Calibration.Batches(0, 0, c.Calibration.Len(), 0) {
		must(t, s.Forward(x))
		for _, o := range q.Ops {
			if graph.KindName(o.Kind) != "FakeQuant" || graph.IsConst(o.In[0]) {
				continue
			}
			value := strings.TrimSuffix(o.In[0].Name, "/fake_quant")
			r, seen := o.In[1].Var.Data, extent(s.Value(value))
			if seen.Min < r[0] || seen.Max > r[1] {
				t.Errorf("%s has the values %v and the range %v:\n%s", value, seen, r, q)
			}
		}
	}
}

// TestSharedKernel: two operators may read one kernel; the second quantizer took the name of the first.
func TestSharedKernel(t *testing.T) {
	b := graph.NewBuilder("net", 1)
	x := b.Input("input", 4)
	w := b.Var("kernel", graph.Weight, graph.Shape{4, 4}, layers.GlorotUniform)
	y := b.Op("second", graph.Dense{}, b.Op("first", graph.Dense{}, x, w), w)
	g, err := b.Graph(b.Op("third", graph.Dense{}, y, w))
	must(t, err)
	c := config(t, g)
	c.Rules = []Rule{{Match: "third", WeightBits: 4}}
	must(t, PTQ{c}.Apply(g))
	one, two, three := g.Op("first").In[1], g.Op("second").In[1], g.Op("third").In[1]
	if one != two || one == three {
		t.Errorf("kernels are %s, %s and, with 4 bits, %s", one.Name, two.Name, three.Name)
	}
}

// TestSkippedActivation: a rule that skips an activation with a fixed range counts.
func TestSkippedActivation(t *testing.T) {
	g := trace(t, layers.Shape{4}, layers.Dense{Units: 3}, layers.Softmax)
	c := config(t, g)
	c.Rules = []Rule{{Match: "softmax", Skip: true}}
	must(t, PTQ{c}.Apply(g))
	if out := g.Outputs[0].Name; out != "softmax/softmax" {
		t.Errorf("the output is %s", out)
	}
}

// TestNothingChangesOnErrors: Apply leaves the graph as it was when it fails, and says what to do.
func TestNothingChangesOnErrors(t *testing.T) {
	net := []layers.Layer{layers.Conv2D{Name: "stem", Filters: 2, Activation: layers.ReLU}, layers.Flatten{}, layers.Dense{Name: "logits", Units: 2}}
	g := trace(t, layers.Shape{3, 3, 1}, net...)
	good := config(t, g)
	with := func(change func(*Config)) Config {
		c := good
		change(&c)
		return c
	}
	done := g.Clone()
	must(t, PTQ{good}.Apply(done))
	branches := trace(t, layers.Shape{3, 3, 1}, layers.Branches{Layers: []layers.Layer{nil, layers.Conv2D{Name: "side", Filters: 1}}})
	for _, c := range []struct {
		name  string
		g     *graph.Graph
		apply func(*graph.Graph) error
		want  string
	}{
		{"no data", g, PTQ{}.Apply, "calibration data is missing"},
		{"twice", done, PTQ{good}.Apply, "net is quantized already (logits/kernel/fake_quant): start from the float checkpoint"},
		{"qat after ptq", done, QAT{Config: good}.Apply, "is quantized already"},
		{"unknown layer", g, PTQ{with(func(c *Config) { c.Rules = []Rule{{Match: "logit"}} })}.Apply,
			`rule pattern "logit" matches no layer of net; nearest are logits, `},
		{"other case", g, PTQ{with(func(c *Config) { c.Rules = []Rule{{Match: "Stem"}} })}.Apply, "nearest are stem, "},
		{"fused activation", g, PTQ{with(func(c *Config) { c.Rules = []Rule{{Match: "ReLU", Skip: true}} })}.Apply, `"ReLU" matches no layer`},
		{"bad pattern", g, PTQ{with(func(c *Config) { c.Rules = []Rule{{Match: "[a"}} })}.Apply, `rule pattern "[a": want`},
		{"bits of a rule", g, PTQ{with(func(c *Config) { c.Rules = []Rule{{Match: "stem", WeightBits: 9}} })}.Apply, "weight bits 9"},
		{"bits", g, PTQ{with(func(c *Config) { c.WeightBits = 1 })}.Apply, "weight bits 1"},
		{"percentile", g, PTQ{with(func(c *Config) { c.Observer = Percentile{P: 0.1} })}.Apply, "P = 0.1 must be in (50, 100]"},
		{"observer momentum", g, PTQ{with(func(c *Config) { c.Observer = MovingAverage{Momentum: 1} })}.Apply, "momentum 1 must be in [0, 1)"},
		{"momentum", g, QAT{Config: good, Momentum: 1}.Apply, "momentum 1 must be in [0, 1)"},
		{"delay", g, QAT{Config: good, Delay: -1}.Apply, "delay -1"},
		{"float into concat", branches, PTQ{Config{Calibration: samples(t, branches, 2), Rules: []Rule{{Match: "*/*/side", Skip: true}}}}.Apply,
			"branches/concat: input branches/branch_1/side/bias_add is not quantized: skip the concatenation, too"},
	} {
		before := c.g.String()
		err := c.apply(c.g)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want %q", c.name, err, c.want)
		}
		if c.g.String() != before {
			t.Errorf("%s: the graph changed", c.name)
		}
	}
}

// TestNaN: a network that overflows on the samples is refused, with the value's name.
func TestNaN(t *testing.T) {
	g := trace(t, layers.Shape{4}, layers.Dense{Name: "one", Units: 3, Init: layers.Constant(1e30)}, layers.Dense{Name: "two", Units: 3, Init: layers.Constant(1e30)})
	err := PTQ{config(t, g)}.Apply(g)
	if err == nil || !strings.Contains(err.Error(), "two/bias_add") {
		t.Errorf("the error is %v", err)
	}
}
