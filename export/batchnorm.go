package export

import (
	"math"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("BatchNorm", lowerBatchNorm) }

// lowerBatchNorm writes a BatchNorm that no kernel takes as a depthwise convolution of size 1, whose weights, one a channel with a scale each,
// are exact. A value of another rank is seen as an image of one pixel.
func lowerBatchNorm(l *lowering, o *graph.Op) error {
	gr := l.g.Group(o)
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	scale, shift, err := graph.Affine(o)
	if err != nil {
		return err
	}
	c := len(scale)
	w := &weights{codes: make([]int8, c), scale: make([]float32, c)}
	for i, s := range scale {
		w.codes[i], w.scale[i] = 127, max(float32(math.Abs(float64(s)))/127, 1e-12)
		if s < 0 {
			w.codes[i] = -127
		}
		if s == 0 {
			w.codes[i] = 0
		}
	}
	n := &linear{group: gr, input: in, w: w, bias: w.bias(shift, l.out.Tensors[in].Quant.Scale[0])}
	kernel, bias, out, err := l.tensors(n, w.codes, []int{1, 1, 1, c}, 3)
	if err != nil {
		return err
	}
	options := &tflite.DepthwiseConv2DOptions{Padding: tflite.VALID, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, DepthMultiplier: 1, Activation: l.activation(gr, out)}
	if shape := o.Out.Shape.With(1); len(shape) != 4 {
		// The reshapes before and after move values only.
		flat := []int{1, 1, o.Out.Shape.Volume() / c, c}
		x := l.add(o.Name+"/image", tflite.INT8, flat, l.out.Tensors[in].Quant)
		y := l.add(o.Name+"/normalized", tflite.INT8, flat, l.out.Tensors[out].Quant)
		l.reshape(o.Name+"/to_image", in, x, flat)
		l.emit(tflite.DEPTHWISE_CONV_2D, 3, options, []int{x, kernel, bias}, y)
		l.reshape(o.Name+"/from_image", y, out, shape)
		return nil
	}
	l.emit(tflite.DEPTHWISE_CONV_2D, 3, options, []int{in, kernel, bias}, out)
	return nil
}
