package npu

import (
	"encoding/binary"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
)

var (
	padRule = rule{"padding must be a constant, of height and width only, and at most 63 in each", func(c *call) bool {
		p, ok := c.padding()
		return ok && p[0] == 0 && p[1] == 0 && p[6] == 0 && p[7] == 0 && p[2]+p[3] <= 63 && p[4]+p[5] <= 63
	}}

	axisRule = rule{"parts must not be joined behind a batch, and must have the output's quantization", func(c *call) bool {
		for _, t := range c.in {
			if !int8Tensor(t) || !t.Quant.Equal(*c.out[0].Quant) {
				return false
			}
		}
		_, ok := c.axis()
		return ok
	}}

	nearestRule = rule{"the size must be 2, 4 or 8 times the input's, without aligned corners", func(c *call) bool {
		o, ok := c.op.Options.(*tflite.ResizeNearestNeighborOptions)
		in, out := c.in[0].Shape, c.out[0].Shape
		f := out[1] / in[1]
		return ok && !o.AlignCorners && out[1] == f*in[1] && out[2] == f*in[2] && (f == 2 || f == 4 || f == 8)
	}}
)

// padding is the constant of a PAD: before and behind in each of four dimensions.
func (c *call) padding() (p [8]int, ok bool) {
	t := c.in[1]
	if !t.IsConst() || t.Type != tflite.INT32 || t.Volume() != 8 {
		return p, false
	}
	for i := range p {
		p[i] = int(int32(binary.LittleEndian.Uint32(t.Data[4*i:])))
		if p[i] < 0 {
			return p, false
		}
	}
	return p, true
}

// axis tells whether a concatenation is along channels (1), width (2) or height (3).
func (c *call) axis() (int, bool) {
	o, ok := c.op.Options.(*tflite.ConcatenationOptions)
	rank := len(c.out[0].Shape)
	if !ok || o.Activation != tflite.NONE {
		return 0, false
	}
	a := o.Axis
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, false
	}
	if rank-a < 3 {
		return rank - a, true
	}
	for _, d := range c.out[0].Shape[:a] {
		if d != 1 {
			return 0, false
		}
	}
	return 3, true
}

// reshape is no step where the value can be read in another shape where it lies.
func (l *lowering) reshape(c *call) error {
	in, out := c.op.Inputs[0], c.op.Outputs[0]
	v := l.value(in)
	h, w, d := spatial(c.out[0].Shape)
	_, placed := l.values[out]
	if !placed && !l.crosses(out) && v.whole() && l.joinOf(out) < 0 {
		l.values[out] = v.as(h, w, d)
		return nil
	}
	from := l.flat(v, h, w, d)
	l.copy(from, l.value(out))
	return nil
}

// strided are operators that write a part of a larger output as well as one of their own.
var strided = []tflite.Code{tflite.CONV_2D, tflite.DEPTHWISE_CONV_2D, tflite.TRANSPOSE_CONV, tflite.AVERAGE_POOL_2D, tflite.MAX_POOL_2D, tflite.ADD, tflite.SUB,
	tflite.MUL, tflite.MINIMUM, tflite.MAXIMUM, tflite.CONCATENATION, tflite.LOGISTIC, tflite.TANH, tflite.HARD_SWISH, tflite.LEAKY_RELU}

// joinOf is the concatenation that alone reads a tensor, once, or -1.
func (l *lowering) joinOf(t int) int {
	if !l.private(t) || l.producer[t] < 0 || !slices.Contains(strided, l.g.Operators[l.producer[t]].Code) {
		return -1
	}
	r := l.readers[t][0]
	o := l.g.Operators[r]
	n := 0
	for _, i := range o.Inputs {
		if i == t {
			n++
		}
	}
	if o.Code != tflite.CONCATENATION || n != 1 {
		return -1
	}
	return r
}

// inJoin is the part of a concatenation's output that is input t.
func (l *lowering) inJoin(r, t int) view {
	o := l.g.Operators[r]
	c := newCall(l.g, o)
	out := l.value(o.Outputs[0])
	axis, _ := c.axis()
	at := 0
	for _, i := range o.Inputs {
		h, w, d := spatial(l.g.Tensors[i].Shape)
		if i != t {
			at += [...]int{1: d, 2: w, 3: h}[axis]
			continue
		}
		switch axis {
		case 1:
			return out.part(0, 0, at, h, w, d)
		case 2:
			return out.part(0, at, 0, h, w, d)
		}
		return out.part(at, 0, 0, h, w, d)
	}
	return out
}

// concat copies the parts that are not written to their place at once.
func (l *lowering) concat(c *call) error {
	out := l.output(c, 0)
	axis, _ := c.axis()
	at := 0
	for i := range c.in {
		v := l.input(c, i)
		var place [4]int
		place[axis] = at
		at += [...]int{1: v.c, 2: v.w, 3: v.h}[axis]
		if v.buffer == out.buffer {
			continue
		}
		l.copy(v, out.part(place[3], place[2], place[1], v.h, v.w, v.c))
	}
	return nil
}

// pad is nothing before a convolution that can pad itself; otherwise a depthwise convolution with a single one in its kernel.
func (l *lowering) pad(c *call) error {
	p, _ := c.padding()
	out := c.op.Outputs[0]
	if l.padsItself(out, p) {
		l.values[out] = l.input(c, 0)
		l.fusedPad[out] = l.operator
		return nil
	}
	s := step{kind: isa.Depthwise, ifm: l.input(c, 0), ofm: l.output(c, 0)}
	kh, kw := p[2]+p[3]+1, p[4]+p[5]+1
	s.weights = make([]int16, s.ifm.c*kh*kw)
	s.records = make([]tfliteRecord, s.ifm.c)
	for i := range s.ifm.c {
		s.weights[(i*kh+p[3])*kw+p[5]] = 1
		s.records[i].scale = isa.Scale{Scale: 1 << 30, Shift: 30}
	}
	s.k = full(isa.Kernel{KernelH: kh, KernelW: kw, PadTop: kh - 1, PadBottom: kh - 1, PadLeft: kw - 1, PadRight: kw - 1})
	l.step(s)
	return nil
}

// padsItself tells whether the only reader of a padded tensor is a convolution without padding whose kernel is larger than the padding.
func (l *lowering) padsItself(t int, p [8]int) bool {
	if !l.private(t) {
		return false
	}
	o := l.g.Operators[l.readers[t][0]]
	if o.Code != tflite.CONV_2D && o.Code != tflite.DEPTHWISE_CONV_2D || slices.Index(o.Inputs, t) != 0 {
		return false
	}
	g := newCall(l.g, o).geometry()
	h, w := (g.kh-1)*g.dh+1, (g.kw-1)*g.dw+1
	return g.padding == tflite.VALID && p[2] < h && p[3] < h && p[4] < w && p[5] < w
}

// unpad gives a convolution the padding of the PAD before it.
func (l *lowering) unpad(c *call, s *step) {
	at, ok := l.fusedPad[c.op.Inputs[0]]
	if !ok {
		return
	}
	p, _ := newCall(l.g, l.g.Operators[at]).padding()
	k := &s.k
	g := c.geometry()
	behind := func(out, stride, kernel, before, in int) int { return max((out-1)*stride+kernel-before-in, 0) }
	k.PadTop, k.PadLeft = p[2], p[4]
	k.PadBottom = behind(s.ofm.h, g.sh, k.KernelH, p[2], s.ifm.h)
	k.PadRight = behind(s.ofm.w, g.sw, k.KernelW, p[4], s.ifm.w)
}

// nearest doubles height and width, as often as is needed.
func (l *lowering) nearest(c *call) error {
	v, out := l.input(c, 0), l.output(c, 0)
	for v.h < out.h {
		next := out
		if 2*v.h < out.h {
			next = newView(2*v.h, 2*v.w, v.c, 1, v.zero)
		}
		from, to := v, next
		from.zero, to.zero = 0, 0
		l.step(step{kind: isa.Pool, ifm: from, ofm: to, k: full(isa.Kernel{Mode: isa.PoolAverage, GlobalScale: true, OFMScale: isa.Scale{Scale: 1},
			Upscale: isa.UpscaleNearest})})
		v = next
	}
	return nil
}
