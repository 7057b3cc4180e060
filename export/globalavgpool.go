package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("GlobalAvgPool", lowerGlobalAvgPool) }

// lowerGlobalAvgPool writes MEAN over height and width.
func lowerGlobalAvgPool(l *lowering, o *graph.Op) error {
	axes := l.constant(o.Name+"/axes", tflite.INT32, []int{2}, int32Bytes(1, 2), nil)
	return l.single(o, tflite.MEAN, 2, &tflite.ReducerOptions{KeepDims: o.Kind.(graph.GlobalAvgPool).KeepDims}, axes)
}
