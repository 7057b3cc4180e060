package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("DepthwiseConv2D", lowerDepthwiseConv2D) }

// lowerDepthwiseConv2D writes DEPTHWISE_CONV_2D; its kernel is [1,kh,kw,cin*multiplier], the graph's with a dimension in front.
func lowerDepthwiseConv2D(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.DepthwiseConv2D)
	n, err := l.linear(o)
	if err != nil {
		return err
	}
	shape := append([]int{1}, o.In[1].Shape...)
	w, b, out, err := l.tensors(n, n.w.codes, shape, 3)
	if err != nil {
		return err
	}
	options := &tflite.DepthwiseConv2DOptions{
		Padding:         padding(k.Padding),
		DepthMultiplier: o.Out.Shape.Channels() / o.In[0].Shape.Channels(),
		Activation:      l.activation(n.group, out),
	}
	options.StrideH, options.StrideW = one(k.Stride)
	options.DilationH, options.DilationW = one(k.Dilation)
	l.emit(tflite.DEPTHWISE_CONV_2D, 3, options, []int{n.input, w, b}, out)
	return nil
}
