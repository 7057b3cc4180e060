package export

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// pair lowers an element-wise operator of two inputs; the second may be a constant.
func (l *lowering) pair(o *graph.Op, code tflite.Code, options func(tflite.Activation) any) error {
	gr := l.g.Group(o)
	var in []int
	for _, v := range o.In {
		t, err := l.operand(v, o.Out.Shape)
		if err != nil {
			return err
		}
		in = append(in, t)
	}
	out, err := l.output(gr)
	if err != nil {
		return err
	}
	l.emit(code, 2, options(l.activation(gr, out)), in, out)
	return nil
}

// operand is the tensor of a value, written into the file when it is a constant; its shape gets the rank of the other operand.
func (l *lowering) operand(v *graph.Value, like graph.Shape) (int, error) {
	if !graph.IsConst(v) {
		return l.read(v)
	}
	codes, p, err := constant(v)
	if err != nil {
		return 0, err
	}
	shape := make([]int, len(like))
	for i := range shape {
		shape[i] = 1
		if j := i - (len(like) - len(v.Shape)); j >= 0 {
			shape[i] = v.Shape[j]
		}
	}
	return l.constant(source(v).Name, tflite.INT8, shape, int8Bytes(codes), &p), nil
}

// constant are the codes and parameters of a fake-quantized constant.
func constant(v *graph.Value) ([]int8, quant.Params, error) {
	q := v.Op
	if q == nil || !isFakeQuant(q) {
		return nil, quant.Params{}, fmt.Errorf("the constant %s is not quantized", v.Name)
	}
	k := q.Kind.(graph.FakeQuant)
	if k.Bits != 8 || k.PerAxis || k.Narrow {
		return nil, quant.Params{}, fmt.Errorf("%s: an operand is quantized to 8 bits with one scale", q.Name)
	}
	x, err := graph.Const(q.In[0])
	if err != nil {
		return nil, quant.Params{}, err
	}
	ranges, err := graph.Const(q.In[1])
	if err != nil {
		return nil, quant.Params{}, err
	}
	n, err := k.Quantizers(x, ranges)
	if err != nil {
		return nil, quant.Params{}, err
	}
	scale, zero := n[0].Int8()
	codes := make([]int8, len(x))
	for i, value := range x {
		codes[i] = int8(n[0].Code(value) + zero)
	}
	return codes, quant.PerTensor(scale, zero), nil
}

// single lowers an operator of one input with a quantizer of its own.
func (l *lowering) single(o *graph.Op, code tflite.Code, version int, options any, more ...int) error {
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	out, err := l.output(graph.Group{Head: o, End: o.Out})
	if err != nil {
		return err
	}
	l.emit(code, version, options, append([]int{in}, more...), out)
	return nil
}
