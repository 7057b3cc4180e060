package npu

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// builder makes the compiled model: an operator ethos-u for each program between the operators that stay, the constants of all programs in one tensor, the
// arena pinned to offset 0 so that a program's addresses are arena offsets.
type builder struct {
	l           *lowering
	source      *tflite.Model
	options     Options
	arena, fast int
	flash       int
	model       *tflite.Model
	g           *tflite.Graph
	index       map[int]int // of the source's tensors in the compiled model
	offsets     []int
}

// layOut gives all buffers their places. What does not fit the fast memory, the largest first, goes to the arena.
func (w *builder) layOut(fast int) {
	list := w.l.buffersOf()
	crossing := map[*buffer]bool{}
	for t, v := range w.l.values {
		if w.l.crosses(t) {
			crossing[v.place()] = true
		}
	}
	var quick []*buffer
	if fast > 0 {
		for _, b := range list {
			if !crossing[b] {
				quick = append(quick, b)
			}
		}
		slices.SortStableFunc(quick, func(a, b *buffer) int { return cmp.Compare(b.size(), a.size()) })
		for w.fast = allocate(quick); w.fast > fast; w.fast = allocate(quick) {
			quick = quick[1:]
		}
		for _, b := range quick {
			b.fast = true
		}
	}
	var slow []*buffer
	for _, b := range list {
		if !b.fast {
			slow = append(slow, b)
		}
	}
	w.arena = allocate(slow)
}

func (w *builder) build() (*tflite.Model, error) {
	l := w.l
	w.g = &tflite.Graph{Name: l.g.Name}
	w.model = &tflite.Model{Version: 3, Description: "Temper for " + l.target.Name, Subgraphs: []*tflite.Graph{w.g}}
	w.index = map[int]int{}
	c := &constants{}
	streams := make([][]isa.Operation, l.programs)
	for p := range streams {
		ops, err := l.emit(p, c)
		if err != nil {
			return nil, err
		}
		streams[p] = ops
	}
	for len(c.data) < 16 {
		c.data = append(c.data, 0)
	}
	bytesOf := func(name string, data []byte, n int) int {
		return w.tensor(&tflite.Tensor{Name: name, Type: tflite.UINT8, Shape: []int{n}, Data: data}, -1)
	}
	constants := bytesOf("read_only", c.data, len(c.data))
	scratch := bytesOf("scratch", nil, w.arena)
	w.offsets[scratch] = 0
	fast := scratch
	if w.fast > 0 {
		fast = bytesOf("scratch_fast", nil, w.fast)
	}
	w.flash = len(c.data)
	for p := 0; p < len(l.g.Operators); p++ {
		if s := l.segment[p]; s < 0 {
			w.keep(l.g.Operators[p])
		} else if p == 0 || l.segment[p-1] != s {
			if err := w.program(s, streams[s], c, constants, scratch, fast); err != nil {
				return nil, err
			}
		}
	}
	w.g.Inputs, w.g.Outputs = w.all(l.g.Inputs), w.all(l.g.Outputs)
	w.finish()
	return w.model, nil
}

// tensor adds a tensor.
func (w *builder) tensor(t *tflite.Tensor, offset int) int {
	w.g.Tensors = append(w.g.Tensors, t)
	w.offsets = append(w.offsets, offset)
	return len(w.g.Tensors) - 1
}

// of is the index of a tensor of the source.
func (w *builder) of(t int) int {
	if t < 0 {
		return t
	}
	i, ok := w.index[t]
	if !ok {
		offset := -1
		if v, placed := w.l.values[t]; placed && w.l.crosses(t) && v.data == nil {
			offset = v.place().offset + v.off*v.bytes
		}
		i = w.tensor(w.l.g.Tensors[t], offset)
		w.index[t] = i
	}
	return i
}

func (w *builder) all(list []int) []int {
	out := make([]int, len(list))
	for i, t := range list {
		out[i] = w.of(t)
	}
	return out
}

// keep takes an operator as it is.
func (w *builder) keep(o *tflite.Operator) {
	p := *o
	p.Inputs, p.Outputs = w.all(o.Inputs), w.all(o.Outputs)
	w.g.Operators = append(w.g.Operators, &p)
}

// program adds an operator ethos-u.
func (w *builder) program(n int, ops []isa.Operation, c *constants, constants, scratch, fast int) error {
	l := w.l
	var in, out []int
	for i, o := range l.g.Operators {
		if l.segment[i] != n {
			continue
		}
		for _, t := range o.Inputs {
			if t >= 0 && !l.g.Tensors[t].IsConst() && (l.producer[t] < 0 || l.segment[l.producer[t]] != n) && !slices.Contains(in, t) {
				if _, read := l.values[t]; read {
					in = append(in, t)
				}
			}
		}
		for _, t := range o.Outputs {
			if l.crosses(t) {
				out = append(out, t)
			}
		}
	}
	p := &Program{Target: l.target, Constants: c.data, Arena: w.arena, Fast: w.fast}
	for _, t := range in {
		p.Inputs = append(p.Inputs, w.place(t))
	}
	for _, t := range out {
		p.Outputs = append(p.Outputs, w.place(t))
	}
	relax(l.target, ops, p.Memory())
	cores := 0
	if l.target.Product == isa.ProductU65 {
		cores = l.target.Cores
	}
	payload := &isa.Payload1{Patch: 1, Config: l.target.Config(), ID: arch.ID, Pad: 3, Stream: isa.Encode(isa.Assemble(ops, cores))}
	data, err := payload.Marshal()
	if err != nil {
		return fmt.Errorf("program %d: %w", n, err)
	}
	w.flash += len(data)
	stream := w.tensor(&tflite.Tensor{Name: "ethos_u_command_stream", Type: tflite.UINT8, Shape: []int{len(data)}, Data: data}, -1)
	w.g.Operators = append(w.g.Operators, &tflite.Operator{Code: tflite.CUSTOM, Custom: Custom, Version: 1, Payload: []byte{1, 4, 1},
		Inputs: append([]int{stream, constants, scratch, fast}, w.all(in)...), Outputs: w.all(out)})
	w.note(n, ops)
	return nil
}

// note keeps the block dependencies for the report.
func (w *builder) note(n int, ops []isa.Operation) {
	at := 0
	for i := range w.l.steps {
		s := &w.l.steps[i]
		if s.cpu || w.l.segment[s.operator] != n {
			continue
		}
		for ops[at].Kernel == nil {
			at++
		}
		s.k.BlockDep = ops[at].Kernel.BlockDep
		at++
	}
}

func (w *builder) place(t int) Place {
	v := w.l.values[t]
	return Place{Offset: v.place().offset + v.off*v.bytes, Size: v.h * v.w * v.c * v.bytes}
}

// finish adds metadata and signatures.
func (w *builder) finish() {
	words := append([]int{0, 1, len(w.offsets)}, w.offsets...)
	var b []byte
	for _, x := range words {
		b = binary.LittleEndian.AppendUint32(b, uint32(int32(x)))
	}
	for _, md := range w.source.Metadata {
		if md.Name != "OfflineMemoryAllocation" {
			w.model.Metadata = append(w.model.Metadata, md)
		}
	}
	w.model.Metadata = append(w.model.Metadata, tflite.Metadata{Name: "OfflineMemoryAllocation", Data: b})
	var stay []OnCPU
	for i, r := range w.l.reasons {
		if o := w.l.g.Operators[i]; r != "" {
			stay = append(stay, OnCPU{i, o.Code.String(), w.l.g.Tensors[o.Outputs[0]].Name, r})
		}
	}
	if stay != nil {
		if text, err := json.Marshal(stay); err == nil {
			w.model.Metadata = append(w.model.Metadata, tflite.Metadata{Name: "temper_cpu_operators", Data: text})
		}
	}
	for _, s := range w.source.Signatures {
		if s.Subgraph != 0 {
			continue
		}
		x := tflite.Signature{Key: s.Key}
		for _, n := range s.Inputs {
			x.Inputs = append(x.Inputs, tflite.Named{Name: n.Name, Tensor: w.of(n.Tensor)})
		}
		for _, n := range s.Outputs {
			x.Outputs = append(x.Outputs, tflite.Named{Name: n.Name, Tensor: w.of(n.Tensor)})
		}
		w.model.Signatures = append(w.model.Signatures, x)
	}
}
