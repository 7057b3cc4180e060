package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

// window is the geometry of a convolution or pool over [n,h,w,c].
type window struct {
	n, h, w, c     int
	oh, ow, oc     int
	kh, kw         int
	sh, sw, dh, dw int
	top, left      int
}

// newWindow checks input [n,h,w,c] and output [n,oh,ow,oc] against each other.
func newWindow(in, out *Tensor, p tflite.Padding, kh, kw, sh, sw, dh, dw int) (g window, err error) {
	if err := rank(in, 4); err != nil {
		return g, err
	}
	if err := rank(out, 4); err != nil {
		return g, err
	}
	g = window{n: in.Shape[0], h: in.Shape[1], w: in.Shape[2], c: in.Shape[3], oh: out.Shape[1], ow: out.Shape[2], oc: out.Shape[3],
		kh: kh, kw: kw, sh: sh, sw: sw, dh: dh, dw: dw}
	const limit = 1 << 16
	for _, v := range []int{kh, kw, sh, sw, dh, dw} {
		if v < 1 || v > limit {
			return g, fmt.Errorf("window %dx%d, stride %dx%d, dilation %dx%d: each must be 1 to %d", kh, kw, sh, sw, dh, dw, limit)
		}
	}
	oh, top := extent(p, g.h, (kh-1)*dh+1, sh)
	ow, left := extent(p, g.w, (kw-1)*dw+1, sw)
	g.top, g.left = top, left
	if oh != g.oh || ow != g.ow || out.Shape[0] != g.n {
		return g, fmt.Errorf("output %s has shape %v, the operator makes [%d %d %d ...]", out.Name, out.Shape, g.n, oh, ow)
	}
	return g, nil
}

// extent is the output size and the leading padding along one dimension.
func extent(p tflite.Padding, n, k, stride int) (out, before int) {
	if p == tflite.VALID {
		return (n - k + stride) / stride, 0
	}
	out = (n + stride - 1) / stride
	return out, max((out-1)*stride+k-n, 0) / 2
}

// each calls f for every output pixel with its offset in pixels and the position of its window.
func (g *window) each(f func(out, n, y, x int)) {
	for n := range g.n {
		for oy := range g.oh {
			for ox := range g.ow {
				f((n*g.oh+oy)*g.ow+ox, n, oy*g.sh-g.top, ox*g.sw-g.left)
			}
		}
	}
}

// inside calls f for the kernel positions of a window that lie in the image, with the offset of the input pixel.
func (g *window) inside(n, y, x int, f func(tap, pixel int)) {
	top, bottom := taps(y, g.h, g.kh, g.dh)
	left, right := taps(x, g.w, g.kw, g.dw)
	for ky := top; ky < bottom; ky++ {
		row := (n*g.h+y+ky*g.dh)*g.w + x
		for kx := left; kx < right; kx++ {
			f(ky*g.kw+kx, row+kx*g.dw)
		}
	}
}

// taps are the first and past the last of k kernel positions, dilation apart, that lie in [0, size) when position 0 is at start. The positions
// outside are never walked: a file can have a window of any size around a single pixel.
func taps(start, size, k, dilation int) (first, end int) {
	if start < 0 {
		first = (-start + dilation - 1) / dilation
	}
	if size > start {
		end = min(k, (size-start+dilation-1)/dilation)
	}
	return first, end
}
