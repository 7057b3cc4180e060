package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/compute"
)

func init() {
	register(tflite.FULLY_CONNECTED, 2, "int8 (per tensor and per channel), float32; one rounding in litert-ref", prepareFullyConnected)
}

func prepareFullyConnected(n *node) (func(), error) {
	o, err := options[tflite.FullyConnectedOptions](n)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[0], n.in[1], n.out[0]
	if err := rank(w, 2); err != nil {
		return nil, err
	}
	if o.WeightsFormat != 0 {
		return nil, fmt.Errorf("weights format %d is not supported", o.WeightsFormat)
	}
	units, k := w.Shape[0], w.Shape[1]
	rows := volume(x.Shape) / k
	if rows*k != volume(x.Shape) || volume(y.Shape) != rows*units || len(y.Shape) == 0 || y.Shape[len(y.Shape)-1] != units {
		return nil, fmt.Errorf("weights %v do not fit input %v and output %v", w.Shape, x.Shape, y.Shape)
	}
	if x.Type == tflite.FLOAT32 {
		return fullyConnectedFloat(n, rows, k, units, o.Activation)
	}
	q, err := newRequant(n, 0, o.Activation, units)
	if err != nil {
		return nil, err
	}
	q.single = n.profile == LiteRTRef
	if !w.Quant.IsPerAxis() {
		// Per tensor the kernel multiplies the scales in float32 first.
		for c := range q.mult {
			q.mult[c] = newMultiplier(float64(x.Quant.Scale[0]*w.Quant.Scale[0]) / scaleOf(y))
		}
	}
	pixels := window{n: 1, h: 1, w: rows, c: k, oh: 1, ow: rows, oc: units, kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1}
	if f, ok := q.fast(n, x, w, optional(n, 2), y, pixels); ok {
		if c, ok := compute.NewInt8Conv(pixels.shape(), w.Int8(), f); ok {
			return images(c, x.Int8(), y.Int8(), 1), nil
		}
	}
	in, weights, out, zero := x.Int8(), widen(w), y.Int8(), zeroOf(x)
	row, acc := make([]int32, k), make([]int32, units)
	return func() {
		kernel := weights.values()
		for r := range rows {
			for i, v := range in[r*k : (r+1)*k] {
				row[i] = int32(v) - zero
			}
			dots(acc, row, kernel)
			for c, v := range acc {
				out[r*units+c] = q.out(v, c)
			}
		}
	}, nil
}

func fullyConnectedFloat(n *node, rows, k, units int, a tflite.Activation) (func(), error) {
	b, err := floatBias(n.in[0], n.in[1], optional(n, 2), n.out[0], units)
	if err != nil {
		return nil, err
	}
	lo, hi, err := activationFloat(a)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[0].Float32(), n.in[1].Float32(), n.out[0].Float32()
	return func() {
		for r := range rows {
			for c := range units {
				sum := float32(0)
				for i, v := range x[r*k : (r+1)*k] {
					sum += v * w[c*k+i]
				}
				y[r*units+c] = min(max(sum+b[c], lo), hi)
			}
		}
	}, nil
}
