package perf

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/temper-ml/temper/npu/isa"
)

// better orders configurations: less time, then less work in all units together, then less weight to read again, then larger blocks.
func better(a, b *Config) int {
	sum := func(c *Cost) int64 { return c.NPU + c.Memory[0] + c.Memory[1] }
	return cmp.Or(cmp.Compare(a.Cost.Total(), b.Cost.Total()), cmp.Compare(sum(&a.Cost), sum(&b.Cost)),
		cmp.Compare(a.Cost.Bytes.Refetch, b.Cost.Bytes.Refetch), -cmp.Compare(volume(a.Block), volume(b.Block)))
}

// Blocks are all block configurations that an operation may have, the best by the model first. The operation needs shapes, formats, regions, kernel, order of weights,
// activation and accumulator format; weights that are not encoded yet count as they are. Block and SHRAM registers are ignored.
func (m *Machine) Blocks(o *isa.Operation) []Config {
	var list []Config
	Legal(m.Target, o, func(c Config) {
		c.Cost = newQuery(m, o, &c).cost()
		list = append(list, c)
	})
	slices.SortStableFunc(list, func(a, b Config) int { return better(&a, &b) })
	return list
}

// Best is the first of Blocks.
func (m *Machine) Best(o *isa.Operation) (Config, error) {
	var best Config
	found := false
	Legal(m.Target, o, func(c Config) {
		c.Cost = newQuery(m, o, &c).cost()
		if !found || better(&c, &best) < 0 {
			best, found = c, true
		}
	})
	if !found {
		k := o.Kernel
		return best, fmt.Errorf("%v with kernel %dx%d and stride %dx%d: no output block fits into the %d KiB of SHRAM of %s",
			o.Kind, k.KernelH, k.KernelW, k.StrideY, k.StrideX, m.Target.Banks, m.Target.Name)
	}
	return best, nil
}

// Cost estimates an operation as its registers configure it.
func (m *Machine) Cost(o *isa.Operation) Cost {
	k := o.Kernel
	c := Config{}
	c.Block.H, c.Block.W, c.Block.D = k.BlockH, k.BlockW, k.BlockD
	c.IFM = ifmBlock(m.Target, o, c.Block)
	return newQuery(m, o, &c).cost()
}
