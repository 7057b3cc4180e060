package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/compute"
)

func init() {
	register(tflite.DEPTHWISE_CONV_2D, 2, "int8 (per tensor and per channel), float32; multiplier, dilation", prepareDepthwise)
}

func prepareDepthwise(n *node) (func(), error) {
	o, err := options[tflite.DepthwiseConv2DOptions](n)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[0], n.in[1], n.out[0]
	if err := rank(w, 4); err != nil {
		return nil, err
	}
	g, err := newWindow(x, y, o.Padding, w.Shape[1], w.Shape[2], o.StrideH, o.StrideW, o.DilationH, o.DilationW)
	if err != nil {
		return nil, err
	}
	m := g.oc / g.c
	if w.Shape[0] != 1 || w.Shape[3] != g.oc || m*g.c != g.oc || m == 0 {
		return nil, fmt.Errorf("kernel %s of shape %v does not fit input %v and output %v", w.Name, w.Shape, x.Shape, y.Shape)
	}
	if x.Type == tflite.FLOAT32 {
		return depthwiseFloat(n, g, m, o.Activation)
	}
	q, err := newRequant(n, 3, o.Activation, g.oc)
	if err != nil {
		return nil, err
	}
	if f, ok := q.fast(n, x, w, optional(n, 2), y, g); ok {
		if c, ok := compute.NewInt8Depthwise(g.shape(), w.Int8(), f); ok {
			return images(c, x.Int8(), y.Int8(), g.n), nil
		}
	}
	in, weights, out, zero := x.Int8(), widen(w), y.Int8(), zeroOf(x)
	acc := make([]int32, g.oc)
	return func() {
		k := weights.values()
		g.each(func(at, n, py, px int) {
			clear(acc)
			g.inside(n, py, px, func(tap, pixel int) {
				row := k[tap*g.oc : (tap+1)*g.oc]
				from := in[pixel*g.c : (pixel+1)*g.c]
				if m == 1 {
					for c, v := range from {
						acc[c] += (int32(v) - zero) * row[c]
					}
					return
				}
				for c := range row {
					acc[c] += (int32(from[c/m]) - zero) * row[c]
				}
			})
			for c, v := range acc {
				out[at*g.oc+c] = q.out(v, c)
			}
		})
	}, nil
}

func depthwiseFloat(n *node, g window, m int, a tflite.Activation) (func(), error) {
	b, err := floatBias(n.in[0], n.in[1], optional(n, 2), n.out[0], g.oc)
	if err != nil {
		return nil, err
	}
	lo, hi, err := activationFloat(a)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[0].Float32(), n.in[1].Float32(), n.out[0].Float32()
	return func() {
		g.each(func(at, n, py, px int) {
			out := y[at*g.oc : (at+1)*g.oc]
			clear(out)
			g.inside(n, py, px, func(tap, pixel int) {
				for c := range out {
					out[c] += x[pixel*g.c+c/m] * w[tap*g.oc+c]
				}
			})
			for c := range out {
				out[c] = min(max(out[c]+b[c], lo), hi)
			}
		})
	}, nil
}
