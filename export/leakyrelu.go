package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("LeakyReLU", lowerLeakyReLU) }

// lowerLeakyReLU writes LEAKY_RELU.
func lowerLeakyReLU(l *lowering, o *graph.Op) error {
	return l.single(o, tflite.LEAKY_RELU, 2, &tflite.LeakyReluOptions{Alpha: o.Kind.(graph.LeakyReLU).Alpha})
}
