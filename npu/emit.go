package npu

import (
	"bytes"
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// emit turns the steps of a program into operations: tables are brought into SHRAM before the kernels that use them, with waits around the transfer.
func (l *lowering) emit(program int, c *constants) ([]isa.Operation, error) {
	var ops []isa.Operation
	var loaded []byte
	for i := range l.steps {
		s := &l.steps[i]
		if s.cpu || l.segment[s.operator] != program {
			continue
		}
		if s.table != nil && !(bytes.Equal(loaded, s.table) && l.target.EndBanks() > 0) {
			t := &isa.Transfer{Src: uint64(c.put(s.table)), SrcRegion: RegionConstants, DstInternal: true, DstRegion: 3, Dst: uint64(l.target.LUTStart()),
				Length: uint64(len(s.table))}
			ops = append(ops, isa.Operation{Kind: isa.KernelWait}, isa.Operation{Kind: isa.DMA, DMA: t}, isa.Operation{Kind: isa.DMAWait})
			loaded = s.table
		}
		if err := l.kernel(s, c); err != nil {
			return nil, fmt.Errorf("operator %d (%s): %w", s.operator, l.g.Operators[s.operator].Code, err)
		}
		k := s.k
		ops = append(ops, isa.Operation{Kind: s.kind, Kernel: &k})
	}
	return append(ops, isa.Operation{Kind: isa.Stop}), nil
}

// kernel fills in what depends on the target and on where things lie.
func (l *lowering) kernel(s *step, c *constants) error {
	k := &s.k
	if s.table != nil {
		k.Activation = isa.Table0
	}
	if s.kind == isa.Conv || s.kind == isa.Depthwise {
		k.WeightRegion, k.ScaleRegion = RegionConstants, RegionConstants
		if err := c.pack(l.target, s); err != nil {
			return err
		}
	}
	at := func(v view) isa.FeatureMap {
		f := v.featureMap()
		if v.data != nil {
			f.Region, f.Base[0] = RegionConstants, uint64(c.put(v.data)+v.off*v.bytes)
			return f
		}
		f.Region, f.Base[0] = RegionArena, uint64(v.place().offset+v.off*v.bytes)
		if v.place().fast {
			f.Region = RegionFast
		}
		return f
	}
	k.IFM, k.OFM = at(s.ifm), at(s.ofm)
	if k.HasIFM2 {
		k.IFM2 = at(s.ifm2)
	}
	if k.HasScalar {
		k.IFM2 = isa.FeatureMap{Bytes: s.ifm2.bytes, Signed: true, Zero: s.ifm2.zero}
	}
	return nil
}

// relax sets each kernel's block dependency as high as the checker proves safe, one kernel after the other.
func relax(t arch.Target, ops []isa.Operation, mem sim.Memory) {
	var before *isa.Operation
	for i := range ops {
		o := &ops[i]
		if o.Kind == isa.KernelWait && o.Wait == 0 {
			before = nil
		}
		if o.Kernel == nil {
			continue
		}
		o.Kernel.BlockDep = arch.MaxBlockDep
		if before != nil {
			o.Kernel.BlockDep = sim.BlockDep(t, *before, *o, mem)
		}
		before = o
	}
}
