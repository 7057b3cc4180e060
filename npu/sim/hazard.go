package sim

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Hazards finds what may go wrong with a program on hardware, where transfers and kernels overlap, though a machine that executes one operation after the other
// computes the right thing:
//
//   - dma-wait: a kernel touches memory that an unfinished transfer touches, and one of them writes;
//   - kernel-wait: the same for a transfer and an unfinished kernel, or two transfers;
//   - blockdep: a kernel's first blocks may begin before the last blocks of the kernel before it have written what they read. Stages of kernels work in
//     order, so that only reading too early can go wrong;
//   - in-place: a kernel overwrites what it still reads itself;
//   - table: a kernel without a table begins while one with a table is unfinished, on a target where accumulators lie over the tables;
//   - uninitialized: an operation reads bytes that nothing has written;
//   - overwritten: an operation overwrites unread results of another, the rest of which is read afterwards;
//   - constant: an operation writes to constants;
//   - output: a byte of the outputs is written by nothing, and was not there before.
//
// The program must stay within its regions: where it does not, that is the one finding.
func Hazards(t arch.Target, ops []isa.Operation, mem Memory) []Finding {
	c := &checker{target: t, ops: ops, mem: mem, left: mem.Limit}
	if c.left == 0 {
		c.left = 1 << 28
	}
	if c.bounds(); len(c.list) > 0 {
		return c.list
	}
	c.waits()
	c.overlaps()
	c.flow()
	if c.left < 0 {
		return []Finding{{Operation: len(ops), Rule: "limit", Text: "the program has too many elements to check"}}
	}
	return c.list
}

// waits follows which transfers and kernels may be unfinished.
func (c *checker) waits() {
	var kernels, transfers []int
	last := func(list []int, n int) []int { return list[max(0, len(list)-n):] }
	for i := range c.ops {
		o := &c.ops[i]
		switch o.Kind {
		case isa.DMAWait:
			transfers = last(transfers, o.Wait)
		case isa.KernelWait:
			kernels = last(kernels, o.Wait)
		case isa.DMA:
			c.conflict("kernel-wait", i, kernels)
			c.conflict("dma-wait", i, transfers)
			transfers = last(append(transfers, i), c.target.DMAs)
		case isa.Stop:
			return
		default:
			c.conflict("dma-wait", i, transfers)
			kernels = last(append(kernels, i), arch.MaxKernels)
		}
	}
}

// touches is accesses, and on targets without banks for tables those of every kernel: no transfer to the tables then meets a kernel.
func (c *checker) touches(o *isa.Operation) []access {
	list := c.accesses(o)
	if o.Kernel != nil && c.target.EndBanks() == 0 {
		start := int64(c.target.LUTStart())
		list = append(list, access{shramIndex, start, start + arch.LUTBanks*arch.BankSize, true, "the accumulators, in the banks of the tables"})
	}
	return list
}

// conflict compares an operation with unfinished ones.
func (c *checker) conflict(rule string, op int, unfinished []int) {
	mine := c.touches(&c.ops[op])
	for _, other := range unfinished {
		for _, b := range c.touches(&c.ops[other]) {
			for _, a := range mine {
				if a.conflicts(b) {
					c.find(op, rule, "%s, bytes %d to %d, meets %s of operation %d (%s), bytes %d to %d, which may be unfinished",
						a.what, a.lo, a.hi, b.what, other, c.ops[other].Kind, b.lo, b.hi)
					return
				}
			}
		}
	}
}

// overlaps checks BLOCKDEP and kernels that work in place. The hardware holds two kernels: when one begins, only the one before it may be unfinished.
func (c *checker) overlaps() {
	before := -1
	for i := range c.ops {
		o := &c.ops[i]
		if o.Kind == isa.KernelWait && o.Wait == 0 {
			before = -1
		}
		if o.Kernel == nil {
			continue
		}
		c.inPlace(i)
		if before >= 0 {
			c.blockdep(i, before)
		}
		before = i
	}
}

// blockdep: with BLOCKDEP b, a job may begin while at most b jobs before it are unfinished, as far as they belong to the kernel before. Of that kernel each
// output block counts as one job, which is less than it may be: what is unfinished is never underestimated.
func (c *checker) blockdep(op, before int) {
	k, o := c.ops[op].Kernel, &c.ops[before]
	if k.BlockDep > 0 && c.target.EndBanks() == 0 && tableSize(o.Kernel) > 0 && tableSize(k) == 0 {
		c.find(op, "table", "BLOCKDEP %d: its accumulators may overwrite the table of operation %d", k.BlockDep, before)
	}
	prev, now := newJobs(o), newJobs(&c.ops[op])
	n := prev.count() / prev.ifm
	for i := range min(k.BlockDep, now.count()) {
		for back := range min(k.BlockDep-i, n) {
			if c.reads(&now, i, &prev, n-1-back) {
				c.find(op, "blockdep", "BLOCKDEP %d: job %d reads block %d of the %d that operation %d writes", k.BlockDep, i, n-1-back, n, before)
				return
			}
		}
	}
}

// reads tells whether job i of a kernel reads bytes of the output block p of another.
func (c *checker) reads(now *jobs, i int, prev *jobs, p int) bool {
	var marks []int32
	first := int32(0)
	check := func(f *isa.FeatureMap, b box) (found bool) {
		if !c.extentsMeet(f, &prev.k.OFM) {
			return false
		}
		if first == 0 {
			first = c.next(1)
			marks = c.marksOf(prev.k.OFM.Region)
			c.ranges(&prev.k.OFM, prev.output(p*prev.ifm), func(lo, hi int64) {
				for at := lo; at < hi; at++ {
					marks[at] = first
				}
			})
		}
		c.ranges(f, b, func(lo, hi int64) {
			for at := lo; at < hi && !found; at++ {
				found = marks[at] == first
			}
		})
		return found
	}
	return check(&now.k.IFM, now.input(i, false)) || now.k.HasIFM2 && check(&now.k.IFM2, now.input(i, true))
}

// extentsMeet is a quick test.
func (c *checker) extentsMeet(a, b *isa.FeatureMap) bool {
	if c.same(a.Region) != c.same(b.Region) {
		return false
	}
	for _, t := range tiles(a) {
		lo, hi, _ := t.extent(a)
		for _, u := range tiles(b) {
			if l, h, _ := u.extent(b); lo < h && l < hi {
				return true
			}
		}
	}
	return false
}

// inPlace: a kernel may write over its input where every element is written by the job that reads it last.
func (c *checker) inPlace(op int) {
	o := &c.ops[op]
	k := o.Kernel
	j := newJobs(o)
	for n, f := range []*isa.FeatureMap{&k.IFM, &k.IFM2} {
		if n == 1 && !k.HasIFM2 || !c.extentsMeet(f, &k.OFM) {
			continue
		}
		if sameAddresses(o, f) {
			continue
		}
		jobs := j.count()
		if int64(jobs) > c.left || jobs > 1<<24 {
			c.left = -1
			return
		}
		first := c.next(jobs)
		last := c.marksOf(f.Region) // the last job that reads a byte
		for i := range jobs {
			c.ranges(f, j.input(i, n == 1), func(lo, hi int64) {
				for at := lo; at < hi; at++ {
					last[at] = first + int32(i)
				}
			})
		}
		for i := j.ifm - 1; i < jobs && c.left >= 0; i += j.ifm {
			bad := int64(-1)
			c.ranges(&k.OFM, j.output(i), func(lo, hi int64) {
				for at := lo; at < hi; at++ {
					if last[at] > first+int32(i) {
						bad = at
					}
				}
			})
			if bad >= 0 {
				c.find(op, "in-place", "job %d writes byte %d of the input, which job %d reads", i, bad, last[bad]-first)
				return
			}
		}
	}
}

// sameAddresses tells whether each element is written where the element of the same place is read, and nothing else is read for it.
func sameAddresses(o *isa.Operation, f *isa.FeatureMap) bool {
	k := o.Kernel
	g := &k.OFM
	unit := k.KernelH == 1 && k.KernelW == 1 && k.StrideX == 1 && k.StrideY == 1 && k.Upscale == isa.UpscaleNone
	pointwise := o.Kind == isa.Elementwise || unit && (o.Kind == isa.Depthwise || o.Kind == isa.Pool && k.Mode != isa.PoolSum)
	sizes := f.Height == g.Height && f.Width == g.Width && f.Depth == g.Depth && f.Bytes == g.Bytes
	places := f.Base == g.Base && f.StrideX == g.StrideX && f.StrideY == g.StrideY && f.Brick == g.Brick && (f.StrideC == g.StrideC || !f.Brick)
	return pointwise && sizes && places && f.Width0 == g.Width0 && f.Height0 == g.Height0 && f.Height1 == g.Height1
}
