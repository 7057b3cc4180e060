package graph

import (
	"fmt"
	"hash"
	"hash/fnv"
	"runtime/debug"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/temper-ml/temper/internal/compute"
)

// This file is the only one that implements gorgonia.Op. Five ops carry every Kind:
//
//	forwardOp   an Op's forward pass
//	gradOp      its backward pass: computes all gradients, returns the first
//	stashOp     hands out another gradient of the same backward pass
//	sumOp       adds gradients where a value has several readers
//	lossOp      the loss, and lossGradOp its gradient
//
// Each returns a tensor in the session's own memory (memory.go), so a step allocates nothing here, and none needs memory from the machine
// (UsePreallocDoer). Each writes the unique name of the Op into its hash, because Gorgonia merges nodes of equal hash without comparing them.

// tapeOp is an op of ours.
type tapeOp interface {
	gorgonia.Op
	run()
	// buffers calls use for the memory that run reads and writes.
	buffers(use func(*buffer))
	result() gorgonia.Value
}

// do runs an op for the machine; in the first run, which only finds out the order, it writes the op down. A panic of a kernel, which runs on the
// tape machine's own goroutine, becomes an error that names the Op.
func (t *tape) do(o tapeOp) (_ gorgonia.Value, err error) {
	if t.recording {
		t.ops = append(t.ops, o)
		return t.blank, nil
	}
	defer guard(o, &err)
	o.run()
	return o.result(), nil
}

func guard(o tapeOp, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%v: %v\n%s", o, r, debug.Stack())
	}
}

// instance is an Op prepared for one batch size: its kernel and the memory of its results.
type instance struct {
	name   string
	kind   string
	ops    stage
	kernel Kernel
	in     []Shape
	out    Shape
	diff   []bool    // inputs whose gradient somebody needs
	first  int       // first of them
	x      []*buffer // inputs; nil for Vars
	y      *buffer
	dy     *buffer
	dx     []*buffer   // nil where not needed
	keeps  []*buffer   // of the kernel
	inBuf  [][]float32 // argument slices
	dxBuf  [][]float32
	time   *StageTime // nil where nothing is measured
}

// bind fills the argument slices, but for those of Vars.
func (at *instance) bind() {
	for i, b := range at.x {
		if b != nil {
			at.inBuf[i] = b.x
		}
		if at.dx[i] != nil {
			at.dxBuf[i] = at.dx[i].x
		}
	}
}

// ranked is the shape that Gorgonia sees: one number is a vector of one, because its scalars have another type.
func ranked(s Shape) Shape {
	if len(s) == 0 {
		return Shape{1}
	}
	return s
}

func tensorType(s Shape) hm.Type {
	return gorgonia.TensorType{Dims: len(ranked(s)), Of: tensor.Float32}
}

// base holds what Gorgonia asks of every op and what is the same for all of ours.
type base struct {
	label string // unique in the expression graph
	tape  *tape
	in    []Shape
	out   Shape
}

func (b base) Arity() int { return len(b.in) }
func (b base) Type() hm.Type {
	ts := make([]hm.Type, 0, len(b.in)+1)
	for _, s := range b.in {
		ts = append(ts, tensorType(s))
	}
	return hm.NewFnType(append(ts, tensorType(b.out))...)
}
func (b base) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape(ranked(b.out)).Clone(), nil
}
func (b base) ReturnsPtr() bool      { return true }
func (b base) CallsExtern() bool     { return false }
func (b base) OverwritesInput() int  { return -1 }
func (b base) WriteHash(h hash.Hash) { h.Write([]byte(b.label)) }
func (b base) Hashcode() uint32 {
	h := fnv.New32a()
	b.WriteHash(h)
	return h.Sum32()
}
func (b base) String() string { return b.label }

// apply adds the node of an op. Gorgonia looks nodes up by a hash of 32 bits: where two collide after all it hands out the other op's node, and
// that is an error here.
func apply(op gorgonia.Op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	n, err := gorgonia.ApplyOp(op, in...)
	if err != nil {
		return nil, err
	}
	if n.Op() != op {
		return nil, fmt.Errorf("%v has the same hash as %v: rename one of the layers", op, n.Op())
	}
	return n, nil
}

type forwardOp struct {
	base
	at *instance
}

func newForward(t *tape, at *instance) *forwardOp {
	return &forwardOp{base{at.kind + " " + at.name, t, at.in, at.out}, at}
}

func (o *forwardOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }

func (o *forwardOp) run() {
	at := o.at
	begin := at.time.begin()
	at.kernel.Forward(at.y.x, at.inBuf)
	at.time.forward(begin)
}

func (o *forwardOp) result() gorgonia.Value { return o.at.y.t }

func (o *forwardOp) buffers(use func(*buffer)) {
	for _, b := range o.at.x {
		use(b)
	}
	for _, b := range o.at.keeps {
		use(b)
	}
	use(o.at.y)
}

func (o *forwardOp) DiffWRT(int) []bool { return o.at.diff }

// SymDiff adds the backward pass. Its node reads the gradient of the output alone: whatever else the pass needs was there before that gradient.
func (o *forwardOp) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	at := o.at
	grad, err := sumGradients(o.tape, at.name, at.out, grad, at.time)
	if err != nil {
		return nil, err
	}
	at.dy = gradientBuffer(grad)
	node, err := apply(&gradOp{base{"grad " + o.label, o.tape, []Shape{at.out}, at.in[at.first]}, at}, grad)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(inputs))
	grads[at.first] = node
	for i := range inputs {
		if !at.diff[i] || i == at.first {
			continue
		}
		s := &stashOp{base{fmt.Sprintf("grad %d %s", i, o.label), o.tape, []Shape{at.in[at.first]}, at.in[i]}, at, i}
		if grads[i], err = apply(s, node); err != nil {
			return nil, err
		}
	}
	return grads, nil
}

type gradOp struct {
	base
	at *instance
}

func (o *gradOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }

func (o *gradOp) run() {
	at := o.at
	begin := at.time.begin()
	at.kernel.Backward(at.dxBuf, at.inBuf, at.y.x, at.dy.x)
	at.time.backward(begin)
}

func (o *gradOp) result() gorgonia.Value { return o.at.dx[o.at.first].t }

func (o *gradOp) buffers(use func(*buffer)) {
	at := o.at
	for i, b := range at.x {
		if backwardReads(at.kernel, i) {
			use(b)
		}
		use(at.dx[i])
	}
	for _, b := range at.keeps {
		use(b)
	}
	if backwardReads(at.kernel, output) {
		use(at.y)
	}
	use(at.dy)
}

type stashOp struct {
	base
	at    *instance
	input int
}

func (o *stashOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }
func (o *stashOp) run()                                         {}
func (o *stashOp) buffers(func(*buffer))                        {}
func (o *stashOp) result() gorgonia.Value                       { return o.at.dx[o.input].t }

// sumOp adds its inputs in order into a tensor of its own.
type sumOp struct {
	base
	terms []*buffer
	y     *buffer
	time  *StageTime
}

func (o *sumOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }

func (o *sumOp) run() {
	begin := o.time.begin()
	y := o.y.x
	sum := o.terms[0].x
	for _, b := range o.terms[1:] {
		compute.Sum(y, sum, b.x)
		sum = y
	}
	o.time.backward(begin)
}

func (o *sumOp) result() gorgonia.Value { return o.y.t }

func (o *sumOp) buffers(use func(*buffer)) {
	for _, b := range o.terms {
		use(b)
	}
	use(o.y)
}

// lossOp is the scalar at the end of a training graph.
type lossOp struct {
	base
	loss   Loss
	n      int
	value  *gorgonia.F32
	mean   float64 // the loss in float64, for the caller
	pred   *buffer
	grad   *buffer
	target []float32
}

func (o *lossOp) Type() hm.Type {
	return hm.NewFnType(tensorType(o.in[0]), tensor.Float32)
}
func (o *lossOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (o *lossOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }

func (o *lossOp) run() {
	o.mean = o.loss.Forward(o.pred.x, o.target, o.n)
	*o.value = gorgonia.F32(o.mean)
}

func (o *lossOp) result() gorgonia.Value    { return o.value }
func (o *lossOp) buffers(use func(*buffer)) { use(o.pred) }

func (o *lossOp) DiffWRT(int) []bool { return []bool{true} }

func (o *lossOp) SymDiff(inputs gorgonia.Nodes, _, _ *gorgonia.Node) (gorgonia.Nodes, error) {
	g := &lossGradOp{base{"grad " + o.label, o.tape, o.in, o.in[0]}, o}
	node, err := apply(g, inputs...)
	return gorgonia.Nodes{node}, err
}

type lossGradOp struct {
	base
	at *lossOp
}

func (o *lossGradOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.tape.do(o) }
func (o *lossGradOp) run()                                         { o.at.loss.Backward(o.at.grad.x, o.at.pred.x, o.at.target, o.at.n) }
func (o *lossGradOp) result() gorgonia.Value                       { return o.at.grad.t }

func (o *lossGradOp) buffers(use func(*buffer)) {
	use(o.at.pred)
	use(o.at.grad)
}

// gradientBuffer is where the op of a gradient's node leaves its result.
func gradientBuffer(n *gorgonia.Node) *buffer {
	switch o := n.Op().(type) {
	case *gradOp:
		return o.at.dx[o.at.first]
	case *stashOp:
		return o.at.dx[o.input]
	case *sumOp:
		return o.y
	case *lossGradOp:
		return o.at.grad
	}
	return nil
}
