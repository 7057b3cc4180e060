package npu

import (
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// Check looks for hazards in the program, and for what the hardware forbids. A good program has no findings.
func (p *Program) Check() []sim.Finding {
	ops := isa.Operations(p.Commands)
	return append(sim.Lint(p.Target, ops), sim.Hazards(p.Target, ops, p.Memory())...)
}

// Memory is what the program may touch.
func (p *Program) Memory() sim.Memory {
	var m sim.Memory
	for i := range m.Regions {
		m.Regions[i].Same = i
	}
	m.Regions[RegionConstants] = sim.Region{Size: len(p.Constants), Same: RegionConstants, Constant: true}
	m.Regions[RegionArena].Size = p.Arena
	for _, in := range p.Inputs {
		m.Regions[RegionArena].Inputs = append(m.Regions[RegionArena].Inputs, isa.Span{Base: uint64(in.Offset), Length: uint64(in.Size)})
	}
	m.Regions[RegionFast] = sim.Region{Size: p.Arena, Same: RegionArena}
	if p.Fast > 0 {
		m.Regions[RegionFast] = sim.Region{Size: p.Fast, Same: RegionFast}
	}
	for _, out := range p.Outputs {
		m.Outputs = append(m.Outputs, sim.Piece{Region: RegionArena, Span: isa.Span{Base: uint64(out.Offset), Length: uint64(out.Size)}})
	}
	return m
}
