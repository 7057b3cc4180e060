package graph

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// realize makes the expression graph for a batch of n. Gorgonia reports errors by panicking while it compiles; they become errors here.
func (s *Session) realize(n int) (p *program, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("realising: %v", r)
		}
	}()
	r := &realizer{Session: s, eg: gorgonia.NewGraph(), nodes: map[*Value]*gorgonia.Node{}, need: map[*Value]bool{}}
	r.p = &program{n: n, at: map[string]*instance{}}
	if s.loss != nil {
		r.need = needsGradient(s.g)
	}
	for _, v := range s.g.Inputs {
		b := newBuffer(v.Shape.With(n))
		r.p.inputs = append(r.p.inputs, b)
		r.leaf(v, b.t)
	}
	for _, v := range s.g.Vars {
		r.leaf(v.Value, bind(v.Data, v.Shape))
	}
	used := r.wanted()
	for _, o := range s.g.Ops {
		if !used[o.Out] {
			continue
		}
		if err := r.op(o); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return r.p, r.compile()
}

type realizer struct {
	*Session
	eg     *gorgonia.ExprGraph
	nodes  map[*Value]*gorgonia.Node
	leaves gorgonia.Nodes
	need   map[*Value]bool // values that need a gradient
	p      *program
}

func (r *realizer) leaf(v *Value, t *tensor.Dense) {
	node := gorgonia.NewTensor(r.eg, tensor.Float32, t.Dims(), gorgonia.WithName(v.Name), gorgonia.WithShape(t.Shape()...), gorgonia.WithValue(t))
	r.nodes[v] = node
	r.leaves = append(r.leaves, node)
}

// wanted are the values that the session computes: all that the outputs depend on, or in training, all that the loss depends on.
func (r *realizer) wanted() map[*Value]bool {
	if r.loss != nil {
		return ancestors(r.predict)
	}
	return ancestors(r.g.Outputs...)
}

func (r *realizer) op(o *Op) error {
	at := &instance{name: o.Name, kind: KindName(o.Kind), out: o.Out.Shape.With(r.p.n), first: -1}
	d := DefOf(o.Kind)
	in := make(gorgonia.Nodes, len(o.In))
	for i, v := range o.In {
		s := v.Shape.With(r.p.n)
		at.in = append(at.in, s)
		diff := d.Port(i).Diff && r.need[v]
		at.diff = append(at.diff, diff)
		at.dx = append(at.dx, buffer{})
		if diff {
			at.dx[i] = newBuffer(s)
			if at.first < 0 {
				at.first = i
			}
		}
		at.dxBuf = append(at.dxBuf, at.dx[i].x)
		in[i] = r.nodes[v]
	}
	at.inBuf = make([][]float32, len(in))
	at.y = newBuffer(at.out)
	var err error
	if at.kernel, err = o.Kind.Kernel(Context{Op: o.Name, In: at.in, Out: at.out, Train: r.loss != nil}); err != nil {
		return err
	}
	if r.nodes[o.Out], err = apply(newForward(at), in...); err != nil {
		return err
	}
	r.p.at[o.Name] = at
	r.p.order = append(r.p.order, at)
	return nil
}

// compile differentiates and makes the machine. Only what the roots need is compiled.
func (r *realizer) compile() error {
	var roots gorgonia.Nodes
	if r.loss == nil {
		for _, v := range r.g.Outputs {
			roots = append(roots, r.nodes[v])
		}
	} else {
		grads, err := r.differentiate()
		if err != nil {
			return err
		}
		roots = grads
	}
	used := map[*gorgonia.Node]bool{}
	for _, n := range r.eg.ExactSubgraphRoots(roots...).AllNodes() {
		used[n] = true
	}
	inputs := slices.DeleteFunc(slices.Clone(r.leaves), func(n *gorgonia.Node) bool { return !used[n] })
	prog, locations, err := gorgonia.CompileFunction(r.eg, inputs, roots)
	if err != nil {
		return err
	}
	r.p.vm = gorgonia.NewTapeMachine(r.eg, gorgonia.WithPrecompiled(prog, locations))
	return nil
}

// differentiate adds the loss and the gradients, and returns them as roots.
func (r *realizer) differentiate() (gorgonia.Nodes, error) {
	pred := r.nodes[r.predict]
	shape := r.predict.Shape.With(r.p.n)
	r.p.loss = &lossOp{base: base{"loss of " + r.predict.Name, []Shape{shape}, Shape{}}, loss: r.loss, n: r.p.n, value: new(gorgonia.F32), grad: newBuffer(shape)}
	cost, err := apply(r.p.loss, pred)
	if err != nil {
		return nil, err
	}
	wrt := make(gorgonia.Nodes, len(r.params))
	for i, v := range r.params {
		wrt[i] = r.nodes[v.Value]
	}
	grads, err := gorgonia.Grad(cost, wrt...)
	if err != nil {
		return nil, err
	}
	roots := gorgonia.Nodes{cost}
	for i, v := range r.params {
		node, err := sumGradients(v.Name, v.Shape, grads[i])
		if err != nil {
			return nil, err
		}
		roots = append(roots, node)
		r.p.grads = append(r.p.grads, gradientData(node))
	}
	return roots, nil
}

// gradientData is where an op of ours leaves its result: the same memory in every step.
func gradientData(n *gorgonia.Node) []float32 {
	switch o := n.Op().(type) {
	case *gradOp:
		return o.at.dx[o.at.first].x
	case *stashOp:
		return o.at.dx[o.input].x
	case *sumOp:
		return o.y.x
	}
	return nil
}
