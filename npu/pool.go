package npu

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/npu/isa"
)

var (
	poolWindowRule = rule{"the window must have at most 256 rows and 65536 elements", func(c *call) bool {
		g := c.geometry()
		return g.kh <= 256 && g.kw <= limit && g.kh*g.kw <= limit && smallPads(c, g)
	}}

	averageWindow = rule{"the window must be at most 8 x 8 where it is padded, otherwise have at most 256 rows and 65536 elements", func(c *call) bool {
		g := c.geometry()
		if padded(c, g) {
			return g.kh <= 8 && g.kw <= 8
		}
		return g.kh <= 256 && g.kw <= limit && g.kh*g.kw <= limit
	}}

	meanAxes = rule{"the mean must be over height, width or both of batch 1, at most 64 rows and 4096 elements", func(c *call) bool {
		h, w, ok := c.meanWindow()
		return ok && h <= 64 && h*w <= 4096
	}}
)

func (c *call) pads(g geometry) (top, bottom, left, right int) {
	in, out := c.in[0].Shape, c.out[0].Shape
	top, bottom = g.pads(in[1], out[1], g.kh, g.sh, 1)
	left, right = g.pads(in[2], out[2], g.kw, g.sw, 1)
	return
}

func padded(c *call, g geometry) bool {
	t, b, l, r := c.pads(g)
	return t+b+l+r > 0
}

// smallPads: the registers of padding have 7 bits before and 8 behind.
func smallPads(c *call, g geometry) bool {
	t, b, l, r := c.pads(g)
	return t < 128 && l < 128 && b < 256 && r < 256
}

func (l *lowering) maxPool(c *call) error {
	s := step{kind: isa.Pool, ifm: l.input(c, 0), ofm: l.output(c, 0)}
	s.k.Mode, s.k.GlobalScale, s.k.OFMScale = isa.PoolMax, true, isa.Scale{Scale: 1}
	l.window(&s.k, c.geometry(), s.ifm, s.ofm)
	err := l.limits(&s.k, c.op.Options.(*tflite.Pool2DOptions).Activation, c.out[0])
	l.step(s)
	return err
}

// averagePool averages codes: zero points are left out. With padding the hardware divides by the number of elements itself.
func (l *lowering) averagePool(c *call) error {
	s := step{kind: isa.Pool, ifm: l.input(c, 0), ofm: l.output(c, 0)}
	s.ifm.zero, s.ofm.zero = 0, 0
	g := c.geometry()
	s.k.Mode, s.k.GlobalScale, s.k.OFMScale, s.k.OFMRounding = isa.PoolAverage, true, isa.Scale{Scale: 1}, isa.RoundNatural
	l.window(&s.k, g, s.ifm, s.ofm)
	if !padded(c, g) {
		s.k.OFMScale = poolScale(g.kh * g.kw)
	}
	err := l.limits(&s.k, c.op.Options.(*tflite.Pool2DOptions).Activation, c.out[0])
	l.step(s)
	return err
}

// poolScale divides by n: what is added to the factor makes rounding half up the rounding away from zero.
func poolScale(n int) isa.Scale {
	_, k := math.Frexp(float64(n - 1))
	return isa.Scale{Scale: uint32((uint64(1)<<(31+k) + uint64(1)<<k) / uint64(n)), Shift: 31 + k}
}

// meanWindow is the window of a MEAN over height and width.
func (c *call) meanWindow() (h, w int, ok bool) {
	shape, axes := c.in[0].Shape, c.in[1]
	first := len(shape) - 3 // the dimension that is the height
	if first < 0 || !axes.IsConst() || axes.Type != tflite.INT32 || first > 0 && shape[0] != 1 || first > 1 {
		return 0, 0, false
	}
	h, w = 1, 1
	for i := range axes.Volume() {
		a := int(int32(binary.LittleEndian.Uint32(axes.Data[4*i:])))
		if a < 0 {
			a += len(shape)
		}
		switch a - first {
		case 0:
			h = shape[a]
		case 1:
			w = shape[a]
		case -1: // the batch of 1
		default:
			return 0, 0, false
		}
	}
	return h, w, true
}

// mean is a depthwise convolution with ones, whose factor divides by their number.
func (l *lowering) mean(c *call) error {
	kh, kw, _ := c.meanWindow()
	s := step{kind: isa.Depthwise, ifm: l.input(c, 0)}
	s.ofm = l.output(c, 0).as(s.ifm.h-kh+1, s.ifm.w-kw+1, s.ifm.c)
	n := kh * kw
	m, shift := quant.QuantizeMultiplier(float64(c.in[0].Quant.Scale[0]) / float64(c.out[0].Quant.Scale[0]))
	extra := min(63-bits.LeadingZeros64(uint64(n)), 32, 31+shift)
	scale := isa.Scale{Scale: uint32((int64(m) << extra) / int64(n)), Shift: 31 - shift + extra}
	s.weights = make([]int16, n*s.ifm.c)
	for i := range s.weights {
		s.weights[i] = 1
	}
	s.records = make([]tfliteRecord, s.ifm.c)
	for i := range s.records {
		s.records[i].scale = scale
	}
	s.k = full(isa.Kernel{KernelH: kh, KernelW: kw})
	l.step(s)
	return nil
}
