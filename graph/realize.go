package graph

import (
	"fmt"
	"runtime"
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
	r := &realizer{Session: s, eg: gorgonia.NewGraph(), nodes: map[*Value]*gorgonia.Node{}, memory: map[*Value]*buffer{}, need: map[*Value]bool{},
		tails: map[*Value]*tail{}}
	r.p = &program{n: n, at: map[string]*instance{}, tape: &tape{blank: bind([]float32{0}, Shape{1})}}
	if s.loss != nil {
		r.need = needsGradient(s.g)
	}
	for _, v := range s.g.Inputs {
		b := newBuffer(v.Shape.With(n))
		b.kept, r.memory[v] = true, b
		r.p.inputs = append(r.p.inputs, b)
		r.leaf(v, b.shape)
	}
	for _, v := range s.g.Vars {
		r.leaf(v.Value, v.Shape)
	}
	stages := s.plan()
	r.onLoad = s.onLoad(stages)
	for _, st := range stages {
		if err := r.stage(st); err != nil {
			return nil, fmt.Errorf("%s: %w", st.last().Name, err)
		}
	}
	if err := r.compile(); err != nil {
		return nil, err
	}
	r.p.leaves = r.leaves[:len(s.g.Inputs)]
	return r.p, s.layOut(r.p)
}

// layOut finds the order of a program's ops and gives its buffers their places. Where the session's memory is too small it is made anew, and the programs
// of other batch sizes, which lie in the old one, go: they are made again when they are needed.
func (s *Session) layOut(p *program) error {
	p.tape.recording = true
	err := p.vm.RunAll()
	p.vm.Reset()
	if err != nil {
		return err
	}
	p.tape.recording = false
	for _, b := range p.inputs {
		p.tape.use(0, b) // also one that nobody reads
	}
	if s.memory.hold(p.tape.layOut(!s.private)) {
		if err := s.Close(); err != nil {
			return err
		}
	}
	for _, b := range p.tape.buffers {
		b.place(s.memory.x[b.at:])
	}
	for _, at := range p.order {
		at.bind()
	}
	for i, node := range p.leaves {
		if err := gorgonia.Let(node, p.inputs[i].t); err != nil {
			return err
		}
	}
	for _, b := range p.sums {
		p.grads = append(p.grads, b.x)
	}
	return nil
}

type realizer struct {
	*Session
	eg     *gorgonia.ExprGraph
	nodes  map[*Value]*gorgonia.Node
	leaves gorgonia.Nodes
	memory map[*Value]*buffer // of inputs and Ops
	need   map[*Value]bool    // values that need a gradient
	onLoad map[*Value]bool    // values that their readers finish
	tails  map[*Value]*tail   // what is left to do to them
	p      *program
}

// leaf adds an input or a Var. The tensor of an input comes when the memory is laid out; until then it has one number of the same rank.
func (r *realizer) leaf(v *Value, s Shape) {
	s = ranked(s)
	t := bind([]float32{0}, slices.Repeat(Shape{1}, len(s)))
	if v.Var != nil {
		t = bind(v.Var.Data, s)
	}
	node := gorgonia.NewTensor(r.eg, tensor.Float32, len(s), gorgonia.WithName(v.Name), gorgonia.WithShape(s...), gorgonia.WithValue(t))
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
				r.read(at, v, d.Port(i).Diff && r.need[v])
				in = append(in, r.nodes[v])
			}
		}
	}
	at.inBuf, at.dxBuf = make([][]float32, len(in)), make([][]float32, len(in))
	at.y = newBuffer(at.out)
	at.y.kept = r.readable(last.Out)
	r.memory[last.Out] = at.y
	var k keeper
	var err error
	if at.kernel, err = st.kernel(setting{r.p.n, r.loss != nil, r.onLoad[last.Out], r.tails, &k}); err != nil {
		return err
	}
	at.keeps = k.buffers
	if r.onLoad[last.Out] {
		r.tails[last.Out] = at.kernel.(tailed).leaves()
	}
	if r.nodes[last.Out], err = apply(newForward(r.p.tape, at), in...); err != nil {
		return err
	}
	r.p.at[last.Name] = at
	r.p.order = append(r.p.order, at)
	return nil
}

// read adds an input.
func (r *realizer) read(at *instance, v *Value, diff bool) {
	s := v.Shape.With(r.p.n)
	var dx *buffer
	if diff {
		dx = newBuffer(s)
		if at.first < 0 {
			at.first = len(at.in)
		}
	}
	if v.Var != nil {
		r.p.vars = append(r.p.vars, argument{at, len(at.in), v.Var})
	}
	at.in, at.diff, at.x, at.dx = append(at.in, s), append(at.diff, diff), append(at.x, r.memory[v]), append(at.dx, dx)
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
	runtime.SetFinalizer(r.p.vm, nil) // its finalizer does nothing, but keeps the session's memory for a collection more
	return nil
}

// differentiate adds the loss and the gradients, and returns them as roots.
func (r *realizer) differentiate() (gorgonia.Nodes, error) {
	pred := r.nodes[r.predict]
	shape := r.predict.Shape.With(r.p.n)
	r.p.loss = &lossOp{base: base{"loss of " + r.predict.Name, r.p.tape, []Shape{shape}, Shape{}}, loss: r.loss, n: r.p.n, value: new(gorgonia.F32),
		pred: r.memory[r.predict], grad: newBuffer(shape)}
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
		node, err := sumGradients(r.p.tape, v.Name, v.Shape, grads[i], nil)
		if err != nil {
			return nil, err
		}
		roots = append(roots, node)
		sum := gradientBuffer(node)
		sum.kept = true
		r.p.sums = append(r.p.sums, sum)
	}
	return roots, nil
}
