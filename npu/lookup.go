package npu

import (
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
)

var preluRule = rule{"a PRELU must have one constant alpha", func(c *call) bool { return c.in[1].IsConst() && c.in[1].Volume() == 1 }}

// lookup is an operator that maps codes to codes: a table, which the interpreter makes. A convolution before it that nothing else reads takes the table with
// it.
func (l *lowering) lookup(c *call) error {
	table, err := tableOf(c)
	if err != nil {
		return err
	}
	in, out := l.input(c, 0), l.output(c, 0)
	if l.private(c.op.Inputs[0]) {
		if s := l.writer(in); s != nil && (out.whole() || s.ofm.h == out.h && s.ofm.w == out.w) {
			old := s.ofm
			s.ofm = out.as(old.h, old.w, old.c)
			s.ofm.zero, s.table = old.zero, table
			old.used = false
			for i := range l.steps {
				if &l.steps[i] == s {
					s.ofm.touch(i)
				}
			}
			return nil
		}
	}
	l.copy(in, out).table = table
	return nil
}

// writer is the convolution that writes all of a value and nothing else, or nil.
func (l *lowering) writer(v view) *step {
	var found *step
	for i := range l.steps {
		s := &l.steps[i]
		if s.cpu || s.ofm.buffer != v.buffer {
			continue
		}
		if found != nil || s.table != nil || s.kind != isa.Conv && s.kind != isa.Depthwise || s.ofm.size() != v.buffer.size() || s.ofm.h*s.ofm.w*s.ofm.c != v.h*v.w*v.c {
			return nil
		}
		found = s
	}
	return found
}

// tableOf runs an operator on all 256 codes.
func tableOf(c *call) ([]byte, error) {
	x, y := *c.in[0], *c.out[0]
	x.Shape, y.Shape = []int{1, 1, 1, 256}, []int{1, 1, 1, 256}
	x.Data, y.Data = nil, nil
	g := &tflite.Graph{Tensors: []*tflite.Tensor{&x, &y}, Inputs: []int{0}, Outputs: []int{1}}
	o := *c.op
	o.Inputs, o.Outputs = []int{0}, []int{1}
	for _, t := range c.in[1:] {
		alpha := *t
		alpha.Shape = []int{1, 1, 1}
		o.Inputs = append(o.Inputs, len(g.Tensors))
		g.Tensors = append(g.Tensors, &alpha)
	}
	g.Operators = []*tflite.Operator{&o}
	it, err := interp.New(&tflite.Model{Version: 3, Subgraphs: []*tflite.Graph{g}}, interp.TFLM)
	if err != nil {
		return nil, err
	}
	for i := range 256 {
		it.Inputs()[0].Int8()[i] = int8(i - 128)
	}
	it.Invoke()
	return append([]byte(nil), it.Outputs()[0].Bytes()...), it.Err()
}
