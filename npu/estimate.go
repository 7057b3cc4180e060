package npu

import (
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// Estimate reports what a program costs on a machine: estimated cycles, bytes of flash and SRAM, bytes of the weights of each layer.
func (p *Program) Estimate(m perf.Machine) (*perf.Report, error) { return m.Report(p.costed()) }

// Operations are what the NPU executes.
func (p *Program) Operations() []isa.Operation { return isa.Operations(p.Commands) }

func (p *Program) costed() *perf.Program {
	c := &perf.Program{Ops: p.Operations(), Constants: p.Constants, Stream: len(p.Payload.Stream), Arena: p.Arena, Fast: p.Fast}
	for _, o := range p.Outputs {
		c.Outputs = append(c.Outputs, isa.Span{Base: uint64(o.Offset), Length: uint64(o.Size)})
	}
	return c
}
