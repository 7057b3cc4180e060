package npu

import (
	"math"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
)

var (
	broadcastRule = rule{"one operand must have the output's shape, and the other that shape or 1 in some dimensions; the batch must not be broadcast", func(c *call) bool {
		a, b := fits(c.in[0], c.out[0]), fits(c.in[1], c.out[0])
		oh, ow, oc := spatial(c.out[0].Shape)
		sizeOne := func(t *tflite.Tensor) bool {
			h, w, d := spatial(t.Shape)
			return (h == oh || h == 1) && (w == ow || w == 1) && (d == oc || d == 1)
		}
		return (a || b) && sizeOne(c.in[0]) && sizeOne(c.in[1]) && !(c.in[0].IsConst() && c.in[1].IsConst()) && int8Tensor(c.in[0]) && int8Tensor(c.in[1])
	}}

	subtractRule = rule{"the first operand of a subtraction must have the output's shape", func(c *call) bool { return fits(c.in[0], c.out[0]) }}

	sameSecond = rule{"both inputs must have the same quantization", func(c *call) bool { return c.in[0].Quant.Equal(*c.in[1].Quant) }}
)

// fits tells whether a tensor has the output's size.
func fits(t, out *tflite.Tensor) bool { return t.Volume() == out.Volume() }

// pair is a step of two operands: the one that may be broadcast is second. swapped tells whether it was the first.
func (l *lowering) pair(c *call) (s step, swapped bool) {
	a, b := 0, 1
	if !fits(c.in[0], c.out[0]) || c.in[0].IsConst() && fits(c.in[1], c.out[0]) && c.op.Code != tflite.SUB {
		a, b, swapped = 1, 0, true
	}
	s = step{kind: isa.Elementwise, ifm: l.input(c, a), ifm2: l.input(c, b), ofm: l.output(c, 0)}
	s.k.HasIFM2, s.k.GlobalScale, s.k.OFMScale = true, true, isa.Scale{Scale: 1}
	if v := s.ifm2; len(v.data) == 1 {
		s.k.HasIFM2, s.k.HasScalar, s.k.Scalar = false, true, int32(int8(v.data[0]))
	}
	return s, swapped
}

func activationOf(c *call) tflite.Activation {
	switch o := c.op.Options.(type) {
	case *tflite.AddOptions:
		return o.Activation
	case *tflite.SubOptions:
		return o.Activation
	case *tflite.MulOptions:
		return o.Activation
	}
	return tflite.NONE
}

// add is ADD and SUB: the operand of the smaller scale is brought to half of the larger one's with 20 more bits, then the sum to the output's
// (tensorflow/lite/kernels/add.cc).
func (l *lowering) add(c *call) error {
	s, swapped := l.pair(c)
	a, b := float64(c.in[0].Quant.Scale[0]), float64(c.in[1].Quant.Scale[0])
	if swapped {
		a, b = b, a
	}
	twice := 2 * math.Max(a, b)
	s.k.Mode, s.k.ScaleMode = isa.Add, isa.OPA32
	if c.op.Code == tflite.SUB {
		s.k.Mode = isa.Sub
	}
	small := a
	if b < a {
		small, s.k.ScaleMode = b, isa.OPB32
	}
	f := fixed(small / twice)
	s.k.OPAScale = isa.Scale{Scale: f.Scale, Shift: max(f.Shift-20, 0)}
	s.k.OFMScale = fixed(twice / (1 << 20 * float64(c.out[0].Quant.Scale[0])))
	if err := l.limits(&s.k, activationOf(c), c.out[0]); err != nil {
		return err
	}
	l.step(s)
	return nil
}

func (l *lowering) mul(c *call) error {
	s, _ := l.pair(c)
	s.k.Mode = isa.Mul
	s.k.OFMScale = fixed(float64(c.in[0].Quant.Scale[0]) * float64(c.in[1].Quant.Scale[0]) / float64(c.out[0].Quant.Scale[0]))
	if err := l.limits(&s.k, activationOf(c), c.out[0]); err != nil {
		return err
	}
	l.step(s)
	return nil
}

// extreme is MINIMUM and MAXIMUM, of codes.
func (l *lowering) extreme(c *call) error {
	s, _ := l.pair(c)
	s.k.Mode = isa.Min
	if c.op.Code == tflite.MAXIMUM {
		s.k.Mode = isa.Max
	}
	s.ifm.zero, s.ifm2.zero, s.ofm.zero = 0, 0, 0
	s.k = full(s.k)
	l.step(s)
	return nil
}
