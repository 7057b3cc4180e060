package sparsity

import (
	"slices"

	"github.com/temper-ml/temper/graph"
)

// channels knows which channels of a graph can go only together. Each index of the channel axis of a value, and of the axes of Vars, has a label; labels
// that an operator ties (both sides of an addition, a BatchNorm's Vars and its input, the copies that Flatten makes) are one class of a union-find.
// The labels that must stay - the network's inputs and outputs, what an operator mixes - are in the class of label 0.
type channels struct {
	parent []int
	values map[*graph.Value]labels
	vars   map[*graph.Var]map[int][]int // by axis
}

// labels are those along one axis of a value; the others cannot change.
type labels struct {
	axis int
	at   []int
}

const frozen = 0

// channelsOf labels all values and Vars of g.
func channelsOf(g *graph.Graph) *channels {
	c := &channels{parent: []int{frozen}, values: map[*graph.Value]labels{}, vars: map[*graph.Var]map[int][]int{}}
	for _, v := range g.Inputs {
		c.freeze(v)
	}
	for _, o := range g.Ops {
		c.op(o)
	}
	for _, v := range g.Outputs {
		c.freeze(v)
	}
	return c
}

// class is the representative of a label's class; frozen for those that must stay.
func (c *channels) class(label int) int {
	for c.parent[label] != label {
		c.parent[label] = c.parent[c.parent[label]]
		label = c.parent[label]
	}
	return label
}

// tie makes one class of two labels; the smaller label represents it, so that frozen stays frozen.
func (c *channels) tie(a, b int) {
	a, b = c.class(a), c.class(b)
	c.parent[max(a, b)] = min(a, b)
}

func (c *channels) tieAll(a, b []int) {
	for i := range a {
		c.tie(a[i], b[i])
	}
}

// varAxis are the labels of an axis of a Var, new ones at the first call.
func (c *channels) varAxis(v *graph.Var, axis int) []int {
	if c.vars[v] == nil {
		c.vars[v] = map[int][]int{}
	}
	if c.vars[v][axis] == nil {
		at := make([]int, v.Shape[axis])
		for i := range at {
			at[i] = len(c.parent)
			c.parent = append(c.parent, at[i])
		}
		c.vars[v][axis] = at
	}
	return c.vars[v][axis]
}

// freeze makes all channels of a value stay, and all of a constant's Vars.
func (c *channels) freeze(v *graph.Value) {
	switch {
	case v.Var != nil:
		for axis := range v.Shape {
			for _, l := range c.varAxis(v.Var, axis) {
				c.tie(l, frozen)
			}
		}
	case graph.IsConst(v):
		for _, in := range v.Op.In {
			c.freeze(in)
		}
	case c.values[v].at == nil:
		axis := len(v.Shape) - 1
		c.values[v] = labels{axis, make([]int, size(v.Shape, axis))}
	default:
		for _, l := range c.values[v].at {
			c.tie(l, frozen)
		}
	}
}

// along are the labels of a value along an axis. A value that has its own along another one is frozen.
func (c *channels) along(v *graph.Value, axis int) []int {
	if l := c.values[v]; l.axis == axis {
		return l.at
	}
	c.freeze(v)
	return make([]int, size(v.Shape, axis))
}

// size is that of an axis; the batch, which a value of one number an example has as its last, counts as one.
func size(s graph.Shape, axis int) int { return max(1, s[axis]) }

// last are the labels of a value along its last axis.
func (c *channels) last(v *graph.Value) []int { return c.along(v, len(v.Shape)-1) }

// op labels the output of an operator, and ties what it ties.
func (c *channels) op(o *graph.Op) {
	if graph.IsConst(o.Out) {
		return // frozen by what reads it
	}
	x, end := o.In[0], len(o.Out.Shape)-1
	if graph.IsConst(x) {
		c.mixed(o)
		return
	}
	switch k := o.Kind.(type) {
	case graph.Conv2D, graph.TransposeConv2D, graph.Dense, graph.DepthwiseConv2D:
		w := o.In[1].Var
		if w == nil {
			c.mixed(o)
			return
		}
		in, rank := c.last(x), len(w.Shape)
		out := c.varAxis(w, rank-1)
		if isDepthwise(o) {
			for i := range out {
				c.tie(out[i], in[i/(len(out)/len(in))])
			}
		} else {
			c.tieAll(c.varAxis(w, rank-2), in)
		}
		c.values[o.Out] = labels{end, out}
	case graph.BiasAdd, graph.BatchNorm, graph.PReLU:
		at := c.last(x)
		for _, v := range o.In[1:] {
			c.tieOperand(v, 0, at)
		}
		c.values[o.Out] = labels{end, at}
	case graph.ReLU, graph.ReLU6, graph.LeakyReLU, graph.HardSwish, graph.Sigmoid, graph.Tanh, graph.Dropout:
		c.values[o.Out] = c.values[x]
	case graph.MaxPool2D, graph.AvgPool2D, graph.Pad, graph.Resize, graph.GlobalAvgPool:
		c.values[o.Out] = labels{end, c.last(x)}
	case graph.Add, graph.Sub, graph.Mul:
		c.binary(o)
	case graph.Reshape:
		c.reshape(o)
	case graph.Concat:
		c.concat(o, k.Axis)
	default:
		c.mixed(o)
	}
}

// mixed is an operator whose channels depend on one another, or one that is not known here.
func (c *channels) mixed(o *graph.Op) {
	for _, v := range o.In {
		c.freeze(v)
	}
	c.freeze(o.Out)
}

// tieOperand ties an axis of a constant operand to labels.
func (c *channels) tieOperand(v *graph.Value, axis int, at []int) {
	if v.Var != nil {
		c.tieAll(c.varAxis(v.Var, axis), at)
		return
	}
	c.freeze(v)
	for _, l := range at {
		c.tie(l, frozen)
	}
}

// binary ties the operands of an element-wise operator where the second does not repeat.
func (c *channels) binary(o *graph.Op) {
	a, b := o.In[0], o.In[1]
	la := c.values[a]
	axis := la.axis - (len(a.Shape) - len(b.Shape)) // of b: dimensions are aligned at the end
	c.values[o.Out] = la
	switch {
	case axis < 0 || b.Shape[axis] == 1 && a.Shape[la.axis] != 1: // b repeats along the labels of a: it has none that could go
		if !graph.IsConst(b) {
			c.freeze(b)
		}
	case graph.IsConst(b):
		c.tieOperand(b, axis, la.at)
	case len(a.Shape) != len(b.Shape):
		c.mixed(o)
	default:
		c.tieAll(la.at, c.along(b, axis))
	}
}

// concat puts labels one after the other, or ties them where the values are joined along another axis.
func (c *channels) concat(o *graph.Op, axis int) {
	if axis < 0 {
		axis += len(o.Out.Shape)
	}
	on := c.values[o.In[0]].axis
	for _, v := range o.In {
		if c.values[v].axis == axis {
			on = axis
		}
	}
	at := c.along(o.In[0], on)
	for _, v := range o.In[1:] {
		if next := c.along(v, on); on == axis {
			at = slices.Concat(at, next)
		} else {
			c.tieAll(at, next)
		}
	}
	c.values[o.Out] = labels{on, at}
}

// reshape finds the axis of the output along which the labels of the input stay apart best, and ties those that share an index of it.
func (c *channels) reshape(o *graph.Op) {
	from, in, out := c.values[o.In[0]], o.In[0].Shape, o.Out.Shape
	best, most := len(out)-1, 0
	for axis := len(out) - 1; axis > 0; axis-- {
		trial := &channels{parent: slices.Clone(c.parent)}
		if n := trial.distinct(trial.regroup(from, in, out, axis)); n > most {
			best, most = axis, n
		}
	}
	c.values[o.Out] = labels{best, c.regroup(from, in, out, best)}
}

// regroup ties the labels of all values that share an index of an axis of the output, and returns one for each index.
func (c *channels) regroup(from labels, in, out graph.Shape, axis int) []int {
	inner, outer := graph.Shape(in[from.axis+1:]).Volume(), graph.Shape(out[axis+1:]).Volume()
	at := make([]int, out[axis])
	for i := range at {
		at[i] = -1
	}
	for p := range in.Volume() {
		l, i := from.at[p/inner%len(from.at)], p/outer%len(at)
		if at[i] < 0 {
			at[i] = l
		}
		c.tie(at[i], l)
	}
	return at
}

// distinct counts classes.
func (c *channels) distinct(at []int) int {
	seen := map[int]bool{}
	for _, l := range at {
		seen[c.class(l)] = true
	}
	return len(seen)
}
