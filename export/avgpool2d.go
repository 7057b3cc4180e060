package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("AvgPool2D", lowerAvgPool2D) }

// lowerAvgPool2D writes AVERAGE_POOL_2D; its quantizer must have the parameters of the input.
func lowerAvgPool2D(l *lowering, o *graph.Op) error {
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	out, err := l.output(graph.Group{Head: o, End: o.Out})
	if err != nil {
		return err
	}
	if err := l.sameParams(in, out); err != nil {
		return err
	}
	l.emit(tflite.AVERAGE_POOL_2D, 2, poolOptions(graph.MaxPool2D(o.Kind.(graph.AvgPool2D))), []int{in}, out)
	return nil
}
