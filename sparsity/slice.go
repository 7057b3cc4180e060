package sparsity

import (
	"slices"

	"github.com/temper-ml/temper/graph"
)

// without is g without the channels of some classes: Vars are cut, shapes inferred anew.
func (c *channels) without(g *graph.Graph, gone map[int]bool) (*graph.Graph, error) {
	small := &graph.Graph{Name: g.Name}
	to := map[*graph.Value]*graph.Value{}
	for _, v := range g.Inputs {
		to[v] = &graph.Value{Name: v.Name, Shape: slices.Clone(v.Shape)}
		small.Inputs = append(small.Inputs, to[v])
	}
	for _, v := range g.Vars {
		shape, data := v.Shape, v.Data
		for axis, at := range c.vars[v] {
			shape, data = cut(shape, data, axis, c.stay(at, gone))
		}
		n, err := small.AddVar(v.Name, v.Role, v.Trainable, shape, slices.Clone(data))
		if err != nil {
			return nil, err
		}
		to[v.Value] = n.Value
	}
	for _, o := range g.Ops {
		var in []*graph.Value
		for _, v := range o.In {
			in = append(in, to[v])
		}
		kind := o.Kind
		if r, ok := kind.(graph.Reshape); ok && !graph.IsConst(o.Out) {
			r.To = slices.Clone(r.To)
			l := c.values[o.Out]
			r.To[l.axis-1] = len(c.stay(l.at, gone))
			kind = r
		}
		n, err := small.Append(o.Name, kind, in...)
		if err != nil {
			return nil, err
		}
		to[o.Out] = n.Out
	}
	for _, v := range g.Outputs {
		small.Outputs = append(small.Outputs, to[v])
	}
	return small, small.Check()
}

// stay are the indices whose labels do not go.
func (c *channels) stay(at []int, gone map[int]bool) []int {
	var left []int
	for i, l := range at {
		if !gone[c.class(l)] {
			left = append(left, i)
		}
	}
	return left
}

// cut keeps some indices of an axis.
func cut(shape graph.Shape, data []float32, axis int, keep []int) (graph.Shape, []float32) {
	if len(keep) == shape[axis] {
		return shape, data
	}
	inner, n := graph.Shape(shape[axis+1:]).Volume(), shape[axis]
	smaller := slices.Clone(shape)
	smaller[axis] = len(keep)
	out := make([]float32, 0, smaller.Volume())
	for at := 0; at < len(data); at += n * inner {
		for _, i := range keep {
			out = append(out, data[at+i*inner:at+(i+1)*inner]...)
		}
	}
	return smaller, out
}
