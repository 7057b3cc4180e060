package interp

import "github.com/temper-ml/temper/export/tflite"

func init() {
	register(tflite.SQUARED_DIFFERENCE, 2, "int8, float32; broadcasting", prepareSquaredDifference)
}

func prepareSquaredDifference(n *node) (func(), error) {
	p, err := newPairs(n)
	if err != nil {
		return nil, err
	}
	if p.kind == tflite.FLOAT32 {
		return p.runFloat(n, tflite.NONE, func(a, b float32) float32 { return (a - b) * (a - b) })
	}
	return p.rescaled(n, tflite.NONE, 7, 2, func(a, b int32) int32 { return (a - b) * (a - b) })
}
