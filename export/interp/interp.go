package interp

import (
	"fmt"
	"slices"
	"unsafe"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

// Profile is whose arithmetic is meant.
type Profile int

const (
	TFLM      Profile = iota // TensorFlow Lite Micro, Ethos-U
	LiteRTRef                // LiteRT's reference kernels (BUILTIN_REF)
)

// ParseProfile reads "tflm" or "litert-ref".
func ParseProfile(s string) (Profile, error) {
	switch s {
	case "tflm", "":
		return TFLM, nil
	case "litert-ref":
		return LiteRTRef, nil
	}
	return 0, fmt.Errorf("profile %q is neither tflm nor litert-ref", s)
}

// maxMemory bounds the bytes of all tensors and of the operators' tables together.
const maxMemory = 1 << 30

// Tensor is a value of a prepared model. Its contents are live: they change with Invoke.
type Tensor struct {
	Name  string
	Type  tflite.Type
	Shape []int
	Quant *quant.Params
	Const bool
	raw   []byte // aligned to 8 bytes
}

// Interpreter is a prepared model with memory for all its tensors: after Invoke every intermediate value can be read. It is not safe for concurrent
// use; make one for each goroutine.
type Interpreter struct {
	graph   *tflite.Graph
	tensors []*Tensor
	runs    []func()
	memory  int // bytes of the tensors and of what their operators keep
	customs map[string]Custom
	err     error // of a custom operator
}

// Custom prepares a custom operator: it returns what Invoke calls. Tensors are all values of the graph, for the operator's indices; the inputs may be tensors
// that nothing has written, because what they are is the operator's affair.
type Custom func(o *tflite.Operator, tensors []*Tensor) (run func() error, err error)

// reserve counts memory before it is taken: a small file can declare tensors of any size.
func (it *Interpreter) reserve(bytes int) error {
	if it.memory += bytes; it.memory > maxMemory {
		return fmt.Errorf("tensors and operators need more than %d bytes", maxMemory)
	}
	return nil
}

// New prepares the entry subgraph: every operator is checked once, so that Invoke cannot fail. The error names operator, tensor and rule.
func New(m *tflite.Model, p Profile) (*Interpreter, error) { return build(m, p, false, nil) }

// NewWith is New for a model with custom operators, by their custom_code. Invoke may fail then: see Err.
func NewWith(m *tflite.Model, p Profile, customs map[string]Custom) (*Interpreter, error) {
	return build(m, p, false, customs)
}

// build is New; plain leaves out the vector kernels.
func build(m *tflite.Model, p Profile, plain bool, customs map[string]Custom) (*Interpreter, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	g := m.Subgraphs[0]
	it := &Interpreter{graph: g, customs: customs}
	for i, t := range g.Tensors {
		size := t.Volume() * max(t.Type.Size(), 1)
		if err := it.reserve(size); err != nil {
			return nil, err
		}
		x := &Tensor{Name: t.Name, Type: t.Type, Shape: t.Shape, Quant: t.Quant, Const: t.IsConst()}
		if t.IsConst() || g.Operators != nil && t.Type.Size() > 0 {
			x.raw = aligned(size)
			copy(x.raw, t.Data)
		}
		if x.Name == "" {
			x.Name = fmt.Sprintf("tensor %d", i)
		}
		it.tensors = append(it.tensors, x)
	}
	known := map[*Tensor]bool{}
	for _, i := range g.Inputs {
		if t := it.tensors[i]; t.Const || t.Type.Size() == 0 {
			return nil, fmt.Errorf("input %s is a constant, or has elements without a fixed size (%s)", t.Name, t.Type)
		}
		known[it.tensors[i]] = true
	}
	for i, o := range g.Operators {
		run, err := it.prepare(o, p, plain, known)
		if err != nil {
			return nil, fmt.Errorf("operator %d (%s): %w", i, o.Code, err)
		}
		it.runs = append(it.runs, run)
	}
	for _, i := range g.Outputs {
		if t := it.tensors[i]; !known[t] && !t.Const {
			return nil, fmt.Errorf("output %s is written by no operator", t.Name)
		}
	}
	return it, nil
}

func aligned(n int) []byte {
	words := make([]uint64, (n+7)/8)
	if n == 0 {
		return []byte{}
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

// node is an operator being prepared.
type node struct {
	op      *tflite.Operator
	profile Profile
	plain   bool      // without vector kernels
	in, out []*Tensor // in: nil where an optional input is absent
}

func (it *Interpreter) prepare(o *tflite.Operator, p Profile, plain bool, known map[*Tensor]bool) (run func(), err error) {
	if c := it.customs[o.Custom]; c != nil && o.Code == tflite.CUSTOM {
		return it.custom(c, o, known)
	}
	d, ok := ops[o.Code]
	if !ok {
		name := ""
		if o.Code == tflite.CUSTOM {
			name = " " + o.Custom
		}
		if o.Custom == "ethos-u" {
			name += ": the file is compiled for an NPU, which temper simulate executes"
		}
		return nil, fmt.Errorf("the interpreter has no such operator%s", name)
	}
	n := &node{op: o, profile: p, plain: plain}
	for _, i := range o.Inputs {
		if i < 0 {
			n.in = append(n.in, nil)
			continue
		}
		t := it.tensors[i]
		if !known[t] && !t.Const {
			return nil, fmt.Errorf("input %s is not written before it is read", t.Name)
		}
		n.in = append(n.in, t)
	}
	for _, i := range o.Outputs {
		n.out = append(n.out, it.tensors[i])
		known[it.tensors[i]] = true
	}
	if len(n.in) < d.minIn || len(n.out) == 0 {
		return nil, fmt.Errorf("%d inputs and %d outputs, want at least %d and 1", len(n.in), len(n.out), d.minIn)
	}
	for i := range d.minIn {
		if n.in[i] == nil {
			return nil, fmt.Errorf("input %d is missing", i)
		}
	}
	for _, t := range append(slices.Clone(n.in), n.out...) {
		if t != nil && slices.Contains(t.Shape, 0) {
			return nil, fmt.Errorf("tensor %s of shape %v is empty", t.Name, t.Shape)
		}
		if t != nil && t.Type.Size() == 0 {
			return nil, fmt.Errorf("tensor %s has type %s, which no kernel takes", t.Name, t.Type)
		}
	}
	// An operator keeps at most an int32 an element (widened weights, sums), and a table an element of its output for two inputs.
	elements := 0
	for _, t := range n.in {
		if t != nil {
			elements += t.Volume()
		}
	}
	for _, t := range n.out {
		elements += 3 * t.Volume()
	}
	if err := it.reserve(4 * elements); err != nil {
		return nil, err
	}
	return d.prepare(n)
}

// custom prepares a custom operator.
func (it *Interpreter) custom(c Custom, o *tflite.Operator, known map[*Tensor]bool) (func(), error) {
	run, err := c(o, it.tensors)
	if err != nil {
		return nil, err
	}
	for _, i := range o.Outputs {
		known[it.tensors[i]] = true
	}
	return func() {
		if err := run(); err != nil && it.err == nil {
			it.err = err
		}
	}, nil
}

// Err is the first error of a custom operator in the last Invoke. Without custom operators it is nil.
func (it *Interpreter) Err() error { return it.err }

// Invoke runs the model on what the inputs hold.
func (it *Interpreter) Invoke() {
	it.err = nil
	for _, run := range it.runs {
		run()
	}
}

// Inputs are the model's inputs.
func (it *Interpreter) Inputs() []*Tensor { return it.pick(it.graph.Inputs) }

// Outputs are the model's outputs.
func (it *Interpreter) Outputs() []*Tensor { return it.pick(it.graph.Outputs) }

// Tensors are all values, by the file's indices.
func (it *Interpreter) Tensors() []*Tensor { return it.tensors }

func (it *Interpreter) pick(index []int) []*Tensor {
	ts := make([]*Tensor, len(index))
	for i, k := range index {
		ts[i] = it.tensors[k]
	}
	return ts
}

// def is a registered operator.
type def struct {
	doc     string
	minIn   int
	prepare func(*node) (func(), error)
}

var ops = map[tflite.Code]def{}

// register adds an operator; called from init in its file.
func register(c tflite.Code, minIn int, doc string, prepare func(*node) (func(), error)) {
	ops[c] = def{doc, minIn, prepare}
}

// Op is a line of the support list.
type Op struct {
	Code tflite.Code
	Doc  string
}

// Ops lists the operators that the interpreter has, sorted by name.
func Ops() []Op {
	var list []Op
	for c, d := range ops {
		list = append(list, Op{c, d.doc})
	}
	slices.SortFunc(list, func(a, b Op) int {
		if a.Code.String() < b.Code.String() {
			return -1
		}
		return 1
	})
	return list
}
