package interp

import "github.com/temper-ml/temper/export/tflite"

func init() {
	register(tflite.SUB, 2, "int8, float32; broadcasting", prepareSub)
}

func prepareSub(n *node) (func(), error) {
	o, err := options[tflite.SubOptions](n)
	if err != nil {
		return nil, err
	}
	p, err := newPairs(n)
	if err != nil {
		return nil, err
	}
	if p.kind == tflite.FLOAT32 {
		return p.runFloat(n, o.Activation, func(a, b float32) float32 { return a - b })
	}
	return p.rescaled(n, o.Activation, 20, 1, func(a, b int32) int32 { return a - b })
}
