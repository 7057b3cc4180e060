package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("BiasAdd", lowerBiasAdd) }

// lowerBiasAdd writes a bias that no operator before it takes, as ADD with a constant.
func lowerBiasAdd(l *lowering, o *graph.Op) error {
	return l.pair(o, tflite.ADD, func(a tflite.Activation) any { return &tflite.AddOptions{Activation: a} })
}
