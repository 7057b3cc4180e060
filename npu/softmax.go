package npu

import (
	"encoding/binary"

	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
)

// softmax is the fixed-point kernel of TensorFlow Lite in steps on 32-bit values: exponentials of the differences from the largest code by a table, their sum,
// its reciprocal by three Newton steps from 48/17 - 32/17 x, products.
func (l *lowering) softmax(c *call) error {
	o := c.op.Options.(*tflite.SoftmaxOptions)
	shape := c.in[0].Shape
	n := shape[len(shape)-1]
	rows := c.in[0].Volume() / n
	x := l.flat(l.input(c, 0), rows, 1, n)
	y := l.flat(l.output(c, 0), rows, 1, n)

	top := newView(rows, 1, 1, 1, x.zero)
	in := x.as(rows, n, 1)
	l.step(step{kind: isa.Pool, ifm: in, ofm: top,
		k: full(isa.Kernel{Mode: isa.PoolMax, GlobalScale: true, OFMScale: isa.Scale{Scale: 1}, KernelW: n})})

	exp := newView(rows, 1, n, 4, 127) // differences are -255 to 0: with 127 they are codes
	var table []byte
	e := interp.SoftmaxExp(float64(o.Beta) * float64(c.in[0].Quant.Scale[0]))
	for code := range 256 {
		table = binary.LittleEndian.AppendUint32(table, uint32(e[255-code]))
	}
	l.binary(isa.Sub, x, top, exp, 0, 0).table = table
	s := &l.steps[len(l.steps)-1]
	s.k.Clip, s.k.Min, s.k.Max = isa.ClipInt8, -128, 127
	exp.zero = 0

	wide := func(c int) view {
		v := newView(rows, 1, c, 4, 0)
		v.linear = true // sums over 32-bit channels need it, and bricks of one channel are 16 times as large
		return v
	}
	value := func(x int32) view { return words(rows, 1, 1, x) }
	small := wide(n)
	l.binary(isa.SHR, exp, words(1, 1, 1, 12), small, 0, isa.RoundNatural)
	sum := wide(1)
	l.step(step{kind: isa.Pool, ifm: small, ofm: sum, k: isa.Kernel{Mode: isa.PoolSum, GlobalScale: true, OFMScale: isa.Scale{Scale: 1}, OFMRounding: isa.RoundNatural}})
	headroom := wide(1)
	l.step(step{kind: isa.Elementwise, ifm: sum, ofm: headroom, k: isa.Kernel{Mode: isa.CLZ, OFMScale: isa.Scale{Scale: 1}}})
	shift, left, half := wide(1), wide(1), wide(1)
	l.binary(isa.Sub, value(35), headroom, shift, 0, 0)
	l.binary(isa.Sub, headroom, words(1, 1, 1, 1), left, 0, 0)
	l.binary(isa.SHL, sum, left, half, 0, 0)

	high := func(a, b, out view) { l.binary(isa.Mul, a, b, out, 31, 0) }
	guess, r := wide(1), wide(1)
	high(half, words(1, 1, 1, -1010580540), guess)
	l.binary(isa.Add, guess, words(1, 1, 1, 1515870810), r, 0, 0)
	for range 3 {
		a, b, d, e, next := wide(1), wide(1), wide(1), wide(1), wide(1)
		high(r, half, a)
		l.binary(isa.Sub, value(1<<29), a, b, 0, 0)
		high(r, b, d)
		l.binary(isa.Mul, d, words(1, 1, 1, 4), e, 0, 0)
		l.binary(isa.Add, r, e, next, 0, 0)
		r = next
	}
	product := wide(n)
	l.binary(isa.Mul, exp, r, product, 30, 0)
	l.binary(isa.SHR, product, shift, y, 0, isa.RoundNatural)
	last := &l.steps[len(l.steps)-1]
	last.k.Min, last.k.Max = -128, 127
	return nil
}

// binary is an element-wise step without factors; a product may be shifted.
func (l *lowering) binary(mode int, a, b, out view, shift, rounding int) *step {
	s := step{kind: isa.Elementwise, ifm: a, ifm2: b, ofm: out, k: isa.Kernel{Mode: mode, HasIFM2: true, OFMScale: isa.Scale{Scale: 1}, OFMRounding: rounding}}
	switch mode {
	case isa.Mul:
		s.k.GlobalScale = true
		if shift > 0 {
			s.k.OFMScale = isa.Scale{Scale: 1 << 30, Shift: shift}
		}
	case isa.Add, isa.Sub:
		s.k.GlobalScale = true
		s.k.OPAScale, s.k.OPBScale = isa.Scale{Scale: 1}, isa.Scale{Scale: 1}
	}
	return l.step(s)
}
