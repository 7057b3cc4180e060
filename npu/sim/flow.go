package sim

import (
	"github.com/temper-ml/temper/npu/isa"
)

// history is what has happened to each byte of a region.
type history struct {
	writer []int32 // nothing, before the program, or operation + firstOperation
	read   []bool  // since it was written
}

const (
	nothing        = 0
	beforehand     = 1
	firstOperation = 2
)

// flow follows every byte: who wrote it, and whether anybody has read it.
func (c *checker) flow() {
	var past [shramIndex + 1]*history
	for i, r := range c.mem.Regions {
		if r.Same == i && r.Size > 0 {
			past[i] = &history{make([]int32, r.Size), make([]bool, r.Size)}
		}
	}
	past[shramIndex] = &history{make([]int32, c.target.Banks*1024), make([]bool, c.target.Banks*1024)}
	for i, r := range c.mem.Regions {
		h := past[c.same(i)]
		for _, in := range r.Inputs {
			for at := in.Base; at < in.Base+in.Length; at++ {
				h.writer[at] = beforehand
			}
		}
		if r.Constant {
			for at := range r.Size {
				h.writer[at] = beforehand
			}
		}
	}
	f := flow{c: c, past: past, lost: map[int32]int{}}
	for i := range c.ops {
		if c.ops[i].Kind == isa.Stop {
			break
		}
		f.step(i)
	}
	for _, o := range c.mem.Outputs {
		for at := o.Base; at < o.Base+o.Length; at++ {
			if past[c.same(o.Region)].writer[at] == nothing {
				c.find(len(c.ops)-1, "output", "byte %d of region %d belongs to an output, but nothing has written it", at, o.Region)
				break
			}
		}
	}
}

type flow struct {
	c    *checker
	past [shramIndex + 1]*history
	lost map[int32]int // writers of which unread bytes were overwritten, and by which operation
}

// step is an operation: it reads, then it writes.
func (f *flow) step(i int) {
	o := &f.c.ops[i]
	var unwritten, torn, spoiled bool
	read := func(mem int, lo, hi int64, what string) {
		h := f.past[mem]
		for at := lo; at < hi; at++ {
			w := h.writer[at]
			h.read[at] = true
			if w == nothing && !unwritten {
				unwritten = true
				f.c.find(i, "uninitialized", "%s has byte %d, which nothing has written", what, at)
			}
			if mem == shramIndex && w >= firstOperation && !spoiled && f.c.ops[w-firstOperation].Kernel != nil {
				spoiled = true
				f.c.find(i, "table", "%s was overwritten by the accumulators of operation %d", what, w-firstOperation)
			}
			if by, ok := f.lost[w]; ok && !torn {
				torn = true
				f.c.find(i, "overwritten", "%s has what operation %d wrote, of which operation %d has overwritten a part that nothing had read", what, w-firstOperation, by)
			}
		}
	}
	write := func(mem int, lo, hi int64) {
		h, me := f.past[mem], int32(i+firstOperation)
		for at := lo; at < hi; at++ {
			if w := h.writer[at]; w >= firstOperation && w != me && !h.read[at] && mem != shramIndex {
				if _, ok := f.lost[w]; !ok {
					f.lost[w] = i
				}
			}
			h.writer[at], h.read[at] = me, false
		}
	}
	f.visit(o, read, write)
}

// visit reports the bytes that an operation reads, and then those that it writes, exactly.
func (f *flow) visit(o *isa.Operation, read func(mem int, lo, hi int64, what string), write func(mem int, lo, hi int64)) {
	isMap := map[string]bool{}
	var output *isa.FeatureMap
	if o.Kernel != nil {
		for _, n := range named(o.Kernel) {
			isMap[n.what] = true
			if output = n.f; n.f != &o.Kernel.OFM {
				f.c.ranges(n.f, whole(n.f), func(lo, hi int64) { read(f.c.same(n.f.Region), lo, hi, n.what) })
			}
		}
	}
	list := f.c.accesses(o)
	for _, a := range list {
		if !isMap[a.what] && !a.write {
			read(a.mem, a.lo, a.hi, a.what)
		}
	}
	for _, a := range list {
		if !isMap[a.what] && a.write {
			write(a.mem, a.lo, a.hi)
		}
	}
	if output != nil {
		f.c.ranges(output, whole(output), func(lo, hi int64) { write(f.c.same(output.Region), lo, hi) })
	}
}
