package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("HardSwish", lowerHardSwish) }

// lowerHardSwish writes HARD_SWISH.
func lowerHardSwish(l *lowering, o *graph.Op) error { return l.single(o, tflite.HARD_SWISH, 1, nil) }
