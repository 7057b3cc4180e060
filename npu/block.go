package npu

import (
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// chooseBlock sets the output block of a step and where its parts lie in SHRAM: the best by the cost model of all that fit.
func chooseBlock(m *perf.Machine, s *step, fast bool) error {
	k := &s.k
	at := func(v view) isa.FeatureMap {
		f := v.featureMap()
		switch {
		case v.data != nil:
			f.Region = RegionConstants
		case fast && !v.linear: // a value within the program; where it will lie in the end is not known yet
			f.Region = RegionFast
		default:
			f.Region = RegionArena
		}
		return f
	}
	k.IFM, k.OFM = at(s.ifm), at(s.ofm)
	if k.HasIFM2 {
		k.IFM2 = at(s.ifm2)
	} else if k.HasScalar {
		k.IFM2 = isa.FeatureMap{Bytes: s.ifm2.bytes, Signed: true, Zero: s.ifm2.zero}
	}
	if s.table != nil {
		k.Activation = isa.Table0
	}
	c, err := m.Best(&isa.Operation{Kind: s.kind, Kernel: k})
	if err != nil {
		return err
	}
	c.Apply(k)
	return nil
}
