package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Add", lowerAdd) }

// lowerAdd writes ADD.
func lowerAdd(l *lowering, o *graph.Op) error {
	return l.pair(o, tflite.ADD, func(a tflite.Activation) any { return &tflite.AddOptions{Activation: a} })
}
