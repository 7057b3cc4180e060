package interp

import (
	"math"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.MAX_POOL_2D, 1, "int8, float32", prepareMaxPool)
	register(tflite.AVERAGE_POOL_2D, 1, "int8, float32; the mean is over taps inside the image", prepareAvgPool)
}

func poolWindow(n *node) (window, tflite.Activation, tflite.Type, error) {
	o, err := options[tflite.Pool2DOptions](n)
	if err != nil {
		return window{}, 0, 0, err
	}
	kind, err := n.kind(n.in[0], n.out[0])
	if err != nil {
		return window{}, 0, 0, err
	}
	g, err := newWindow(n.in[0], n.out[0], o.Padding, o.FilterHeight, o.FilterWidth, o.StrideH, o.StrideW, 1, 1)
	if err == nil && g.c != g.oc {
		err = n.sameShape(n.out[0], []int{g.n, g.oh, g.ow, g.c})
	}
	return g, o.Activation, kind, err
}

func prepareMaxPool(n *node) (func(), error) {
	g, act, kind, err := poolWindow(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		lo, hi, err := activationFloat(act)
		x, y := n.in[0].Float32(), n.out[0].Float32()
		return func() {
			g.each(func(at, n, py, px int) {
				for c := range g.c {
					m := float32(math.Inf(-1))
					g.inside(n, py, px, func(_, pixel int) { m = max(m, x[pixel*g.c+c]) })
					y[at*g.c+c] = min(max(m, lo), hi)
				}
			})
		}, err
	}
	lo, hi, err := activationRange(act, n.out[0])
	x, y := n.in[0].Int8(), n.out[0].Int8()
	if !n.plain && g.inImage() && lo == -128 && hi == 127 {
		return images(maxPool(g.shape()), x, y, g.n), err
	}
	return func() {
		g.each(func(at, n, py, px int) {
			out := y[at*g.c : (at+1)*g.c]
			for c := range out {
				out[c] = -128
			}
			g.inside(n, py, px, func(_, pixel int) {
				for c, v := range x[pixel*g.c : (pixel+1)*g.c] {
					out[c] = max(out[c], v)
				}
			})
			for c, v := range out {
				out[c] = clamp8(int32(v), lo, hi)
			}
		})
	}, err
}

func prepareAvgPool(n *node) (func(), error) {
	g, act, kind, err := poolWindow(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		lo, hi, err := activationFloat(act)
		x, y := n.in[0].Float32(), n.out[0].Float32()
		return func() {
			g.each(func(at, n, py, px int) {
				for c := range g.c {
					sum, taps := float32(0), float32(0)
					g.inside(n, py, px, func(_, pixel int) {
						sum += x[pixel*g.c+c]
						taps++
					})
					y[at*g.c+c] = min(max(sum/taps, lo), hi)
				}
			})
		}, err
	}
	lo, hi, err := activationRange(act, n.out[0])
	x, y := n.in[0].Int8(), n.out[0].Int8()
	sum := make([]int32, g.c)
	return func() {
		g.each(func(at, n, py, px int) {
			clear(sum)
			taps := int32(0)
			g.inside(n, py, px, func(_, pixel int) {
				taps++
				for c, v := range x[pixel*g.c : (pixel+1)*g.c] {
					sum[c] += int32(v)
				}
			})
			for c, s := range sum {
				// Half away from zero, with truncating division.
				if s > 0 {
					s = (s + taps/2) / taps
				} else {
					s = (s - taps/2) / taps
				}
				y[at*g.c+c] = clamp8(s, lo, hi)
			}
		})
	}, err
}
