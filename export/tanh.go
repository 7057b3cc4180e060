package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Tanh", lowerTanh) }

// lowerTanh writes TANH, whose output parameters are fixed.
func lowerTanh(l *lowering, o *graph.Op) error { return l.single(o, tflite.TANH, 2, nil) }
