package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("MaxPool2D", lowerMaxPool2D) }

// lowerMaxPool2D writes MAX_POOL_2D; the output has the parameters of the input.
func lowerMaxPool2D(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.MaxPool2D)
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	l.emit(tflite.MAX_POOL_2D, 2, poolOptions(k), []int{in}, l.moved(o, in))
	return nil
}

func poolOptions(k graph.MaxPool2D) *tflite.Pool2DOptions {
	p := &tflite.Pool2DOptions{Padding: padding(k.Padding), FilterHeight: k.Size[0], FilterWidth: k.Size[1]}
	p.StrideH, p.StrideW = one(k.Stride)
	return p
}
