package interp

import "github.com/temper-ml/temper/export/tflite"

func init() {
	register(tflite.MUL, 2, "int8, float32; broadcasting", prepareMul)
}

func prepareMul(n *node) (func(), error) {
	o, err := options[tflite.MulOptions](n)
	if err != nil {
		return nil, err
	}
	p, err := newPairs(n)
	if err != nil {
		return nil, err
	}
	if p.kind == tflite.FLOAT32 {
		return p.runFloat(n, o.Activation, func(a, b float32) float32 { return a * b })
	}
	m := newMultiplier(scaleOf(n.in[0]) * scaleOf(n.in[1]) / scaleOf(n.out[0]))
	return p.runInt8(n, o.Activation, func(a, b int32) int32 { return m.times(a * b) })
}
