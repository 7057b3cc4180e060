package sparsity

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/graph"
)

// layer is an operator with a kernel, and what is to happen to it.
type layer struct {
	op       *graph.Op
	kernel   *graph.Var // nil when it is computed
	view     view
	sparsity float64 // of a rule; 0: the schedule's
	n, m     int
	block    [2]int
	why      string // the rule by which it is taken
	reason   string // why it is left alone; "": it is taken
	setting  string
}

// small is the part of all weights below which the first and the last layer are left alone: there is little to gain, and the input and the classes
// pass through few weights.
const small = 0.01

// plan decides what happens to each layer. It depends on shapes, names and rules only: before and after Apply it says the same.
func (p Prune) plan(g *graph.Graph) ([]layer, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	ops := linear(g)
	for _, r := range p.Rules {
		if err := g.CheckPattern(r.Match, ops); err != nil {
			return nil, err
		}
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("rule %q: %w", r.Match, err)
		}
	}
	total := 0
	for _, o := range ops {
		if !isDepthwise(o) {
			total += o.In[1].Shape.Volume()
		}
	}
	var layers []layer
	for i, o := range ops {
		l := layer{op: o, kernel: kernelOf(o), view: viewOf(o)}
		edge := ""
		if float64(o.In[1].Shape.Volume()) < small*float64(total) {
			edge = map[int]string{0: "first", len(ops) - 1: "last"}[i]
		}
		if err := p.decide(&l, edge); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Layer(), err)
		}
		layers = append(layers, l)
	}
	return layers, nil
}

// linear are the operators with a kernel, in order of execution.
func linear(g *graph.Graph) []*graph.Op {
	var ops []*graph.Op
	for _, o := range g.Ops {
		if o.IsLinear() {
			ops = append(ops, o)
		}
	}
	return ops
}

func isDepthwise(o *graph.Op) bool { return graph.KindName(o.Kind) == "DepthwiseConv2D" }

// kernelOf looks through conditioners to the Var of a kernel.
func kernelOf(o *graph.Op) *graph.Var {
	v := o.In[1]
	for v.Op != nil {
		switch graph.KindName(v.Op.Kind) {
		case "Mask", "Cluster", "FakeQuant":
			v = v.Op.In[0]
		default:
			return nil
		}
	}
	return v.Var
}

// decide fills in the settings of a layer. edge says that it is a small first or last one.
func (p Prune) decide(l *layer, edge string) error {
	rule := p.rule(l.op)
	l.n, l.m, l.block = p.N, p.M, p.Block
	if rule != nil {
		l.why = fmt.Sprintf("rule %q", rule.Match)
		if rule.Sparsity > 0 || rule.M > 0 || rule.Block != [2]int{} {
			l.sparsity, l.n, l.m, l.block = rule.Sparsity, rule.N, rule.M, rule.Block
		}
	}
	impossible := l.m > 0 && !l.view.possible(l.n, l.m)
	switch {
	case rule != nil && rule.Skip:
		l.reason = l.why
	case l.kernel == nil:
		l.reason = "its kernel is computed"
	case impossible && rule != nil:
		return fmt.Errorf("%s: %d zeros of every %d along %d input channels (kernel %v) would zero nothing", l.why, l.n, l.m, l.view.in, l.op.In[1].Shape)
	case impossible:
		l.reason = fmt.Sprintf("%d zeros of every %d along %d input channels would zero nothing", l.n, l.m, l.view.in)
	case rule != nil:
	case isDepthwise(l.op):
		l.reason = "depthwise: few weights, each of which its channel needs"
	case edge != "":
		l.reason = fmt.Sprintf("little to gain: the %s layer, under %g %% of the weights", edge, small*100)
	}
	if l.reason == "" {
		l.setting = p.describe(l)
	}
	return nil
}

// rule is the first that matches, or nil.
func (p Prune) rule(o *graph.Op) *Rule {
	for i, r := range p.Rules {
		if graph.MatchLayer(r.Match, o) {
			return &p.Rules[i]
		}
	}
	return nil
}

// describe is the setting of a layer in words.
func (p Prune) describe(l *layer) string {
	if l.m > 0 {
		return fmt.Sprintf("%d zeros of every %d", l.n, l.m)
	}
	s := fmt.Sprintf("sparsity %.4g", l.at(p.schedule().Target(), p.schedule().Target()))
	if l.block != [2]int{} {
		s += fmt.Sprintf(" in blocks of %dx%d", l.block[0], l.block[1])
	} else if p.Global && l.sparsity == 0 {
		s += " over all such layers together"
	}
	return s
}

// check verifies what does not depend on a graph.
func (p Prune) check() error {
	if err := checkPattern(p.N, p.M, p.Block); err != nil {
		return err
	}
	s := p.schedule()
	if c, ok := s.(interface{ Check() error }); ok {
		if err := c.Check(); err != nil {
			return fmt.Errorf("schedule: %w", err)
		}
	}
	if !inRange(s.Target()) {
		return fmt.Errorf("schedule: sparsity %g must be in [0, 1)", s.Target())
	}
	if p.M > 0 && math.Abs(s.Target()-float64(p.N)/float64(p.M)) > 1e-6 {
		return fmt.Errorf("%d zeros of every %d are a sparsity of %.4g, the schedule leads to %.4g: let it end there", p.N, p.M, float64(p.N)/float64(p.M), s.Target())
	}
	if p.Global && (p.M > 0 || p.Block != [2]int{}) {
		return fmt.Errorf("one threshold for all layers is for single weights: leave out Global, or N, M and Block")
	}
	if p.Pooling != "" && p.Pooling != "avg" && p.Pooling != "max" {
		return fmt.Errorf("pooling %q is neither \"avg\" nor \"max\"", p.Pooling)
	}
	return nil
}

func (r Rule) check() error {
	if !inRange(r.Sparsity) {
		return fmt.Errorf("sparsity %g must be in [0, 1)", r.Sparsity)
	}
	if r.M > 0 && r.Sparsity > 0 {
		return fmt.Errorf("%d zeros of every %d are a sparsity of their own: leave out Sparsity %g", r.N, r.M, r.Sparsity)
	}
	if r.Skip && (r.Sparsity > 0 || r.M > 0 || r.Block != [2]int{}) {
		return fmt.Errorf("a layer that is left alone has no settings")
	}
	return checkPattern(r.N, r.M, r.Block)
}

func checkPattern(n, m int, block [2]int) error {
	if (n != 0 || m != 0) && !(0 < n && n < m && m <= maxM) {
		return fmt.Errorf("%d zeros of every %d: want 0 < N < M <= %d", n, m, maxM)
	}
	if block != [2]int{} && min(block[0], block[1]) < 1 {
		return fmt.Errorf("block %dx%d: want positive sides", block[0], block[1])
	}
	if m > 0 && block != [2]int{} {
		return fmt.Errorf("%d zeros of every %d and blocks of %dx%d exclude each other", n, m, block[0], block[1])
	}
	return nil
}

// Describe tells what Apply does to each layer with a kernel of g, and why.
func (p Prune) Describe(g *graph.Graph) ([]graph.Row, error) {
	layers, err := p.plan(g)
	if err != nil {
		return nil, fmt.Errorf("prune: %w", err)
	}
	return rows(layers), nil
}

func rows(layers []layer) []graph.Row {
	var all []graph.Row
	for _, l := range layers {
		r := graph.Row{Layer: l.op.Layer(), Setting: l.setting, Reason: l.why}
		if l.reason != "" {
			r.Setting, r.Reason = "left alone", l.reason
		}
		all = append(all, r)
	}
	return all
}
