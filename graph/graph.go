package graph

import (
	"fmt"
	"slices"
)

// Graph is a network: the Ops stand in order of execution.
type Graph struct {
	Name    string
	Inputs  []*Value
	Vars    []*Var
	Ops     []*Op
	Outputs []*Value
}

// Value is what flows along an edge: an input of the network, a Var, or the output of an Op. Names are unique in a graph.
type Value struct {
	Name  string
	Shape Shape
	Op    *Op  // the Op that makes it, nil for inputs and Vars
	Var   *Var // the Var behind it, nil otherwise
}

// Op applies a Kind to values. Its name is that of its output.
type Op struct {
	Name string
	Kind Kind
	In   []*Value
	Out  *Value
}

// Role tells what a Var is for.
type Role string

const (
	Weight Role = "weight" // kernels: what is pruned, clustered, decayed and quantized
	Bias   Role = "bias"
	Scale  Role = "scale" // gamma of BatchNorm, alpha of PReLU
	State  Role = "state" // moving statistics, ranges, counters: written by the forward pass in training
)

func (r Role) known() bool { return slices.Contains([]Role{Weight, Bias, Scale, State}, r) }

// Var is a named array of numbers.
type Var struct {
	Name      string
	Shape     Shape
	Data      []float32 // row-major
	Role      Role
	Trainable bool
	Promise   *Promise // what conditioners said of it once their Ops are gone (Strip); nil: nothing
	Value     *Value
}

// Input returns the graph's only input, or nil when it has several.
func (g *Graph) Input() *Value {
	if len(g.Inputs) != 1 {
		return nil
	}
	return g.Inputs[0]
}

// Var returns the Var of that name, or nil.
func (g *Graph) Var(name string) *Var {
	for _, v := range g.Vars {
		if v.Name == name {
			return v
		}
	}
	return nil
}

// Op returns the Op of that name, or nil.
func (g *Graph) Op(name string) *Op {
	for _, o := range g.Ops {
		if o.Name == name {
			return o
		}
	}
	return nil
}

// Value returns the input, Var or Op output of that name, or nil.
func (g *Graph) Value(name string) *Value {
	for _, v := range g.Inputs {
		if v.Name == name {
			return v
		}
	}
	if v := g.Var(name); v != nil {
		return v.Value
	}
	if o := g.Op(name); o != nil {
		return o.Out
	}
	return nil
}

// Readers returns the Ops that read v, in order of execution.
func (g *Graph) Readers(v *Value) []*Op {
	var readers []*Op
	for _, o := range g.Ops {
		if slices.Contains(o.In, v) {
			readers = append(readers, o)
		}
	}
	return readers
}

// IsOutput tells whether v is an output of the graph.
func (g *Graph) IsOutput(v *Value) bool { return slices.Contains(g.Outputs, v) }

// AddVar appends a Var with the given contents (zeros when data is nil).
func (g *Graph) AddVar(name string, role Role, trainable bool, shape Shape, data []float32) (*Var, error) {
	if err := g.freeName(name); err != nil {
		return nil, err
	}
	if err := shape.check(); err != nil {
		return nil, fmt.Errorf("var %s: %w", name, err)
	}
	if data == nil {
		data = make([]float32, shape.Volume())
	}
	v := &Var{Name: name, Shape: slices.Clone(shape), Data: data, Role: role, Trainable: trainable}
	v.Value = &Value{Name: name, Shape: v.Shape, Var: v}
	if err := v.check(); err != nil {
		return nil, err
	}
	g.Vars = append(g.Vars, v)
	return v, nil
}

// NewOp makes an Op, infers its shape, and puts it right after the last Op that it depends on (or first).
func (g *Graph) NewOp(name string, kind Kind, in ...*Value) (*Op, error) {
	if err := g.freeName(name); err != nil {
		return nil, err
	}
	at := 0
	for i, o := range g.Ops {
		if slices.Contains(in, o.Out) {
			at = i + 1
		}
	}
	o, err := makeOp(name, kind, in)
	if err != nil {
		return nil, err
	}
	g.Ops = slices.Insert(g.Ops, at, o)
	return o, nil
}

// Append is NewOp at the end of the graph.
func (g *Graph) Append(name string, kind Kind, in ...*Value) (*Op, error) {
	if err := g.freeName(name); err != nil {
		return nil, err
	}
	o, err := makeOp(name, kind, in)
	if err != nil {
		return nil, err
	}
	g.Ops = append(g.Ops, o)
	return o, nil
}

func makeOp(name string, kind Kind, in []*Value) (*Op, error) {
	shape, err := infer(kind, in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	o := &Op{Name: name, Kind: kind, In: slices.Clone(in)}
	o.Out = &Value{Name: name, Shape: shape, Op: o}
	return o, nil
}

// Rewire makes every reader of old, and the outputs, use new instead. Ops for which skip returns true keep old.
func (g *Graph) Rewire(old, new *Value, skip func(*Op) bool) {
	for _, o := range g.Ops {
		if skip != nil && skip(o) {
			continue
		}
		for i, v := range o.In {
			if v == old {
				o.In[i] = new
			}
		}
	}
	for i, v := range g.Outputs {
		if v == old {
			g.Outputs[i] = new
		}
	}
}

// RemoveDead drops Ops and Vars that no output depends on.
func (g *Graph) RemoveDead() {
	live := map[*Value]bool{}
	var mark func(v *Value)
	mark = func(v *Value) {
		if live[v] {
			return
		}
		live[v] = true
		if v.Op != nil {
			for _, in := range v.Op.In {
				mark(in)
			}
		}
	}
	for _, v := range g.Outputs {
		mark(v)
	}
	g.Ops = slices.DeleteFunc(g.Ops, func(o *Op) bool { return !live[o.Out] })
	g.Vars = slices.DeleteFunc(g.Vars, func(v *Var) bool { return !live[v.Value] })
}

// Clone returns a deep copy: Vars have their own data.
func (g *Graph) Clone() *Graph {
	c := &Graph{Name: g.Name}
	to := map[*Value]*Value{}
	for _, v := range g.Inputs {
		n := &Value{Name: v.Name, Shape: slices.Clone(v.Shape)}
		to[v] = n
		c.Inputs = append(c.Inputs, n)
	}
	for _, v := range g.Vars {
		n := &Var{Name: v.Name, Shape: slices.Clone(v.Shape), Data: slices.Clone(v.Data), Role: v.Role, Trainable: v.Trainable}
		if v.Promise != nil {
			p := *v.Promise
			n.Promise = &p
		}
		n.Value = &Value{Name: v.Name, Shape: n.Shape, Var: n}
		to[v.Value] = n.Value
		c.Vars = append(c.Vars, n)
	}
	for _, o := range g.Ops {
		n := &Op{Name: o.Name, Kind: o.Kind}
		for _, v := range o.In {
			n.In = append(n.In, to[v])
		}
		n.Out = &Value{Name: o.Name, Shape: slices.Clone(o.Out.Shape), Op: n}
		to[o.Out] = n.Out
		c.Ops = append(c.Ops, n)
	}
	for _, v := range g.Outputs {
		c.Outputs = append(c.Outputs, to[v])
	}
	return c
}

// freeName refuses a name that is taken or that the text form could not carry.
func (g *Graph) freeName(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if g.Value(name) != nil {
		return fmt.Errorf("the name %q is taken twice", name)
	}
	return nil
}
