package sim

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// BlockDep is the largest BLOCKDEP with which a kernel may follow another without a finding of Hazards.
func BlockDep(t arch.Target, before, now isa.Operation, mem Memory) int {
	k := *now.Kernel
	now.Kernel = &k
	for k.BlockDep = arch.MaxBlockDep; k.BlockDep > 0; k.BlockDep-- {
		c := &checker{target: t, ops: []isa.Operation{before, now}, mem: mem, left: 1 << 28}
		if c.blockdep(1, 0); len(c.list) == 0 && c.left >= 0 {
			break
		}
	}
	return k.BlockDep
}
