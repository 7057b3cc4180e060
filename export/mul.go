package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Mul", lowerMul) }

// lowerMul writes MUL.
func lowerMul(l *lowering, o *graph.Op) error {
	return l.pair(o, tflite.MUL, func(a tflite.Activation) any { return &tflite.MulOptions{Activation: a} })
}
