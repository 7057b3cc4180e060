package npu

import (
	"fmt"

	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// NewSimulator prepares a compiled file: operators for the NPU run in the simulator, the others in the interpreter, in the arithmetic of TFLite Micro. Invoke
// as with every interpreter, then look at Err.
func NewSimulator(m *tflite.Model) (*interp.Interpreter, error) {
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
