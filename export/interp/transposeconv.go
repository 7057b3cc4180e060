package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.TRANSPOSE_CONV, 3, "int8 (per tensor and per channel), float32", prepareTransposeConv)
}

func prepareTransposeConv(n *node) (func(), error) {
	o, err := options[tflite.TransposeConvOptions](n)
	if err != nil {
		return nil, err
	}
	size, err := n.constants(0)
	if err != nil {
		return nil, err
	}
	w, x, y := n.in[1], n.in[2], n.out[0]
	if err := n.sameShape(y, size); err != nil {
		return nil, err
	}
	if err := rank(w, 4); err != nil {
		return nil, err
	}
	// The geometry is that of the convolution that goes back from y to x.
	g, err := newWindow(y, x, o.Padding, w.Shape[1], w.Shape[2], o.StrideH, o.StrideW, 1, 1)
	if err != nil {
		return nil, fmt.Errorf("backwards: %w", err)
	}
	cin, cout := x.Shape[3], y.Shape[3]
	if w.Shape[0] != cout || w.Shape[3] != cin {
		return nil, fmt.Errorf("kernel %s of shape %v does not fit input %v and output %v", w.Name, w.Shape, x.Shape, y.Shape)
	}
	if x.Type == tflite.FLOAT32 {
		return transposeFloat(n, g, cin, cout, o.Activation)
	}
	q, err := newRequantOf(n, x, w, optional(n, 3), y, 0, o.Activation, cout)
	if err != nil {
		return nil, err
	}
	in, weights, out, zero := x.Int8(), widen(w), y.Int8(), zeroOf(x)
	acc := make([]int32, len(out))
	taps := g.kh * g.kw
	return func() {
		k := weights.values()
		clear(acc)
		g.each(func(at, n, py, px int) {
			from := in[at*cin : (at+1)*cin]
			g.inside(n, py, px, func(tap, pixel int) {
				for c := range cout {
					row := k[(c*taps+tap)*cin : (c*taps+tap+1)*cin]
					sum := int32(0)
					for i, v := range from {
						sum += (int32(v) - zero) * row[i]
					}
					acc[pixel*cout+c] += sum
				}
			})
		})
		for i, v := range acc {
			out[i] = q.out(v, i%cout)
		}
	}, nil
}

func transposeFloat(n *node, g window, cin, cout int, a tflite.Activation) (func(), error) {
	b, err := floatBias(n.in[2], n.in[1], optional(n, 3), n.out[0], cout)
	if err != nil {
		return nil, err
	}
	lo, hi, err := activationFloat(a)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[2].Float32(), n.in[1].Float32(), n.out[0].Float32()
	taps := g.kh * g.kw
	return func() {
		clear(y)
		g.each(func(at, n, py, px int) {
			g.inside(n, py, px, func(tap, pixel int) {
				for c := range cout {
					for i, v := range x[at*cin : (at+1)*cin] {
						y[pixel*cout+c] += v * w[(c*taps+tap)*cin+i]
					}
				}
			})
		})
		for i := range y {
			y[i] = min(max(y[i]+b[i%cout], lo), hi)
		}
	}, nil
}
