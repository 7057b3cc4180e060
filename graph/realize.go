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
	for _, st := range s.plan() {
		if err := r.stage(st); err != nil {
			return nil, fmt.Errorf("%s: %w", st.last().Name, err)
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

// stage adds the node of a stage. It reads what its Ops read, without the values inside the chain.
func (r *realizer) stage(st stage) error {
	last := st.last()
	at := &instance{name: last.Name, kind: st.kinds(), ops: st, out: last.Out.Shape.With(r.p.n), first: -1, time: r.times.stage(st)}
	var in gorgonia.Nodes
	for k, o := range st {
		d := DefOf(o.Kind)
		for i, v := range o.In {
			if k == 0 || i > 0 {
				at.read(v.Shape.With(r.p.n), d.Port(i).Diff && r.need[v])
				in = append(in, r.nodes[v])
			}
		}
	}
	at.inBuf = make([][]float32, len(in))
	at.y = newBuffer(at.out)
	var err error
	if at.kernel, err = st.kernel(r.p.n, r.loss != nil); err != nil {
		return err
	}
	if r.nodes[last.Out], err = apply(newForward(at), in...); err != nil {
		return err
	}
	r.p.at[last.Name] = at
	r.p.order = append(r.p.order, at)
	return nil
}

// read adds an input.
func (at *instance) read(s Shape, diff bool) {
	var dx buffer
	if diff {
		dx = newBuffer(s)
		if at.first < 0 {
			at.first = len(at.in)
		}
	}
	at.in, at.diff, at.dx, at.dxBuf = append(at.in, s), append(at.diff, diff), append(at.dx, dx), append(at.dxBuf, dx.x)
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
		node, err := sumGradients(v.Name, v.Shape, grads[i], nil)
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
