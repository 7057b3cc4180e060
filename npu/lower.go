package npu

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// lowering turns a graph into steps.
type lowering struct {
	g        *tflite.Graph
	target   arch.Target
	segment  []int // of each operator: the program that it belongs to, or -1 for the CPU
	reasons  []string
	producer []int   // of each tensor, -1 if none
	readers  [][]int // of each tensor
	values   map[int]view
	steps    []step
	operator int
	fusedPad map[int]int // tensors that a PAD writes only for a convolution: the PAD
	programs int
}

func newLowering(g *tflite.Graph, t arch.Target) *lowering {
	l := &lowering{g: g, target: t, values: map[int]view{}, fusedPad: map[int]int{}, producer: make([]int, len(g.Tensors)), readers: make([][]int, len(g.Tensors))}
	for i := range l.producer {
		l.producer[i] = -1
	}
	before := false
	for i, o := range g.Operators {
		r := reason(g, o)
		l.reasons = append(l.reasons, r)
		switch {
		case r != "":
			l.segment = append(l.segment, -1)
		case before:
			l.segment = append(l.segment, l.programs-1)
		default:
			l.segment = append(l.segment, l.programs)
			l.programs++
		}
		before = r == ""
		for _, t := range o.Inputs {
			if t >= 0 && !slices.Contains(l.readers[t], i) {
				l.readers[t] = append(l.readers[t], i)
			}
		}
		for _, t := range o.Outputs {
			l.producer[t] = i
		}
	}
	return l
}

// crosses tells whether a tensor lies between programs, the CPU and the outside: it has a place of its own in the arena, as NHWC.
func (l *lowering) crosses(t int) bool {
	if l.g.Tensors[t].IsConst() {
		return false
	}
	if l.producer[t] < 0 || slices.Contains(l.g.Outputs, t) || slices.Contains(l.g.Inputs, t) {
		return true
	}
	from := l.segment[l.producer[t]]
	return slices.ContainsFunc(l.readers[t], func(r int) bool { return l.segment[r] != from })
}

// private tells whether only one operator, which is in the same program, reads a tensor.
func (l *lowering) private(t int) bool { return !l.crosses(t) && len(l.readers[t]) == 1 }

// run lowers all operators.
func (l *lowering) run() error {
	for _, t := range l.g.Inputs {
		if l.segmentOf(t) {
			v := l.value(t)
			v.touch(-1)
		}
	}
	for i, o := range l.g.Operators {
		l.operator = i
		if l.segment[i] < 0 {
			l.onCPU(o)
			continue
		}
		if err := recipes[o.Code].lower(l, newCall(l.g, o)); err != nil {
			return fmt.Errorf("operator %d (%s): %w", i, o.Code, err)
		}
	}
	for _, t := range l.g.Outputs {
		if v, ok := l.values[t]; ok && v.data == nil {
			v.touch(len(l.steps))
		}
	}
	return nil
}

// segmentOf tells whether an operator of the NPU touches a tensor.
func (l *lowering) segmentOf(t int) bool {
	p := l.producer[t]
	return p >= 0 && l.segment[p] >= 0 || slices.ContainsFunc(l.readers[t], func(r int) bool { return l.segment[r] >= 0 })
}

// onCPU is a step that keeps the tensors between the CPU and the NPU alive.
func (l *lowering) onCPU(o *tflite.Operator) {
	s := step{cpu: true, operator: l.operator}
	for _, t := range append(slices.Clone(o.Inputs), o.Outputs...) {
		if t >= 0 && l.segmentOf(t) && !l.g.Tensors[t].IsConst() {
			s.touched = append(s.touched, l.value(t).buffer)
		}
	}
	for _, b := range s.touched {
		b.touch(len(l.steps))
	}
	l.steps = append(l.steps, s)
}

// value is where a tensor lies; the first call makes the place.
func (l *lowering) value(t int) view {
	if v, ok := l.values[t]; ok {
		return v
	}
	x := l.g.Tensors[t]
	if r := l.joinOf(t); r >= 0 {
		v := l.inJoin(r, t)
		l.values[t] = v
		return v
	}
	h, w, c := spatial(x.Shape)
	v := newView(h, w, c, max(x.Type.Size(), 1), zeroPoint(x))
	if x.IsConst() {
		v.data = x.Data
	}
	v.linear = l.crosses(t) || x.IsConst()
	l.values[t] = v
	return v
}

// input is the value of an operator's input, output that of its output.
func (l *lowering) input(c *call, i int) view  { return l.value(c.op.Inputs[i]) }
func (l *lowering) output(c *call, i int) view { return l.value(c.op.Outputs[i]) }

// add appends a step.
func (l *lowering) step(s step) *step {
	s.operator = l.operator
	k := &s.k
	for _, p := range []*int{&k.StrideX, &k.StrideY, &k.DilationX, &k.DilationY, &k.KernelH, &k.KernelW} {
		*p = max(*p, 1)
	}
	k.Cores = l.target.Cores
	if s.ofm.bytes == 4 && k.Clip == isa.ClipOFM {
		k.Min, k.Max = -32768, 32767
	}
	for _, v := range s.maps() {
		if v.data == nil {
			v.touch(len(l.steps))
		}
	}
	l.steps = append(l.steps, s)
	return &l.steps[len(l.steps)-1]
}

// full is the range of int8.
func full(k isa.Kernel) isa.Kernel {
	k.Min, k.Max = -128, 127
	return k
}

// copy is an average of single elements: the values as they are.
func (l *lowering) copy(from, to view) *step {
	from.zero, to.zero = 0, 0
	return l.step(step{kind: isa.Pool, ifm: from, ofm: to,
		k: full(isa.Kernel{Mode: isa.PoolAverage, GlobalScale: true, OFMScale: isa.Scale{Scale: 1}})})
}

// flat is a view in another shape; values that do not follow one another are copied.
func (l *lowering) flat(v view, h, w, c int) view {
	if !v.whole() {
		x := newView(v.h, v.w, v.c, v.bytes, v.zero)
		x.linear = true
		l.copy(v, x)
		v = x
	}
	return v.as(h, w, c)
}

// scale is a factor in fixed point.
func fixed(d float64) isa.Scale {
	m, shift := quant.QuantizeMultiplier(d)
	if m == 0 || shift < -32 {
		return isa.Scale{Scale: 0, Shift: 31}
	}
	return isa.Scale{Scale: uint32(m), Shift: 31 - shift}
}

// limits are the codes to which a fused activation clamps.
func (l *lowering) limits(k *isa.Kernel, a tflite.Activation, t *tflite.Tensor) error {
	q := func(v float64) int32 {
		x := min(max(quant.RoundHalfAway(v/float64(t.Quant.Scale[0])), -1<<20), 1<<20)
		return int32(x) + zeroPoint(t)
	}
	k.Min, k.Max = -128, 127
	switch a {
	case tflite.NONE:
	case tflite.RELU_ACT:
		k.Min = max(k.Min, q(0))
	case tflite.RELU6_ACT:
		k.Min, k.Max = max(k.Min, q(0)), min(k.Max, q(6))
	case tflite.RELU_N1_TO_1_ACT:
		k.Min, k.Max = max(k.Min, q(-1)), min(k.Max, q(1))
	default:
		return fmt.Errorf("fused activation %d is not supported", a)
	}
	if k.Min > k.Max {
		return fmt.Errorf("the fused activation leaves no value of output %s", t.Name)
	}
	return nil
}
