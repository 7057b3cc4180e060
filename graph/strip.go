package graph

import (
	"fmt"
	"slices"
)

// Strip replaces what conditioners put between a kernel and its reader (Mask, Cluster; not FakeQuant) by the numbers that it computes, to the same
// bits, and keeps on the Var what was promised of them. The kernel keeps its name and stays trainable; the conditioners' own Vars go where nothing
// else reads them. A kernel that is read without them, too, stays as it is, and the numbers go into a Var with the name of the last Op.
// On an error g is unchanged.
func Strip(g *Graph) error {
	work := g.Clone()
	if err := work.strip(); err != nil {
		return fmt.Errorf("strip %s: %w", g.Name, err)
	}
	*g = *work
	return nil
}

func (g *Graph) strip() error {
	for _, o := range slices.Clone(g.Ops) {
		if !isConditioned(o.Out) || g.onlyConditions(o.Out) {
			continue
		}
		data, err := Const(o.Out)
		if err != nil {
			return err
		}
		p, err := PromiseOf(o.Out)
		if err != nil {
			return err
		}
		v := g.kernelBehind(o)
		if v == nil {
			g.Ops = slices.DeleteFunc(g.Ops, func(x *Op) bool { return x == o }) // its name goes to the Var
			role, trainable := Weight, false
			if root := rootVar(o.Out); root != nil {
				role, trainable = root.Role, root.Trainable
			}
			if v, err = g.AddVar(o.Name, role, trainable, o.Out.Shape, nil); err != nil {
				return err
			}
		}
		v.Data, v.Promise = slices.Clone(data), &p
		g.Rewire(o.Out, v.Value, nil)
	}
	g.RemoveDead()
	return g.Check()
}

// isConditioned tells whether v is the output of a conditioner's Op.
func isConditioned(v *Value) bool {
	if v.Op == nil {
		return false
	}
	_, ok := v.Op.Kind.(conditions)
	return ok && IsConst(v)
}

// onlyConditions tells whether nothing but further conditioners of the same kernel reads v.
func (g *Graph) onlyConditions(v *Value) bool {
	for _, r := range g.Readers(v) {
		if r.In[0] != v || !isConditioned(r.Out) {
			return false
		}
	}
	return !g.IsOutput(v)
}

// rootVar is the Var at the begin of a chain of conditioners, or nil.
func rootVar(v *Value) *Var {
	for isConditioned(v) {
		v = v.Op.In[0]
	}
	return v.Var
}

// kernelBehind is the Var that can take the value of the chain that ends with o: when the chain reads nothing but it and nothing else reads it.
func (g *Graph) kernelBehind(o *Op) *Var {
	for v := o.Out; ; v = v.Op.In[0] {
		if readers := g.Readers(v); v != o.Out && (len(readers) != 1 || g.IsOutput(v)) {
			return nil
		}
		if !isConditioned(v) {
			return v.Var
		}
	}
}
