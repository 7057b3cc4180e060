package interp

import (
	"github.com/temper-ml/temper/internal/compute"
)

// The vector kernels of internal/compute do the layers that cost most, where weights and bias are constants: exact integer sums in another order, so
// the codes are those of the loops in this package. Tests compare the two (plain in node).

// shape is the window for package compute, for one image.
func (g window) shape() compute.ConvShape {
	return compute.ConvShape{N: 1, H: g.h, W: g.w, C: g.c, KH: g.kh, KW: g.kw, OC: g.oc, OH: g.oh, OW: g.ow, StrideH: g.sh, StrideW: g.sw,
		DilationH: g.dh, DilationW: g.dw, PadTop: g.top, PadLeft: g.left, Multiplier: g.oc / g.c}
}

// maxFast bounds the padded image of a vector kernel: a file may have a window of any size around a single pixel.
const maxFast = 1 << 26

// fast is what the vector kernels need of a layer, or false where they do not compute it.
func (r *requant) fast(n *node, x, w, b, y *Tensor, g window) (compute.Requant, bool) {
	if n.plain || r.single || !w.Const || b != nil && !b.Const || (g.h+g.kh*g.dh+g.oh*g.sh)*(g.w+g.kw*g.dw+g.ow*g.sw)*max(g.c, g.oc) > maxFast {
		return compute.Requant{}, false
	}
	q := compute.Requant{InputZero: zeroOf(x), OutputZero: r.zero, Lo: r.lo, Hi: r.hi, Bias: r.bias}
	for _, m := range r.mult {
		q.Multiplier, q.Shift = append(q.Multiplier, m.m), append(q.Shift, int32(m.shift))
	}
	return q, true
}

// image is a kernel for one image.
type image interface{ Run(y, x []int8) }

// images runs a kernel on every image of a batch.
func images(k image, x, y []int8, n int) func() {
	in, out := len(x)/n, len(y)/n
	return func() {
		for i := range n {
			k.Run(y[i*out:(i+1)*out], x[i*in:(i+1)*in])
		}
	}
}

// inImage tells whether every window lies wholly inside the image.
func (g window) inImage() bool {
	return g.top == 0 && g.left == 0 && (g.oh-1)*g.sh+g.kh <= g.h && (g.ow-1)*g.sw+g.kw <= g.w
}

// maxPool is the kernel for one image of a pool that needs no padding.
type maxPool compute.ConvShape

// Run implements image.
func (p maxPool) Run(y, x []int8) { compute.Int8MaxPool(y, x, compute.ConvShape(p)) }
