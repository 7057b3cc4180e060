package sim

import "github.com/temper-ml/temper/npu/isa"

// bounds finds operations that leave their regions, and sizes that no check can walk over.
func (c *checker) bounds() {
	for _, r := range c.mem.Regions {
		if r.Size < 0 || r.Size > 1<<40 || r.Same < 0 || r.Same > 7 || c.mem.Regions[r.Same].Size < r.Size {
			c.list = append(c.list, Finding{Rule: "memory", Text: "the sizes of the regions make no sense"})
			return
		}
		for _, in := range r.Inputs {
			if in.Base > uint64(r.Size) || in.Length > uint64(r.Size)-in.Base {
				c.list = append(c.list, Finding{Rule: "memory", Text: "an input is outside its region"})
				return
			}
		}
	}
	for _, o := range c.mem.Outputs {
		if n := uint64(c.mem.Regions[o.Region].Size); o.Base > n || o.Length > n-o.Base {
			c.list = append(c.list, Finding{Rule: "memory", Text: "an output is outside its region"})
			return
		}
	}
	for i := range c.ops {
		c.boundsOf(i)
	}
}

func (c *checker) boundsOf(i int) {
	o := &c.ops[i]
	size := func(mem int) int64 {
		if mem == shramIndex {
			return int64(c.target.Banks * 1024)
		}
		return int64(c.mem.Regions[mem].Size)
	}
	if o.Kernel != nil {
		for _, n := range named(o.Kernel) {
			f, what := n.f, n.what
			if f.Height < 1 || f.Width < 1 || f.Depth < 1 || f.Height > maxElements/f.Width/f.Depth {
				c.find(i, "bounds", "%s of %d x %d x %d is empty or has more than %d elements", what, f.Height, f.Width, f.Depth, maxElements)
				return
			}
			for _, t := range tiles(f) {
				if lo, hi, ok := t.extent(f); !ok || hi > int64(c.mem.Regions[f.Region].Size) {
					c.find(i, "bounds", "%s reaches from %d to %d in region %d of %d bytes", what, lo, hi, f.Region, c.mem.Regions[f.Region].Size)
					return
				}
			}
		}
	}
	for _, a := range c.accesses(o) {
		if a.lo < 0 || a.hi < a.lo || a.hi > size(a.mem) {
			c.find(i, "bounds", "%s reaches from %d to %d in memory of %d bytes", a.what, a.lo, a.hi, size(a.mem))
			return
		}
		if a.write && a.mem < shramIndex && c.mem.Regions[a.mem].Constant {
			c.find(i, "constant", "%s, bytes %d to %d, is in constants", a.what, a.lo, a.hi)
			return
		}
	}
}

// namedMap is a feature map of a kernel with what it is called in messages.
type namedMap struct {
	f    *isa.FeatureMap
	what string
}

// named lists a kernel's feature maps, the output last.
func named(k *isa.Kernel) []namedMap {
	list := []namedMap{{&k.IFM, "the input"}}
	if k.HasIFM2 {
		list = append(list, namedMap{&k.IFM2, "the second input"})
	}
	return append(list, namedMap{&k.OFM, "the output"})
}
