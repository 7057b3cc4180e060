package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.QUANTIZE, 1, "float32 to int8; int8 and uint8 to one another", prepareQuantize)
	register(tflite.DEQUANTIZE, 1, "int8 to float32", prepareDequantize)
}

func prepareQuantize(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	if err := n.sameShape(y, x.Shape); err != nil {
		return nil, err
	}
	if y.Quant == nil || y.Quant.IsPerAxis() {
		return nil, fmt.Errorf("output %s needs one scale", y.Name)
	}
	if x.Type == tflite.FLOAT32 && y.Type == tflite.INT8 {
		in, out, s, z := x.Float32(), y.Int8(), y.Quant.Scale[0], zeroOf(y)
		return func() {
			for i, v := range in {
				out[i] = quantize(v, s, z)
			}
		}, nil
	}
	lo, hi := int32(-128), int32(127)
	switch y.Type {
	case tflite.INT8:
	case tflite.UINT8:
		lo, hi = 0, 255
	default:
		return nil, fmt.Errorf("from %s to %s is not supported", x.Type, y.Type)
	}
	if x.Quant == nil || x.Quant.IsPerAxis() || x.Type != tflite.INT8 && x.Type != tflite.UINT8 {
		return nil, fmt.Errorf("from %s to %s: want float32 or 8 bits with one scale", x.Type, y.Type)
	}
	m, zx, zy := newMultiplier(scaleOf(x)/scaleOf(y)), zeroOf(x), zeroOf(y)
	signed := x.Type == tflite.INT8
	return func() {
		for i, b := range x.raw {
			v := int32(b)
			if signed {
				v = int32(int8(b))
			}
			y.raw[i] = byte(min(max(m.times(v-zx)+zy, lo), hi))
		}
	}, nil
}

func prepareDequantize(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	if err := n.sameShape(y, x.Shape); err != nil {
		return nil, err
	}
	if x.Type != tflite.INT8 || y.Type != tflite.FLOAT32 || x.Quant == nil || x.Quant.IsPerAxis() {
		return nil, fmt.Errorf("from %s to %s: want int8 with one scale to float32", x.Type, y.Type)
	}
	in, out, s, z := x.Int8(), y.Float32(), float64(x.Quant.Scale[0]), zeroOf(x)
	return func() {
		for i, v := range in {
			out[i] = float32(s * float64(int32(v)-z))
		}
	}, nil
}
