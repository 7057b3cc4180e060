package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Sub", lowerSub) }

// lowerSub writes SUB.
func lowerSub(l *lowering, o *graph.Op) error {
	return l.pair(o, tflite.SUB, func(a tflite.Activation) any { return &tflite.SubOptions{Activation: a} })
}
