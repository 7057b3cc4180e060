package npu

import (
	"encoding/binary"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// geometry is a window over an input, in the words of all operators that have one.
type geometry struct {
	padding        tflite.Padding
	kh, kw         int // taps
	sh, sw, dh, dw int
}

func (c *call) geometry() geometry {
	switch o := c.op.Options.(type) {
	case *tflite.Conv2DOptions:
		return geometry{o.Padding, c.in[1].Shape[1], c.in[1].Shape[2], o.StrideH, o.StrideW, o.DilationH, o.DilationW}
	case *tflite.DepthwiseConv2DOptions:
		return geometry{o.Padding, c.in[1].Shape[1], c.in[1].Shape[2], o.StrideH, o.StrideW, o.DilationH, o.DilationW}
	case *tflite.TransposeConvOptions:
		return geometry{o.Padding, c.in[1].Shape[1], c.in[1].Shape[2], o.StrideH, o.StrideW, 1, 1}
	case *tflite.Pool2DOptions:
		return geometry{o.Padding, o.FilterHeight, o.FilterWidth, o.StrideH, o.StrideW, 1, 1}
	}
	return geometry{kh: 1, kw: 1, sh: 1, sw: 1, dh: 1, dw: 1}
}

// pads are those before and behind along a dimension: behind only what the last window reads.
func (g geometry) pads(in, out, k, stride, dilation int) (before, behind int) {
	if g.padding == tflite.VALID {
		return 0, 0
	}
	total := max((out-1)*stride+(k-1)*dilation+1-in, 0)
	return total / 2, total - total/2
}

var (
	oneGroup = rule{"a convolution must have one group", func(c *call) bool { return c.in[1].Shape[3] == c.in[0].Shape[3] }}

	multiplierOne = rule{"a depthwise convolution must have as many outputs as inputs, or one input", func(c *call) bool {
		return c.in[0].Shape[3] == c.out[0].Shape[3] || c.in[0].Shape[3] == 1
	}}

	convWindow = rule{"the kernel must have at most 64 rows and 4096 elements with its dilation, which must be at most 2", func(c *call) bool {
		g := c.geometry()
		h, w := (g.kh-1)*g.dh+1, (g.kw-1)*g.dw+1
		return g.dh <= 2 && g.dw <= 2 && h <= arch.MaxKernelHeight && h*w <= arch.MaxKernelArea
	}}

	strideRule = rule{"strides must be at most 3, unless there is one output along the dimension", func(c *call) bool {
		g := c.geometry()
		return (g.sh <= 3 || c.out[0].Shape[1] == 1) && (g.sw <= 3 || c.out[0].Shape[2] == 1)
	}}

	transposeStride = rule{"a transpose convolution must have stride 1 x 1 or 2 x 2", func(c *call) bool {
		g := c.geometry()
		return g.sh == g.sw && (g.sh == 1 || g.sh == 2)
	}}
)

// window writes a geometry to a kernel.
func (l *lowering) window(k *isa.Kernel, g geometry, in, out view) {
	k.StrideY, k.StrideX, k.DilationY, k.DilationX = g.sh, g.sw, g.dh, g.dw
	if out.h == 1 {
		k.StrideY = 1
	}
	if out.w == 1 {
		k.StrideX = 1
	}
	if g.kh == 1 {
		k.DilationY = 1
	}
	if g.kw == 1 {
		k.DilationX = 1
	}
	k.KernelH, k.KernelW = (g.kh-1)*k.DilationY+1, (g.kw-1)*k.DilationX+1
	k.PadTop, k.PadBottom = g.pads(in.h, out.h, g.kh, g.sh, g.dh)
	k.PadLeft, k.PadRight = g.pads(in.w, out.w, g.kw, g.sw, g.dw)
}

// records are biases and factors of the output channels.
func (c *call) records(x *tflite.Tensor, channels int, float32Product bool) []tfliteRecord {
	w, y := c.in[1], c.out[0]
	list := make([]tfliteRecord, channels)
	for i := range list {
		s := w.Quant.Scale[0]
		if w.Quant.IsPerAxis() {
			s = w.Quant.Scale[i]
		}
		d := float64(x.Quant.Scale[0]) * float64(s) / float64(y.Quant.Scale[0])
		if float32Product && !w.Quant.IsPerAxis() {
			d = float64(x.Quant.Scale[0]*s) / float64(y.Quant.Scale[0])
		}
		list[i].scale = fixed(d)
		if b := c.bias(); b != nil {
			list[i].bias = int64(int32(binary.LittleEndian.Uint32(b.Data[4*i:])))
		}
	}
	return list
}

func int16s(data []byte) []int16 {
	w := make([]int16, len(data))
	for i, v := range data {
		w[i] = int16(int8(v))
	}
	return w
}

// partKernel tells whether the order by taps fills the multipliers better than the order by channels.
func partKernel(ic, taps int) bool {
	byTaps := float64(ic*taps) / float64(roundUp(ic, 8)*roundUp(taps, 4))
	return ic <= 8 || byTaps > float64(ic)/float64(roundUp(ic, 32))
}

func (l *lowering) conv(c *call) error {
	o := c.op.Options.(*tflite.Conv2DOptions)
	s := step{kind: isa.Conv, ifm: l.input(c, 0), ofm: l.output(c, 0), weights: int16s(c.in[1].Data), records: c.records(c.in[0], c.out[0].Shape[3], false)}
	if err := l.limits(&s.k, o.Activation, c.out[0]); err != nil {
		return err
	}
	g := c.geometry()
	l.window(&s.k, g, s.ifm, s.ofm)
	l.unpad(c, &s)
	s.k.PartKernel = partKernel(s.ifm.c, g.kh*g.kw)
	l.step(s)
	return nil
}

func (l *lowering) depthwise(c *call) error {
	o := c.op.Options.(*tflite.DepthwiseConv2DOptions)
	channels := c.out[0].Shape[3]
	s := step{kind: isa.Depthwise, ifm: l.input(c, 0), ofm: l.output(c, 0), records: c.records(c.in[0], channels, false)}
	if err := l.limits(&s.k, o.Activation, c.out[0]); err != nil {
		return err
	}
	g := c.geometry()
	taps := g.kh * g.kw
	s.weights = make([]int16, taps*channels)
	for i, v := range c.in[1].Data { // channels are last in the file
		s.weights[i%channels*taps+i/channels] = int16(int8(v))
	}
	l.window(&s.k, g, s.ifm, s.ofm)
	l.unpad(c, &s)
	if s.ifm.c == 1 && channels > 1 { // every output reads the one input
		s.kind, s.k.PartKernel = isa.Conv, true
	}
	l.step(s)
	return nil
}

func (l *lowering) fullyConnected(c *call) error {
	o := c.op.Options.(*tflite.FullyConnectedOptions)
	units, n := c.in[1].Shape[0], c.in[1].Shape[1]
	rows := c.in[0].Volume() / n
	s := step{kind: isa.Conv, ifm: l.flat(l.input(c, 0), 1, rows, n), ofm: l.output(c, 0).as(1, rows, units), weights: int16s(c.in[1].Data),
		records: c.records(c.in[0], units, true)}
	s.k.PartKernel = partKernel(n, 1)
	if err := l.limits(&s.k, o.Activation, c.out[0]); err != nil {
		return err
	}
	l.step(s)
	return nil
}

// transposeConv is a convolution with the kernel turned round over an input between whose elements zeros are.
func (l *lowering) transposeConv(c *call) error {
	o := c.op.Options.(*tflite.TransposeConvOptions)
	g := c.geometry()
	oc, ic := c.in[1].Shape[0], c.in[1].Shape[3]
	s := step{kind: isa.Conv, ifm: l.input(c, 2), ofm: l.output(c, 0), records: c.records(c.in[2], oc, false)}
	if err := l.limits(&s.k, o.Activation, c.out[0]); err != nil {
		return err
	}
	s.weights = make([]int16, len(c.in[1].Data))
	for i, v := range c.in[1].Data {
		in, at := i%ic, i/ic
		x, y, out := at%g.kw, at/g.kw%g.kh, at/g.kw/g.kh
		s.weights[((out*g.kh+g.kh-1-y)*g.kw+g.kw-1-x)*ic+in] = int16(int8(v))
	}
	k := &s.k
	k.KernelH, k.KernelW = g.kh, g.kw
	top, _ := g.pads(s.ofm.h, s.ifm.h, g.kh, g.sh, 1)
	left, _ := g.pads(s.ofm.w, s.ifm.w, g.kw, g.sw, 1)
	k.PadTop, k.PadLeft = g.kh-1-top, g.kw-1-left
	k.PadBottom = max(s.ofm.h+g.kh-1-k.PadTop-g.sh*s.ifm.h, 0)
	k.PadRight = max(s.ofm.w+g.kw-1-k.PadLeft-g.sw*s.ifm.w, 0)
	if g.sh == 2 {
		k.Upscale = isa.UpscaleZeros
	}
	k.PartKernel = partKernel(ic, g.kh*g.kw)
	l.step(s)
	return nil
}
