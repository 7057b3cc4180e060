package temper

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/optim"
)

// Conditioner changes a network in place, so that training goes on with its zeros, its codebooks or its rounding. On an error the graph is unchanged.
type Conditioner interface {
	Name() string
	Apply(g *graph.Graph) error
}

// scheduled is a Conditioner that follows the steps of training.
type scheduled interface {
	BeforeStep(g *graph.Graph, step int) error
	Steps() int                  // the steps that its schedule needs
	Finish(g *graph.Graph) error // goes to the schedule's end at once
}

// Chain are conditioners in order: the order is the combination.
//
//	chain := temper.Chain{
//		sparsity.Prune{Schedule: sparsity.Polynomial{Final: 0.8, End: 900}},
//		clustering.Cluster{Codes: 16},
//		fakequant.QAT{Config: fakequant.Config{Calibration: digits.Train.Sample(200, 1)}},
//	}
//	err = chain.Apply(net)
//	_, err = fit.Run(ctx, net, digits.Train, chain.Hooks()...)
//
// Applied like this, all train together, and codebook and ranges start from weights without a zero. Mostly better is a training after each:
// apply a chain of one, train, apply the next. Recipes do that.
type Chain []Conditioner

// order are the names of conditioners from first to last, each with what breaks where it comes after a later one. Names on one line exclude each other.
var order = []struct{ names, why string }{
	{"filters", "masks, codebooks and ranges have the shape of the filters that are left"},
	{"prune", "behind a codebook a mask would bring a value that is none of its centroids, and a quantizer must see the zeros"},
	{"cluster", "a quantizer takes over the scales of the codebook, so that rounding does not move its centroids"},
	{"ptq qat", "nothing may change what was rounded"},
}

// place is where a conditioner stands in the order, -1 for one that the table does not know.
func place(name string) int {
	return slices.IndexFunc(order, func(o struct{ names, why string }) bool { return slices.Contains(strings.Fields(o.names), name) })
}

// checkOrder refuses names in an order that cannot keep its promises, and says the right one.
func checkOrder(names []string) error {
	last, lastName := -1, ""
	for _, name := range names {
		at := place(name)
		if at < 0 {
			continue
		}
		switch {
		case at == last && name == lastName:
			return fmt.Errorf("%s stands twice: one with the final settings does it", name)
		case at == last:
			return fmt.Errorf("%s and %s exclude each other: a network is quantized once", lastName, name)
		case at < last:
			return fmt.Errorf("%s comes before %s: %s; the order is %s", name, lastName, order[at].why, strings.Join(sorted(names), ", "))
		}
		last, lastName = at, name
	}
	return nil
}

// sorted are the names in an order that is right.
func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return place(a) - place(b) })
	return slices.Compact(names)
}

// Check refuses a wrong order. The error says the right one.
func (c Chain) Check() error {
	if err := checkOrder(c.Names()); err != nil {
		return fmt.Errorf("chain: %w", err)
	}
	return nil
}

// Names are the names of the conditioners, in order.
func (c Chain) Names() []string {
	var names []string
	for _, x := range c {
		names = append(names, x.Name())
	}
	return names
}

// Apply applies all, each on what those before it made. On an error g is unchanged.
func (c Chain) Apply(g *graph.Graph) error {
	return c.apply(g, func(*graph.Graph, Conditioner) error { return nil })
}

// AtOnce applies all with every schedule at its end, before the next conditioner looks at the weights: conditioning without training. On an error g is
// unchanged.
func (c Chain) AtOnce(g *graph.Graph) error {
	return c.apply(g, func(g *graph.Graph, x Conditioner) error {
		if s, ok := x.(scheduled); ok {
			return s.Finish(g)
		}
		return nil
	})
}

func (c Chain) apply(g *graph.Graph, after func(*graph.Graph, Conditioner) error) error {
	if err := c.Check(); err != nil {
		return err
	}
	work := g.Clone()
	for _, x := range c {
		if err := x.Apply(work); err != nil {
			return err
		}
		if err := after(work, x); err != nil {
			return err
		}
	}
	*g = *work
	return nil
}

// Hooks let the schedules follow the steps of a training.
func (c Chain) Hooks() []optim.Hook {
	var hooks []optim.Hook
	for _, x := range c {
		if s, ok := x.(scheduled); ok {
			hooks = append(hooks, optim.Hook{BeforeStep: s.BeforeStep})
		}
	}
	return hooks
}

// Fits refuses a training of so many steps when a schedule ends after it: what is promised would not be reached.
func (c Chain) Fits(steps int) error {
	for _, x := range c {
		if s, ok := x.(scheduled); ok && s.Steps() > steps {
			return fmt.Errorf("%s: the schedule ends at step %d, the training at step %d: train longer, or let the schedule end sooner", x.Name(), s.Steps(), steps)
		}
	}
	return nil
}

// Describe tells what a conditioner does to each layer of a graph, and why, as a table; "" for one that does not say.
func Describe(c Conditioner, g *graph.Graph) (string, error) {
	d, ok := c.(interface {
		Describe(g *graph.Graph) ([]graph.Row, error)
	})
	if !ok {
		return "", nil
	}
	rows, err := d.Describe(g)
	return graph.Table(rows), err
}
