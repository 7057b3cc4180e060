package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Softmax", lowerSoftmax) }

// lowerSoftmax writes SOFTMAX, whose output parameters are fixed.
func lowerSoftmax(l *lowering, o *graph.Op) error {
	return l.single(o, tflite.SOFTMAX, 2, &tflite.SoftmaxOptions{Beta: 1})
}
