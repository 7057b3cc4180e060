package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("TransposeConv2D", lowerTransposeConv2D) }

// lowerTransposeConv2D writes TRANSPOSE_CONV with inputs output shape, kernel OHWI, data, bias. TFLM has no fused activation there; the
// saturation of the output codes does the same when the output's range ends where the activation does. Where it goes further, as in a range shared
// with other inputs of a concatenation, a RELU or RELU6 follows that keeps the scale.
func lowerTransposeConv2D(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.TransposeConv2D)
	n, err := l.linear(o)
	if err != nil {
		return err
	}
	codes, shape := move(n.w.codes, o.In[1].Shape, 3, 0, 1, 2)
	w, b, out, err := l.tensors(n, codes, shape, 0)
	if err != nil {
		return err
	}
	size := l.constant(o.Name+"/output_shape", tflite.INT32, []int{4}, int32Bytes(o.Out.Shape.With(1)...), nil)
	options := &tflite.TransposeConvOptions{Padding: padding(k.Padding)}
	options.StrideH, options.StrideW = one(k.Stride)
	act := l.activation(n.group, out)
	if l.saturates(act, out) {
		l.emit(tflite.TRANSPOSE_CONV, 3, options, []int{size, w, n.input, b}, out)
		return nil
	}
	sum := l.add(o.Name+"/before_activation", tflite.INT8, o.Out.Shape.With(1), l.out.Tensors[out].Quant)
	l.emit(tflite.TRANSPOSE_CONV, 3, options, []int{size, w, n.input, b}, sum)
	l.emit(clamps[act], 2, nil, []int{sum}, out)
	return nil
}

// clamps are the operators that do nothing but an activation when input and output have the same parameters.
var clamps = map[tflite.Activation]tflite.Code{tflite.RELU_ACT: tflite.RELU, tflite.RELU6_ACT: tflite.RELU6}

// saturates tells whether the codes of tensor t end where activation a clamps.
func (l *lowering) saturates(a tflite.Activation, t int) bool {
	p := l.out.Tensors[t].Quant
	top := float64(p.Scale[0]) * float64(127-p.ZeroPoint[0])
	return a == tflite.NONE || p.ZeroPoint[0] == -128 && (a == tflite.RELU_ACT || top <= 6+float64(p.Scale[0])/2)
}
