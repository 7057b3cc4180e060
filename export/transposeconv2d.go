package export

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("TransposeConv2D", lowerTransposeConv2D) }

// lowerTransposeConv2D writes TRANSPOSE_CONV with inputs output shape, kernel OHWI, data, bias. TFLM has no fused activation there; the
// saturation of the output codes does the same when the output's range ends where the activation does.
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
	if err := l.saturates(l.activation(n.group, out), out); err != nil {
		return err
	}
	size := l.constant(o.Name+"/output_shape", tflite.INT32, []int{4}, int32Bytes(o.Out.Shape.With(1)...), nil)
	options := &tflite.TransposeConvOptions{Padding: padding(k.Padding)}
	options.StrideH, options.StrideW = one(k.Stride)
	l.emit(tflite.TRANSPOSE_CONV, 3, options, []int{size, w, n.input, b}, out)
	return nil
}

// saturates checks that the codes of tensor t end where activation a clamps.
func (l *lowering) saturates(a tflite.Activation, t int) error {
	p := l.out.Tensors[t].Quant
	top := float64(p.Scale[0]) * float64(127-p.ZeroPoint[0])
	if a == tflite.NONE || p.ZeroPoint[0] == -128 && (a == tflite.RELU_ACT || top <= 6+float64(p.Scale[0])/2) {
		return nil
	}
	return fmt.Errorf("the range of %s goes beyond its activation: calibrate again", l.out.Tensors[t].Name)
}
