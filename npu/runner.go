package npu

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// NewSimulator prepares a compiled file: operators for the NPU run in the simulator, the others in the interpreter, in the arithmetic of TFLite Micro. Invoke
// as with every interpreter, then look at Err.
func NewSimulator(m *tflite.Model) (*interp.Interpreter, error) {
	m = oneName(m)
	programs, err := ReadPrograms(m)
	if err != nil {
		return nil, err
	}
	byOperator := map[*tflite.Operator]*Program{}
	for i, p := range programs {
		byOperator[m.Subgraphs[0].Operators[i]] = p
	}
	prepare := func(o *tflite.Operator, tensors []*interp.Tensor) (func() error, error) {
		return byOperator[o].runner(tensors), nil
	}
	return interp.NewWith(m, interp.TFLM, map[string]interp.Custom{Custom: prepare})
}

// oneName resolves a trick of older compilers: an operator on the CPU reads a tensor that nothing writes, but that lies in the arena where another one is
// that the NPU has written. The operator is made to read that one.
func oneName(m *tflite.Model) *tflite.Model {
	offsets, err := arenaOffsets(m)
	if err != nil || offsets == nil {
		return m
	}
	c := *m
	g := *m.Subgraphs[0]
	c.Subgraphs = append([]*tflite.Graph{&g}, m.Subgraphs[1:]...)
	g.Operators = append([]*tflite.Operator(nil), g.Operators...)
	written, at := map[int]bool{}, map[int]int{} // tensors, and by offset the last one
	write := func(i int) {
		written[i] = true
		if offsets[i] >= 0 {
			at[offsets[i]] = i
		}
	}
	for _, i := range g.Inputs {
		write(i)
	}
	for n, o := range g.Operators {
		for k, i := range o.Inputs {
			if i < 0 || written[i] || g.Tensors[i].IsConst() || isNPU(o) && k < 4 {
				continue
			}
			if j, ok := at[offsets[i]]; ok && g.Tensors[j].Type == g.Tensors[i].Type && slices.Equal(g.Tensors[j].Shape, g.Tensors[i].Shape) {
				p := *g.Operators[n]
				p.Inputs = slices.Clone(p.Inputs)
				p.Inputs[k] = j
				g.Operators[n] = &p
			}
		}
		for _, i := range o.Outputs {
			write(i)
		}
	}
	return &c
}

// runner is a machine that executes the program on the interpreter's tensors.
func (p *Program) runner(tensors []*interp.Tensor) func() error {
	machine, ops := p.Machine(), isa.Operations(p.Commands)
	return func() error {
		for _, r := range []int{RegionFast, RegionArena} { // what a program has not written is not zero by luck
			fill(machine.Regions[r])
		}
		for _, in := range p.Inputs {
			copy(machine.Regions[RegionArena][in.Offset:], tensors[in.Tensor].Bytes())
		}
		if err := machine.Run(ops); err != nil {
			return fmt.Errorf("simulated %s: %w", p.Target.Name, err)
		}
		for _, out := range p.Outputs {
			copy(tensors[out.Tensor].Bytes(), machine.Regions[RegionArena][out.Offset:])
		}
		return nil
	}
}

// Machine is the target with the program's memory.
func (p *Program) Machine() *sim.Machine {
	m := sim.New(p.Target)
	m.Regions[RegionConstants] = append([]byte(nil), p.Constants...) // a program must not change the file
	m.Regions[RegionArena] = make([]byte, p.Arena)
	m.Regions[RegionFast] = m.Regions[RegionArena]
	if p.Fast > 0 {
		m.Regions[RegionFast] = make([]byte, p.Fast)
	}
	return m
}

// fill writes a pattern.
func fill(b []byte) {
	for i := range b {
		b[i] = byte(0xa5 ^ i)
	}
}
