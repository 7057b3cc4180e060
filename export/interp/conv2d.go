package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/internal/compute"
)

func init() {
	register(tflite.CONV_2D, 2, "int8 (per tensor and per channel), float32; groups, dilation", prepareConv2D)
}

func prepareConv2D(n *node) (func(), error) {
	o, err := options[tflite.Conv2DOptions](n)
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
	groups := g.c / max(w.Shape[3], 1)
	if w.Shape[0] != g.oc || groups < 1 || groups*w.Shape[3] != g.c || g.oc%groups != 0 {
		return nil, fmt.Errorf("kernel %s of shape %v does not fit input %v and output %v", w.Name, w.Shape, x.Shape, y.Shape)
	}
	if x.Type == tflite.FLOAT32 {
		return convFloat(n, g, groups, o.Activation)
	}
	q, err := newRequant(n, 0, o.Activation, g.oc)
	if err != nil {
		return nil, err
	}
	if f, ok := q.fast(n, x, w, optional(n, 2), y, g); ok && groups == 1 {
		if c, ok := compute.NewInt8Conv(g.shape(), w.Int8(), f); ok {
			return images(c, x.Int8(), y.Int8(), g.n), nil
		}
	}
	return convInt8(x, w, y, g, groups, q), nil
}

// requant is what follows the accumulator of an int8 kernel with weights: bias, multiplier a channel, zero point, clamp.
type requant struct {
	bias   []int32
	mult   []multiplier
	zero   int32
	lo, hi int32
	single bool // one rounding instead of two
}

// newRequant checks types and quantization of inputs x, w, bias and the output; axis is that of w's channels.
func newRequant(n *node, axis int, a tflite.Activation, channels int) (*requant, error) {
	bias := 2
	return newRequantOf(n, n.in[0], n.in[1], optional(n, bias), n.out[0], axis, a, channels)
}

func optional(n *node, i int) *Tensor {
	if i < len(n.in) {
		return n.in[i]
	}
	return nil
}

func newRequantOf(n *node, x, w, b, y *Tensor, axis int, a tflite.Activation, channels int) (*requant, error) {
	if x.Type != tflite.INT8 || y.Type != tflite.INT8 || w.Type != tflite.INT8 {
		return nil, fmt.Errorf("input %s, weights %s, output %s: want all int8 or all float32 (hybrid and other models are not supported)", x.Type, w.Type, y.Type)
	}
	if _, err := n.kind(x, y); err != nil {
		return nil, err
	}
	if w.Quant == nil {
		return nil, fmt.Errorf("weights %s have no scale", w.Name)
	}
	if w.Quant.IsPerAxis() && (w.Quant.Axis != axis || len(w.Quant.Scale) != channels) {
		return nil, fmt.Errorf("weights %s have %d scales along dimension %d, want %d along %d", w.Name, len(w.Quant.Scale), w.Quant.Axis, channels, axis)
	}
	for _, z := range w.Quant.ZeroPoint {
		if z != 0 {
			return nil, fmt.Errorf("weights %s have zero point %d, want 0", w.Name, z)
		}
	}
	r := &requant{bias: make([]int32, channels), mult: make([]multiplier, channels), zero: zeroOf(y)}
	if b != nil {
		if b.Type != tflite.INT32 || b.Volume() != channels {
			return nil, fmt.Errorf("bias %s is %s of %d values, want int32 of %d", b.Name, b.Type, b.Volume(), channels)
		}
		r.bias = b.Int32()
	}
	for c := range r.mult {
		s := w.Quant.Scale[0]
		if w.Quant.IsPerAxis() {
			s = w.Quant.Scale[c]
		}
		r.mult[c] = newMultiplier(scaleOf(x) * float64(s) / scaleOf(y))
	}
	var err error
	r.lo, r.hi, err = activationRange(a, y)
	return r, err
}

// out turns the accumulator of channel c into a code.
func (r *requant) out(acc int32, c int) int8 {
	m := r.mult[c]
	if r.single {
		return clamp8(quant.MultiplyByQuantizedMultiplierSingle(acc+r.bias[c], m.m, m.shift)+r.zero, r.lo, r.hi)
	}
	return clamp8(m.times(acc+r.bias[c])+r.zero, r.lo, r.hi)
}

// wide are weights as int32, which is what the inner loop multiplies.
type wide struct {
	from *Tensor
	w    []int32
}

func widen(t *Tensor) *wide {
	x := &wide{t, make([]int32, t.Volume())}
	x.read()
	return x
}

func (x *wide) read() {
	for i, v := range x.from.Int8() {
		x.w[i] = int32(v)
	}
}

// values are converted once for constants, at each run for weights that another operator computes.
func (x *wide) values() []int32 {
	if !x.from.Const {
		x.read()
	}
	return x.w
}

// convInt8 gathers each window, minus the zero point (so that padding is 0), and multiplies it with all filters of its group.
func convInt8(xt, wt, yt *Tensor, g window, groups int, q *requant) func() {
	x, y, zero := xt.Int8(), yt.Int8(), zeroOf(xt)
	cin, per := g.c/groups, g.oc/groups
	weights := widen(wt)
	k := g.kh * g.kw * cin
	patch := make([]int32, k)
	acc := make([]int32, g.oc)
	return func() {
		w := weights.values()
		g.each(func(out, n, py, px int) {
			for gr := range groups {
				clear(patch)
				g.inside(n, py, px, func(tap, pixel int) {
					from := x[pixel*g.c+gr*cin : pixel*g.c+(gr+1)*cin]
					to := patch[tap*cin : (tap+1)*cin]
					for i, v := range from {
						to[i] = int32(v) - zero
					}
				})
				dots(acc[gr*per:(gr+1)*per], patch, w[gr*per*k:])
			}
			to := y[out*g.oc : (out+1)*g.oc]
			for c := range to {
				to[c] = q.out(acc[c], c)
			}
		})
	}
}

// dots computes acc[i] = x . w[i], rows of w one after the other, four at a time.
func dots(acc, x, w []int32) {
	k := len(x)
	i := 0
	for ; i+4 <= len(acc); i += 4 {
		a, b, c, d := w[i*k:(i+1)*k], w[(i+1)*k:(i+2)*k], w[(i+2)*k:(i+3)*k], w[(i+3)*k:(i+4)*k]
		b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
		x := x[:len(a)]
		var s0, s1, s2, s3 int32
		for j, v := range x {
			s0 += v * a[j]
			s1 += v * b[j]
			s2 += v * c[j]
			s3 += v * d[j]
		}
		acc[i], acc[i+1], acc[i+2], acc[i+3] = s0, s1, s2, s3
	}
	for ; i < len(acc); i++ {
		row := w[i*k : (i+1)*k]
		s := int32(0)
		for j, v := range row {
			s += v * x[j]
		}
		acc[i] = s
	}
}

// floatBias checks the float32 tensors of a kernel with weights; the bias may be absent.
func floatBias(x, w, b, y *Tensor, channels int) ([]float32, error) {
	if w.Type != tflite.FLOAT32 || y.Type != tflite.FLOAT32 {
		return nil, fmt.Errorf("float32 input with weights %s and output %s: hybrid models are not supported", w.Type, y.Type)
	}
	if b == nil {
		return make([]float32, channels), nil
	}
	if b.Type != tflite.FLOAT32 || b.Volume() != channels {
		return nil, fmt.Errorf("bias %s is %s of %d values, want float32 of %d", b.Name, b.Type, b.Volume(), channels)
	}
	return b.Float32(), nil
}

func convFloat(n *node, g window, groups int, a tflite.Activation) (func(), error) {
	b, err := floatBias(n.in[0], n.in[1], optional(n, 2), n.out[0], g.oc)
	if err != nil {
		return nil, err
	}
	lo, hi, err := activationFloat(a)
	if err != nil {
		return nil, err
	}
	x, w, y := n.in[0].Float32(), n.in[1].Float32(), n.out[0].Float32()
	cin, per := g.c/groups, g.oc/groups
	return func() {
		g.each(func(out, n, py, px int) {
			for c := range g.oc {
				sum, from := float32(0), c/per*cin
				g.inside(n, py, px, func(tap, pixel int) {
					row := w[(c*g.kh*g.kw+tap)*cin : (c*g.kh*g.kw+tap+1)*cin]
					for i, v := range x[pixel*g.c+from : pixel*g.c+from+cin] {
						sum += v * row[i]
					}
				})
				y[out*g.oc+c] = min(max(sum+b[c], lo), hi)
			}
		})
	}, nil
}
