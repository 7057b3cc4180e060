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

// This file is the only one that implements gorgonia.Op. Four ops carry every Kind:
//
//	forwardOp  an Op's forward pass
//	gradOp     its backward pass: computes all gradients, returns the first
//	stashOp    hands out another gradient of the same backward pass
//	sumOp      adds gradients where a value has several readers
//
// Each returns a tensor that it owns, so a step allocates nothing here, and none needs memory from the machine (UsePreallocDoer). Each writes the unique name of the Op into its hash, because Gorgonia
// merges nodes of equal hash without comparing them.

// instance is an Op prepared for one batch size: its kernel and the memory of its results.
type instance struct {
	name   string
	kind   string
	ops    stage
	kernel Kernel
	in     []Shape
	out    Shape
	diff   []bool // inputs whose gradient somebody needs
	first  int    // first of them
	y      buffer
	dx     []buffer    // empty where not needed
	inBuf  [][]float32 // argument slices, reused
	dxBuf  [][]float32
	time   *StageTime // nil where nothing is measured
}

// buffer is a tensor and the slice behind it.
type buffer struct {
	t *tensor.Dense
	x []float32
}

func newBuffer(s Shape) buffer {
	x := make([]float32, s.Volume())
	return buffer{bind(x, s), x}
}

// bind makes a tensor over x.
func bind(x []float32, s Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(ranked(s)...), tensor.WithBacking(x))
}

// ranked is the shape that Gorgonia sees: one number is a vector of one, because its scalars have another type.
func ranked(s Shape) Shape {
	if len(s) == 0 {
		return Shape{1}
	}
	return s
}

func floats(v gorgonia.Value) []float32 { return v.(*tensor.Dense).Float32s() }

func tensorType(s Shape) hm.Type {
	return gorgonia.TensorType{Dims: len(ranked(s)), Of: tensor.Float32}
}

// base holds what Gorgonia asks of every op and what is the same for all of ours.
type base struct {
	label string // unique in the expression graph
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

// guard turns a panic of a kernel, which runs on the tape machine's own goroutine, into an error that names the Op.
func guard(label string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v\n%s", label, r, debug.Stack())
	}
}

type forwardOp struct {
	base
	at *instance
}

func newForward(at *instance) *forwardOp {
	return &forwardOp{base{at.kind + " " + at.name, at.in, at.out}, at}
}

func (o *forwardOp) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer guard(o.label, &err)
	at := o.at
	for i, v := range in {
		at.inBuf[i] = floats(v)
	}
	begin := at.time.begin()
	at.kernel.Forward(at.y.x, at.inBuf)
	at.time.forward(begin)
	return at.y.t, nil
}

func (o *forwardOp) DiffWRT(int) []bool { return o.at.diff }

func (o *forwardOp) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	at := o.at
	grad, err := sumGradients(at.name, at.out, grad, at.time)
	if err != nil {
		return nil, err
	}
	g := &gradOp{base{"grad " + o.label, append(append([]Shape{}, at.in...), at.out, at.out), at.in[at.first]}, at}
	node, err := apply(g, append(append(gorgonia.Nodes{}, inputs...), output, grad)...)
	if err != nil {
		return nil, err
	}
	grads := make(gorgonia.Nodes, len(inputs))
	grads[at.first] = node
	for i := range inputs {
		if !at.diff[i] || i == at.first {
			continue
		}
		s := &stashOp{base{fmt.Sprintf("grad %d %s", i, o.label), []Shape{at.in[at.first]}, at.in[i]}, at, i}
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

// Do reads inputs..., output, gradient of the output.
func (o *gradOp) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer guard(o.label, &err)
	at := o.at
	n := len(at.in)
	for i, v := range in[:n] {
		at.inBuf[i] = floats(v)
	}
	begin := at.time.begin()
	at.kernel.Backward(at.dxBuf, at.inBuf, floats(in[n]), floats(in[n+1]))
	at.time.backward(begin)
	return at.dx[at.first].t, nil
}

type stashOp struct {
	base
	at    *instance
	input int
}

func (o *stashOp) Do(...gorgonia.Value) (gorgonia.Value, error) { return o.at.dx[o.input].t, nil }

// sumOp adds its inputs in order into a tensor of its own.
type sumOp struct {
	base
	y    buffer
	time *StageTime
}

func (o *sumOp) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer guard(o.label, &err)
	begin := o.time.begin()
	y := o.y.x
	copy(y, floats(in[0]))
	for _, v := range in[1:] {
		compute.AddTo(y, floats(v)[:len(y)])
	}
	o.time.backward(begin)
	return o.y.t, nil
}

// lossOp is the scalar at the end of a training graph.
type lossOp struct {
	base
	loss   Loss
	n      int
	value  *gorgonia.F32
	mean   float64 // the loss in float64, for the caller
	grad   buffer
	target []float32
}

func (o *lossOp) Type() hm.Type {
	return hm.NewFnType(tensorType(o.in[0]), tensor.Float32)
}
func (o *lossOp) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (o *lossOp) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer guard(o.label, &err)
	o.mean = o.loss.Forward(floats(in[0]), o.target, o.n)
	*o.value = gorgonia.F32(o.mean)
	return o.value, nil
}

func (o *lossOp) DiffWRT(int) []bool { return []bool{true} }

func (o *lossOp) SymDiff(inputs gorgonia.Nodes, _, _ *gorgonia.Node) (gorgonia.Nodes, error) {
	g := &lossGradOp{base{"grad " + o.label, o.in, o.in[0]}, o}
	node, err := apply(g, inputs...)
	return gorgonia.Nodes{node}, err
}

type lossGradOp struct {
	base
	at *lossOp
}

func (o *lossGradOp) Do(in ...gorgonia.Value) (_ gorgonia.Value, err error) {
	defer guard(o.label, &err)
	o.at.loss.Backward(o.at.grad.x, floats(in[0]), o.at.target, o.at.n)
	return o.at.grad.t, nil
}
