package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Pad", lowerPad) }

// lowerPad writes PAD, which pads with the zero point.
func lowerPad(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.Pad)
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	paddings := l.constant(o.Name+"/paddings", tflite.INT32, []int{4, 2},
		int32Bytes(0, 0, k.Before[0], k.After[0], k.Before[1], k.After[1], 0, 0), nil)
	l.emit(tflite.PAD, 2, nil, []int{in, paddings}, l.moved(o, in))
	return nil
}
