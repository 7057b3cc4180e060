package sparsity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/temper-ml/temper/graph"
)

// Filters removes whole output channels from the graph: filters of convolutions and dense layers, with their biases and BatchNorms, and the inputs of
// everything that reads them. Channels that belong together (both sides of a residual, a depthwise layer and its input) go together. The graph gets smaller;
// no mask stays. (Li et al., 2017, "Pruning Filters for Efficient ConvNets".)
//
// Filters are ranked within the layers that share their channels, by the norm of the kernel as it acts, BatchNorm's factor included.
type Filters struct {
	Ratio    float64 // part of the filters that goes, in [0, 1); rounded down
	Norm     string  // "l2" (default) or "l1"
	Multiple int     // keep a multiple of so many filters, which suits the hardware's blocks; default 1
	Rules    []FilterRule
}

// FilterRule overrides the ratio for layers with filters. Of layers that share their channels, the one that keeps most decides.
type FilterRule struct {
	Match string // as in Rule
	Skip  bool
	Ratio float64
}

// Name is the conditioner's name in tables and recipes.
func (Filters) Name() string { return "filters" }

// Apply removes the filters. On an error g is unchanged.
func (f Filters) Apply(g *graph.Graph) error {
	c := channelsOf(g)
	teams, err := f.plan(g, c)
	if err != nil {
		return fmt.Errorf("filters: %w", err)
	}
	gone := map[int]bool{}
	for _, t := range teams {
		for _, class := range t.gone {
			gone[class] = true
		}
	}
	if len(gone) == 0 {
		return fmt.Errorf("filters: nothing to remove from %s\n%s", g.Name, graph.Table(filterRows(g, teams)))
	}
	work, err := c.without(g, gone)
	if err != nil {
		return fmt.Errorf("filters: %w", err)
	}
	*g = *work
	return nil
}

// Describe tells what Apply does to each layer with filters, and why.
func (f Filters) Describe(g *graph.Graph) ([]graph.Row, error) {
	teams, err := f.plan(g, channelsOf(g))
	if err != nil {
		return nil, fmt.Errorf("filters: %w", err)
	}
	return filterRows(g, teams), nil
}

// team are the layers that share channels.
type team struct {
	layers []*producer
	ratio  float64
	why    string
	gone   []int // classes
}

// producer is an operator whose filters make channels.
type producer struct {
	op      *graph.Op
	classes []int // of each filter
	ratio   float64
	why     string
}

// plan forms teams and chooses the classes that go.
func (f Filters) plan(g *graph.Graph, c *channels) ([]*team, error) {
	producers, err := f.producers(g, c)
	if err != nil {
		return nil, err
	}
	var teams []*team
	of := map[int]*team{} // by class
	for _, p := range producers {
		t := &team{ratio: p.ratio, why: p.why}
		for _, class := range p.classes {
			other := of[class]
			if class == frozen || other == nil || other == t {
				continue
			}
			for _, q := range other.layers { // teams that meet become one
				for _, class := range q.classes {
					of[class] = t
				}
			}
			t.layers = append(t.layers, other.layers...)
			if other.ratio < t.ratio {
				t.ratio, t.why = other.ratio, other.why
			}
			teams = slices.DeleteFunc(teams, func(x *team) bool { return x == other })
		}
		for _, class := range p.classes {
			if class != frozen {
				of[class] = t
			}
		}
		t.layers = append(t.layers, p)
		teams = append(teams, t)
	}
	for _, t := range teams {
		if err := f.choose(g, t); err != nil {
			return nil, err
		}
	}
	return teams, nil
}

// producers are the layers with filters and what the rules say of them.
func (f Filters) producers(g *graph.Graph, c *channels) ([]*producer, error) {
	if err := f.check(g); err != nil {
		return nil, err
	}
	var producers []*producer
	var ops []*graph.Op
	for _, o := range linear(g) {
		if w := o.In[1].Var; w != nil && !isDepthwise(o) {
			p := &producer{op: o, ratio: f.Ratio}
			for _, l := range c.varAxis(w, len(w.Shape)-1) {
				p.classes = append(p.classes, c.class(l))
			}
			producers, ops = append(producers, p), append(ops, o)
		}
	}
	for _, r := range f.Rules {
		if err := g.CheckPattern(r.Match, ops); err != nil {
			return nil, err
		}
		if !inRange(r.Ratio) || r.Skip && r.Ratio > 0 {
			return nil, fmt.Errorf("rule %q: ratio %g must be in [0, 1), and 0 with Skip", r.Match, r.Ratio)
		}
	}
	for _, p := range producers {
		i := slices.IndexFunc(f.Rules, func(r FilterRule) bool { return graph.MatchLayer(r.Match, p.op) })
		if i < 0 {
			continue
		}
		p.ratio, p.why = f.Rules[i].Ratio, fmt.Sprintf("rule %q", f.Rules[i].Match)
		if p.ratio > 0 && p.fixed() {
			return nil, fmt.Errorf("%s: %s: %s", p.op.Layer(), p.why, mustStay)
		}
	}
	return producers, nil
}

const mustStay = "its channels must stay: they reach an output, or an operator that mixes them"

// fixed tells that no filter can go.
func (p *producer) fixed() bool {
	return !slices.ContainsFunc(p.classes, func(class int) bool { return class != frozen })
}

func (f Filters) check(g *graph.Graph) error {
	if !inRange(f.Ratio) {
		return fmt.Errorf("ratio %g must be in [0, 1)", f.Ratio)
	}
	if f.Norm != "" && f.Norm != "l1" && f.Norm != "l2" {
		return fmt.Errorf("norm %q is neither \"l1\" nor \"l2\"", f.Norm)
	}
	if f.Multiple < 0 {
		return fmt.Errorf("multiple %d must be positive", f.Multiple)
	}
	for _, o := range g.Ops {
		switch kind := graph.KindName(o.Kind); kind {
		case "Mask", "Cluster", "FakeQuant":
			return fmt.Errorf("%s has a %s already (%s): filters go first, for masks, centroids and ranges are those of the smaller kernels", g.Name, kind, o.Name)
		}
	}
	for _, v := range g.Vars {
		if v.Promise != nil {
			return fmt.Errorf("%s: %v was promised of the whole kernel: filters go first", v.Name, *v.Promise)
		}
	}
	return nil
}

// choose finds the classes of a team that go: the weakest, as long as every layer keeps a filter.
func (f Filters) choose(g *graph.Graph, t *team) error {
	if t.ratio == 0 {
		return nil
	}
	score, err := f.scores(g, t)
	if err != nil {
		return err
	}
	var classes []int
	for class := range score {
		classes = append(classes, class)
	}
	slices.SortFunc(classes, func(a, b int) int { return cmp.Or(cmp.Compare(score[a], score[b]), cmp.Compare(a, b)) })
	keep := len(classes) - int(t.ratio*float64(len(classes))+1e-9)
	if m := f.Multiple; m > 1 {
		keep = (keep + m - 1) / m * m
	}
	left := map[*producer]int{}
	for _, p := range t.layers {
		left[p] = len(p.classes)
	}
	for _, class := range classes {
		if len(classes)-len(t.gone) <= keep {
			break
		}
		spared := false
		for _, p := range t.layers {
			spared = spared || p.count(class) == left[p]
		}
		if spared {
			continue
		}
		for _, p := range t.layers {
			left[p] -= p.count(class)
		}
		t.gone = append(t.gone, class)
	}
	return nil
}

// count is how many filters of a layer are of a class.
func (p *producer) count(class int) (n int) {
	for _, c := range p.classes {
		if c == class {
			n++
		}
	}
	return n
}

// scores are the mean norms of the filters of each class.
func (f Filters) scores(g *graph.Graph, t *team) (map[int]float64, error) {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, p := range t.layers {
		norms := make([]float64, len(p.classes))
		for i, w := range p.op.In[1].Var.Data {
			if x := float64(w); f.Norm == "l1" {
				norms[i%len(norms)] += math.Abs(x)
			} else {
				norms[i%len(norms)] += x * x
			}
		}
		factor := make([]float32, len(norms))
		for i := range factor {
			factor[i] = 1
		}
		if gr := g.Group(p.op); gr.Norm != nil {
			var err error
			if factor, _, err = graph.Affine(gr.Norm); err != nil {
				return nil, err
			}
		}
		for i, class := range p.classes {
			if class == frozen {
				continue
			}
			if f.Norm != "l1" {
				norms[i] = math.Sqrt(norms[i])
			}
			sum[class] += norms[i] * math.Abs(float64(factor[i]))
			n[class]++
		}
	}
	for class := range sum {
		sum[class] /= n[class]
	}
	return sum, nil
}

// filterRows tells of each layer, in order of execution.
func filterRows(g *graph.Graph, teams []*team) []graph.Row {
	at := map[*graph.Op]graph.Row{}
	for _, t := range teams {
		for _, p := range t.layers {
			kept := len(p.classes)
			for _, class := range t.gone {
				kept -= p.count(class)
			}
			r := graph.Row{Layer: p.op.Layer(), Setting: fmt.Sprintf("%d of %d filters stay", kept, len(p.classes)), Reason: t.why}
			switch {
			case p.fixed():
				r.Setting, r.Reason = "left alone", mustStay
			case len(t.gone) == 0:
				r.Setting = "left alone"
				if t.why == "" {
					r.Reason = fmt.Sprintf("ratio %g takes none", t.ratio)
				}
			}
			var others []string
			for _, q := range t.layers {
				if q != p {
					others = append(others, q.op.Layer())
				}
			}
			if len(others) > 0 {
				r.Reason = strings.TrimPrefix(r.Reason+"; shares its channels with "+strings.Join(others, ", "), "; ")
			}
			at[p.op] = r
		}
	}
	var rows []graph.Row
	for _, o := range g.Ops {
		if r, ok := at[o]; ok {
			rows = append(rows, r)
		}
	}
	return rows
}
