package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Sigmoid", lowerSigmoid) }

// lowerSigmoid writes LOGISTIC, whose output parameters are fixed.
func lowerSigmoid(l *lowering, o *graph.Op) error { return l.single(o, tflite.LOGISTIC, 2, nil) }
