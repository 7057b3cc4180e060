package graph

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Session runs a graph, in one mode, for any batch size: for each size that it meets it makes one Gorgonia expression graph and one tape machine,
// which share the data of the Vars. It is not safe for concurrent use. After a change of the graph's structure make a new Session.
type Session struct {
	g        *Graph
	loss     Loss // nil in an eval session
	predict  *Value
	params   []*Var
	programs map[int]*program
	last     *program
}

// NewEval makes a session for inference: dropout passes, BatchNorm uses its moving statistics, quantization ranges stand still.
func NewEval(g *Graph) (*Session, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	return &Session{g: g, predict: g.Outputs[0], programs: map[int]*program{}}, nil
}

// NewTrain makes a session that computes the loss of the first output and its gradients by the trainable Vars.
func NewTrain(g *Graph, loss Loss) (*Session, error) {
	s, err := NewEval(g)
	if err != nil {
		return nil, err
	}
	s.loss = loss
	if loss.FromLogits() {
		s.predict = logits(s.predict)
	}
	need := needsGradient(g)
	if !need[s.predict] {
		return nil, fmt.Errorf("graph %s: no trainable Var influences the output %s", g.Name, s.predict.Name)
	}
	used := ancestors(s.predict)
	for _, v := range g.Vars {
		if v.Trainable && used[v.Value] && need[v.Value] {
			s.params = append(s.params, v)
		}
	}
	return s, nil
}

// logits looks through fake quantizers and a final softmax or sigmoid.
func logits(v *Value) *Value {
	for at := v; at.Op != nil; at = at.Op.In[0] {
		switch KindName(at.Op.Kind) {
		case "FakeQuant":
			continue
		case "Softmax", "Sigmoid":
			return at.Op.In[0]
		}
		break
	}
	return v
}

// program is the graph realised for one batch size.
type program struct {
	n       int
	vm      gorgonia.VM
	inputs  []buffer
	at      map[string]*instance
	order   []*instance
	loss    *lossOp
	grads   [][]float32 // of the session's params, in their order
	predict []float32
}

// Params are the trainable Vars that the loss depends on; Grads are their gradients after Step, in the same order.
func (s *Session) Params() []*Var { return s.params }

// Grads returns the gradients of the last Step, valid until the next; nil before the first.
func (s *Session) Grads() [][]float32 {
	if s.last == nil {
		return nil
	}
	return s.last.grads
}

// Forward runs the network of an eval session on len(x)/volume examples: one slice an input.
func (s *Session) Forward(x ...[]float32) error {
	if s.loss != nil {
		return fmt.Errorf("graph %s: Forward needs an eval session; a training session makes a Step", s.g.Name)
	}
	p, err := s.load(x)
	if err != nil {
		return err
	}
	return s.run(p)
}

// Step runs forward and backward, and returns the mean loss. A loss that is not finite is an error that names the Op where the first value that
// is not finite appeared.
func (s *Session) Step(target []float32, x ...[]float32) (float64, error) {
	if s.loss == nil {
		return 0, fmt.Errorf("graph %s: Step needs a training session", s.g.Name)
	}
	p, err := s.load(x)
	if err != nil {
		return 0, err
	}
	per := s.loss.TargetLen(s.predict.Shape.Volume())
	if len(target) != p.n*per {
		return 0, fmt.Errorf("graph %s: %d target values for %d examples, want %d", s.g.Name, len(target), p.n, p.n*per)
	}
	p.loss.target = target
	if err := s.run(p); err != nil {
		return 0, err
	}
	if l := p.loss.mean; math.IsNaN(l) || math.IsInf(l, 0) {
		return l, fmt.Errorf("the loss is %g; %s", l, s.culprit(p))
	}
	return p.loss.mean, nil
}

// Output returns the i-th output of the last run, examples one after the other, valid until the next run.
func (s *Session) Output(i int) []float32 { return s.Value(s.g.Outputs[i].Name) }

// Prediction is what the loss was computed from: the first output, or its logits.
func (s *Session) Prediction() []float32 { return s.Value(s.predict.Name) }

// Value returns an input, Var or Op output of the last run by name, nil when it was not computed.
func (s *Session) Value(name string) []float32 {
	if v := s.g.Var(name); v != nil {
		return v.Data
	}
	if s.last == nil {
		return nil
	}
	for i, v := range s.g.Inputs {
		if v.Name == name {
			return s.last.inputs[i].x
		}
	}
	if at := s.last.at[name]; at != nil {
		return at.y.x
	}
	return nil
}

// Close releases the machines.
func (s *Session) Close() error {
	var first error
	for _, p := range s.programs {
		if err := p.vm.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.programs = map[int]*program{}
	return first
}

func (s *Session) load(x [][]float32) (*program, error) {
	if len(x) != len(s.g.Inputs) {
		return nil, fmt.Errorf("graph %s has %d inputs, %d given", s.g.Name, len(s.g.Inputs), len(x))
	}
	n := 0
	for i, v := range s.g.Inputs {
		volume := v.Shape.Volume()
		k := len(x[i]) / volume
		if k == 0 || k*volume != len(x[i]) || i > 0 && k != n {
			return nil, fmt.Errorf("graph %s: input %s of shape %v got %d values, not a multiple of %d for %d examples",
				s.g.Name, v.Name, v.Shape, len(x[i]), volume, max(n, 1))
		}
		n = k
	}
	p := s.programs[n]
	if p == nil {
		var err error
		if p, err = s.realize(n); err != nil {
			return nil, fmt.Errorf("graph %s, batch %d: %w", s.g.Name, n, err)
		}
		s.programs[n] = p
	}
	s.last = p
	for i := range x {
		copy(p.inputs[i].x, x[i])
	}
	return p, nil
}

func (s *Session) run(p *program) error {
	defer p.vm.Reset()
	if err := p.vm.RunAll(); err != nil {
		return fmt.Errorf("graph %s: %w", s.g.Name, err)
	}
	return nil
}

// culprit finds where the first number that is not finite came from.
func (s *Session) culprit(p *program) string {
	for i, v := range s.g.Inputs {
		if !finite(p.inputs[i].x) {
			return fmt.Sprintf("the input %s holds NaN or Inf", v.Name)
		}
	}
	for _, at := range p.order {
		for _, v := range s.g.Op(at.name).In {
			if v.Var != nil && !finite(v.Var.Data) {
				return fmt.Sprintf("the var %s, read by %s, holds NaN or Inf: lower the learning rate or clip the gradients", v.Name, at.name)
			}
		}
		if !finite(at.y.x) {
			return fmt.Sprintf("%s (%s) made the first NaN or Inf", at.name, at.kind)
		}
	}
	return "all values of the network are finite: the loss itself overflows"
}

func finite(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

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

// needsGradient marks the values that a trainable Var influences along differentiable inputs.
func needsGradient(g *Graph) map[*Value]bool {
	need := map[*Value]bool{}
	for _, v := range g.Vars {
		need[v.Value] = v.Trainable
	}
	for _, o := range g.Ops {
		d := DefOf(o.Kind)
		for i, v := range o.In {
			if d.Port(i).Diff && need[v] {
				need[o.Out] = true
			}
		}
	}
	return need
}

// ancestors are the values that the given ones depend on, themselves included.
func ancestors(of ...*Value) map[*Value]bool {
	seen := map[*Value]bool{}
	var walk func(v *Value)
	walk = func(v *Value) {
		if seen[v] {
			return
		}
		seen[v] = true
		if v.Op != nil {
			for _, in := range v.Op.In {
				walk(in)
			}
		}
	}
	for _, v := range of {
		walk(v)
	}
	return seen
}

// Logits returns what a loss is computed from in an eval session: the first output, or for a loss that applies softmax itself, what went into it.
func (s *Session) Logits(l Loss) []float32 {
	v := s.g.Outputs[0]
	if l.FromLogits() {
		v = logits(v)
	}
	return s.Value(v.Name)
}
