package interp

import "github.com/temper-ml/temper/export/tflite"

func init() {
	register(tflite.MAXIMUM, 2, "int8, float32; broadcasting", func(n *node) (func(), error) { return prepareExtreme(n, 1) })
	register(tflite.MINIMUM, 2, "int8, float32; broadcasting", func(n *node) (func(), error) { return prepareExtreme(n, -1) })
}

// prepareExtreme takes the larger (sign 1) or smaller (sign -1) operand; codes are compared as they are, their scales are the same.
func prepareExtreme(n *node, sign int32) (func(), error) {
	p, err := newPairs(n)
	if err != nil {
		return nil, err
	}
	if p.kind == tflite.FLOAT32 {
		s := float32(sign)
		return p.runFloat(n, tflite.NONE, func(a, b float32) float32 { return s * max(s*a, s*b) })
	}
	x, z, y := n.in[0].Int8(), n.in[1].Int8(), n.out[0].Int8()
	return func() {
		p.each(len(y), func(i, a, b int) { y[i] = int8(sign * max(sign*int32(x[a]), sign*int32(z[b]))) })
	}, nil
}
