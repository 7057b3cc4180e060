package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("PReLU", lowerPReLU) }

// lowerPReLU writes PRELU; alpha gets a dimension for each of the input but the batch.
func lowerPReLU(l *lowering, o *graph.Op) error {
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	alpha, err := l.operand(o.In[1], o.Out.Shape[1:])
	if err != nil {
		return err
	}
	out, err := l.output(graph.Group{Head: o, End: o.Out})
	if err != nil {
		return err
	}
	l.emit(tflite.PRELU, 1, nil, []int{in, alpha}, out)
	return nil
}
