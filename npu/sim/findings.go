package sim

import (
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Finding is something wrong with a program.
type Finding struct {
	Operation, Command int    // indices of the operation, and of its command in the stream
	Rule               string // a short name
	Text               string
}

func (f Finding) String() string {
	return fmt.Sprintf("operation %d (command %d): %s: %s", f.Operation, f.Command, f.Rule, f.Text)
}

// Memory is what a program may touch.
type Memory struct {
	Regions [8]Region
	Outputs []Piece // what a program must have written in the end
	Limit   int64   // of the elements that a check walks over; 0 is 2^28
}

// Region is a region's memory.
type Region struct {
	Size     int
	Same     int // the region whose memory it is; its own index unless two share
	Constant bool
	Inputs   []isa.Span // what is there before the program runs; a constant region is there as a whole
}

// Piece is a part of a region.
type Piece struct {
	Region int
	isa.Span
}

// shramIndex stands for SHRAM where a region's index is meant.
const shramIndex = 8

// access is memory that an operation touches.
type access struct {
	mem    int // a region, after Same, or shramIndex
	lo, hi int64
	write  bool
	what   string
}

func (a access) conflicts(b access) bool {
	return a.mem == b.mem && a.lo < b.hi && b.lo < a.hi && (a.write || b.write)
}

// checker has what Hazards and Lint share.
type checker struct {
	target arch.Target
	ops    []isa.Operation
	mem    Memory
	list   []Finding
	left   int64
	marks  [8][]int32 // of each region's bytes, for blockdep and inPlace
	mark   int32      // marks below it are old
}

// marksOf is an entry for each byte of a region; those that next has not given out since are old.
func (c *checker) marksOf(region int) []int32 {
	r := c.same(region)
	if c.marks[r] == nil {
		c.marks[r] = make([]int32, c.mem.Regions[r].Size)
	}
	return c.marks[r]
}

// next reserves n new marks and returns the first.
func (c *checker) next(n int) int32 {
	if int64(c.mark)+int64(n) > 1<<30 {
		c.marks, c.mark = [8][]int32{}, 0
	}
	first := c.mark + 1
	c.mark += int32(n)
	return first
}

func (c *checker) find(op int, rule, format string, args ...any) {
	c.list = append(c.list, Finding{op, c.ops[op].Command, rule, fmt.Sprintf(format, args...)})
}

// same is the region whose memory a region is.
func (c *checker) same(region int) int { return c.mem.Regions[region].Same }

// tableSize is the bytes of a kernel's table, 0 without one.
func tableSize(k *isa.Kernel) int {
	switch {
	case k.Activation < isa.Table0 || k.Activation >= isa.Table0+arch.LUTSlots:
		return 0
	case k.OFM.Bytes == 2:
		return 2048
	}
	return 256 * k.OFM.Bytes
}

// accesses lists what an operation touches.
func (c *checker) accesses(o *isa.Operation) []access {
	var list []access
	add := func(region int, internal bool, lo, length uint64, write bool, what string) {
		mem := shramIndex
		if !internal {
			mem = c.same(region)
		}
		list = append(list, access{mem, int64(lo), int64(lo + length), write, what})
	}
	if t := o.DMA; t != nil {
		add(t.SrcRegion, t.SrcInternal, t.Src, t.Length, false, "the source")
		add(t.DstRegion, t.DstInternal, t.Dst, t.Length, true, "the destination")
		return list
	}
	k := o.Kernel
	if k == nil {
		return nil
	}
	maps := func(f *isa.FeatureMap, write bool, what string) {
		for _, t := range tiles(f) {
			if lo, hi, ok := t.extent(f); ok {
				list = append(list, access{c.same(f.Region), lo, hi, write, what})
			}
		}
	}
	maps(&k.OFM, true, "the output")
	maps(&k.IFM, false, "the input")
	if k.HasIFM2 {
		maps(&k.IFM2, false, "the second input")
	}
	if o.Kind == isa.Conv || o.Kind == isa.Depthwise {
		for core := range k.Cores {
			add(k.WeightRegion, false, k.Weights[core].Base, k.Weights[core].Length, false, "weights")
			add(k.ScaleRegion, false, k.Scales[core].Base, k.Scales[core].Length, false, "biases and scales")
		}
	}
	start := c.target.LUTStart()
	if n := tableSize(k); n > 0 {
		add(0, true, uint64(start+(k.Activation-isa.Table0)*arch.LUTSlot), uint64(n), false, "the table")
	} else if c.target.EndBanks() == 0 {
		add(0, true, uint64(start), uint64(arch.LUTBanks*arch.BankSize), true, "the accumulators, over the tables")
	}
	return list
}
