package sim

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// lintShram checks that input and accumulators of a block fit twice into the banks that the program gives them: output stage, input, accumulators, tables.
func (c *checker) lintShram(i int, o *isa.Operation) {
	k := o.Kernel
	tables := c.target.Banks - c.target.EndBanks()
	if tableSize(k) > 0 {
		tables = c.target.Banks - arch.LUTBanks
	}
	c.demand(k.IFMEnd <= k.AccStart && k.AccStart <= tables, i, "shram", "input ends at bank %d, accumulators begin at %d, tables at %d", k.IFMEnd, k.AccStart, tables)
	need := c.inputBanks(o)
	if o.Kind == isa.Elementwise {
		if k.HasIFM2 {
			c.demand(k.IFM2Start-arch.OutputBanks >= need && k.IFMEnd-k.IFM2Start >= need, i, "shram",
				"inputs from bank %d, %d to %d need %d banks each", arch.OutputBanks, k.IFM2Start, k.IFMEnd, need)
			return
		}
		c.demand(k.IFMEnd-arch.OutputBanks >= need, i, "shram", "the input from bank %d to %d needs %d", arch.OutputBanks, k.IFMEnd, need)
		return
	}
	c.demand(k.IFMEnd-arch.OutputBanks >= need, i, "shram", "the input from bank %d to %d needs %d", arch.OutputBanks, k.IFMEnd, need)
	acc := c.accumulatorBanks(k)
	c.demand(tables-k.AccStart >= acc, i, "shram", "accumulators from bank %d to %d need %d", k.AccStart, tables, acc)
}

// inputBanks are those of two input blocks.
func (c *checker) inputBanks(o *isa.Operation) int {
	k := o.Kernel
	h, w, depth := k.BlockH, k.BlockW, k.BlockD
	if o.Kind != isa.Elementwise {
		h, w = (h-1)*k.StrideY+min(k.KernelH, 8), (w-1)*k.StrideX+min(k.KernelW, 8)
		if k.Upscale != isa.UpscaleNone {
			h, w = (h+1)/2, (w+1)/2
		}
	}
	if j := newJobs(o); j.reduces() {
		unit := c.target.IFMDepth
		if k.IFM.Bytes == 2 {
			unit = 4
		}
		depth = roundUp(min(k.IFM.Depth, j.ifmChannels), unit)
	}
	granule := arch.GranuleIFM8
	switch {
	case k.IFM.Bytes == 4:
		granule = arch.GranuleElementwise32
	case o.Kind == isa.Elementwise && k.IFM.Bytes == 2:
		granule = arch.GranuleElementwise16
	case o.Kind == isa.Elementwise:
		granule = arch.GranuleElementwise8
	case k.IFM.Bytes == 2:
		granule = arch.GranuleIFM16
	}
	bytes := roundUp(h, c.target.OFMBlock.H) * roundUp(w, c.target.OFMBlock.W) * roundUp(depth*k.IFM.Bytes, 8)
	return roundUp(roundUp(bytes, arch.BankSize)/arch.BankSize*2, c.target.Granules[granule])
}

// accumulatorBanks are those of two output blocks.
func (c *checker) accumulatorBanks(k *isa.Kernel) int {
	bits, granule := 32, arch.GranuleAcc32
	switch k.AccFormat {
	case isa.AccInt40:
		bits, granule = 40, arch.GranuleAcc40
	case isa.AccFP16:
		bits, granule = 16, arch.GranuleAcc16
	}
	h := k.BlockH
	if c.target.OFMBlock.H == 2 && k.OFM.Height == 1 && k.KernelH == 1 {
		h = 1 // a single row of outputs has accumulators for one row
	}
	bytes := h * k.BlockW * roundUp(k.BlockD, 8) * bits / 8
	return roundUp(roundUp(bytes, arch.BankSize)/arch.BankSize*2, c.target.Granules[granule])
}
