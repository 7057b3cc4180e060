package interp

import "github.com/temper-ml/temper/export/tflite"

func init() {
	register(tflite.PRELU, 2, "int8, float32; alpha broadcasts", preparePReLU)
}

func preparePReLU(n *node) (func(), error) {
	p, err := newPairs(n)
	if err != nil {
		return nil, err
	}
	if p.kind == tflite.FLOAT32 {
		return p.runFloat(n, tflite.NONE, func(a, b float32) float32 {
			if a < 0 {
				a *= b
			}
			return a
		})
	}
	pos := newMultiplier(scaleOf(n.in[0]) / scaleOf(n.out[0]))
	neg := newMultiplier(scaleOf(n.in[0]) * scaleOf(n.in[1]) / scaleOf(n.out[0]))
	return p.runInt8(n, tflite.NONE, func(a, b int32) int32 {
		if a >= 0 {
			return pos.times(a)
		}
		return neg.times(a * b)
	})
}
