package export

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// Options of the file. The zero value is fully int8, input and output included.
type Options struct {
	FloatInput  bool // the file takes float32 and quantizes it itself
	FloatOutput bool // the file returns float32
	Description string

	// AllowBrokenPromises writes a file although its weights are not what pruning or clustering promised (see Audited), to look at it.
	AllowBrokenPromises bool
}

// TFLite lowers a quantized graph with static batch 1. The graph is not changed. The error names the Op and what to do; a file whose weights are not
// what conditioners promised is a *BrokenPromises.
func TFLite(g *graph.Graph, o Options) (*tflite.Model, error) {
	m, _, err := Audited(g, o)
	return m, err
}

// Audited is TFLite with the count of the weights as they are in the file (see Audit), each beside what the graph promised of it.
func Audited(g *graph.Graph, o Options) (*tflite.Model, []AuditRow, error) {
	work := g.Clone()
	if err := graph.Apply(work, passes...); err != nil {
		return nil, nil, fmt.Errorf("export %s: %w", g.Name, err)
	}
	l := &lowering{
		g:       work,
		out:     &tflite.Graph{Name: "main"},
		tensor:  map[*graph.Value]int{},
		done:    map[*graph.Op]bool{},
		kernels: map[int]*graph.Value{},
	}
	if err := l.run(o); err != nil {
		return nil, nil, fmt.Errorf("export %s: %w", g.Name, err)
	}
	m := l.model(g.Name, o)
	rows, err := l.audit(m)
	if err != nil {
		return nil, nil, fmt.Errorf("export %s: %w", g.Name, err)
	}
	broken := slices.DeleteFunc(slices.Clone(rows), func(r AuditRow) bool { return len(r.Broken) == 0 })
	if len(broken) > 0 && !o.AllowBrokenPromises {
		return nil, rows, &BrokenPromises{g.Name, broken}
	}
	return m, rows, nil
}

// model is the file around the lowered graph.
func (l *lowering) model(name string, o Options) *tflite.Model {
	description := o.Description
	if description == "" {
		description = "Temper: " + name
	}
	m := &tflite.Model{Version: 3, Description: description, Subgraphs: []*tflite.Graph{l.out}}
	m.Signatures = []tflite.Signature{l.signature()}
	m.Metadata = []tflite.Metadata{{Name: "min_runtime_version", Data: runtimeVersion(m)}}
	return m
}

// runtimeVersion is the oldest TensorFlow Lite that knows the operator versions of the file, as 16 bytes padded with zeros.
func runtimeVersion(m *tflite.Model) []byte {
	b := make([]byte, 16)
	copy(b, tflite.MinRuntimeVersion(m))
	return b
}

// passes bring the graph into the form that the lowerings know.
var passes = []graph.Pass{
	{Name: "drop-dropout", Run: dropDropout},
	{Name: "remove-dead", Run: func(g *graph.Graph) error { g.RemoveDead(); return nil }},
	{Name: "check-quantized", Run: checkQuantized},
	{Name: "widen-empty-ranges", Run: widenEmptyRanges},
}

// dropDropout removes what does nothing outside training.
func dropDropout(g *graph.Graph) error {
	for _, o := range g.Ops {
		if graph.KindName(o.Kind) == "Dropout" {
			g.Rewire(o.Out, o.In[0], nil)
		}
	}
	return nil
}

// checkQuantized names the first value that would stay in float.
func checkQuantized(g *graph.Graph) error {
	if !slices.ContainsFunc(g.Ops, isFakeQuant) {
		return fmt.Errorf("the network is not quantized: run ptq or qat first")
	}
	for _, o := range g.Ops {
		if !o.IsLinear() {
			continue
		}
		if o.In[1].Op == nil || !isFakeQuant(o.In[1].Op) {
			return fmt.Errorf("%s: the kernel is not quantized (a rule skipped this layer?): an int8 file needs every layer quantized", o.Name)
		}
	}
	return nil
}

func isFakeQuant(o *graph.Op) bool {
	_, ok := o.Kind.(graph.FakeQuant)
	return ok
}

// lower writes the operators of one Op (and of the group that it begins).
type lower func(l *lowering, o *graph.Op) error

var lowerings = map[string]lower{}

// register names the lowering of a Kind; called from init in the Kind's file.
func register(kind string, f lower) {
	if lowerings[kind] != nil {
		panic("export: " + kind + " is registered twice")
	}
	lowerings[kind] = f
}

// Lowers tells whether a Kind can be exported: by a lowering, or as a part of another operator.
func Lowers(kind string) bool {
	return lowerings[kind] != nil
}

// lowering is the state of one export.
type lowering struct {
	g      *graph.Graph
	out    *tflite.Graph
	tensor map[*graph.Value]int // where a value is in the file
	done   map[*graph.Op]bool

	kernels map[int]*graph.Value // of the constants that are kernels, by tensor: the input of the Op that reads it
}

func (l *lowering) run(o Options) error {
	for _, in := range l.g.Inputs {
		if err := l.input(in, o.FloatInput); err != nil {
			return fmt.Errorf("input %s: %w", in.Name, err)
		}
	}
	for _, op := range l.g.Ops {
		if l.done[op] || graph.IsConst(op.Out) {
			continue
		}
		f := lowerings[graph.KindName(op.Kind)]
		if f == nil {
			return fmt.Errorf("%s: %s has no int8 TFLite operator; exportable are %s", op.Name, graph.KindName(op.Kind), strings.Join(exportable(), ", "))
		}
		if err := f(l, op); err != nil {
			return fmt.Errorf("%s: %w", op.Name, err)
		}
	}
	for i, v := range l.g.Outputs {
		t, err := l.read(v)
		if err != nil {
			return fmt.Errorf("output %s: %w", v.Name, err)
		}
		if o.FloatOutput {
			t = l.dequantize(t)
		}
		if slices.Contains(l.out.Inputs, t) || slices.Contains(l.out.Outputs, t) {
			t = l.copied(fmt.Sprintf("%s/output_%d", v.Name, i), t)
		}
		l.out.Outputs = append(l.out.Outputs, t)
	}
	return nil
}

func exportable() []string {
	var names []string
	for n := range lowerings {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// input adds the network's input with the parameters of the quantizer that reads it.
func (l *lowering) input(v *graph.Value, float bool) error {
	readers := l.g.Readers(v)
	if len(readers) == 0 {
		return fmt.Errorf("nothing reads it")
	}
	i := slices.IndexFunc(readers, isFakeQuant)
	if i < 0 {
		return fmt.Errorf("it is not quantized")
	}
	p, err := activationParams(readers[i])
	if err != nil {
		return err
	}
	t := l.add(v.Name, tflite.INT8, v.Shape.With(1), &p)
	if float {
		f := l.add(v.Name+"_float", tflite.FLOAT32, v.Shape.With(1), nil)
		l.emit(tflite.QUANTIZE, 1, nil, []int{f}, t)
		l.out.Inputs = append(l.out.Inputs, f)
	} else {
		l.out.Inputs = append(l.out.Inputs, t)
	}
	l.tensor[v], l.tensor[readers[i].Out] = t, t
	l.done[readers[i]] = true
	return nil
}

// copied is a tensor of its own with the values of t, for an output that is an input or another output, too: callers find them by tensor.
func (l *lowering) copied(name string, t int) int {
	shape := l.out.Tensors[t].Shape
	c := l.add(name, tflite.INT8, shape, l.out.Tensors[t].Quant)
	l.reshape(name, t, c, shape)
	return c
}

func (l *lowering) dequantize(t int) int {
	from := l.out.Tensors[t]
	f := l.add(from.Name+"_float", tflite.FLOAT32, from.Shape, nil)
	l.emit(tflite.DEQUANTIZE, 2, nil, []int{t}, f)
	return f
}

// read returns the tensor of a value that was lowered before.
func (l *lowering) read(v *graph.Value) (int, error) {
	t, ok := l.tensor[v]
	if !ok {
		return 0, fmt.Errorf("%s is not quantized: every value between the operators of an int8 file is", v.Name)
	}
	return t, nil
}

// add appends an activation tensor.
func (l *lowering) add(name string, t tflite.Type, shape []int, q *quant.Params) int {
	l.out.Tensors = append(l.out.Tensors, &tflite.Tensor{Name: name, Type: t, Shape: slices.Clone(shape), Quant: q})
	return len(l.out.Tensors) - 1
}

// constant appends a constant tensor.
func (l *lowering) constant(name string, t tflite.Type, shape []int, data []byte, q *quant.Params) int {
	i := l.add(name, t, shape, q)
	l.out.Tensors[i].Data = data
	return i
}

// emit appends an operator with one output.
func (l *lowering) emit(code tflite.Code, version int, options any, in []int, out int) {
	l.out.Operators = append(l.out.Operators, &tflite.Operator{Code: code, Version: version, Options: options, Inputs: in, Outputs: []int{out}})
}

// signature names the inputs and outputs by the graph's values.
func (l *lowering) signature() tflite.Signature {
	s := tflite.Signature{Key: "serving_default"}
	for i, v := range l.g.Inputs {
		s.Inputs = append(s.Inputs, tflite.Named{Name: v.Name, Tensor: l.out.Inputs[i]})
	}
	for i := range l.g.Outputs {
		s.Outputs = append(s.Outputs, tflite.Named{Name: fmt.Sprintf("output_%d", i), Tensor: l.out.Outputs[i]})
	}
	return s
}
