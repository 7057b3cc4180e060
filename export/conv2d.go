package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Conv2D", lowerConv2D) }

// lowerConv2D writes CONV_2D; its kernel is OHWI.
func lowerConv2D(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.Conv2D)
	n, err := l.linear(o)
	if err != nil {
		return err
	}
	codes, shape := move(n.w.codes, o.In[1].Shape, 3, 0, 1, 2)
	w, b, out, err := l.tensors(n, codes, shape, 0)
	if err != nil {
		return err
	}
	options := &tflite.Conv2DOptions{Padding: padding(k.Padding), Activation: l.activation(n.group, out)}
	options.StrideH, options.StrideW = one(k.Stride)
	options.DilationH, options.DilationW = one(k.Dilation)
	l.emit(tflite.CONV_2D, 3, options, []int{n.input, w, b}, out)
	return nil
}
