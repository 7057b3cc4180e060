package export

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("ReLU6", lowerReLU6) }

// lowerReLU6 writes a ReLU6 that no operator before it takes: a RELU whose output codes end at 6. (The RELU6 of TFLM does not rescale.)
func lowerReLU6(l *lowering, o *graph.Op) error {
	if err := l.single(o, tflite.RELU, 2, nil); err != nil {
		return err
	}
	if t := l.tensor[o.Out]; !l.saturates(tflite.RELU6_ACT, t) {
		return fmt.Errorf("the range of %s goes beyond 6, and a file has no ReLU6 that rescales: quantize again", l.out.Tensors[t].Name)
	}
	return nil
}
