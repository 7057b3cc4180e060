package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("ReLU", lowerReLU) }

// lowerReLU writes a RELU that no operator before it takes.
func lowerReLU(l *lowering, o *graph.Op) error { return l.single(o, tflite.RELU, 2, nil) }
