package sim_test

import (
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// A program that copies constants to the arena, and forgets to wait before it copies them on.
func Example() {
	target, err := arch.Find("ethos-u65-256")
	if err != nil {
		fmt.Println(err)
		return
	}
	ops := isa.Operations([]isa.Command{
		{Op: isa.SET_DMA0_SRC_REGION, Param: 0}, isa.WithAddress(isa.SET_DMA0_SRC, 0),
		{Op: isa.SET_DMA0_DST_REGION, Param: 1}, isa.WithAddress(isa.SET_DMA0_DST, 16), isa.WithAddress(isa.SET_DMA0_LEN, 5),
		{Op: isa.OP_DMA_START},
		{Op: isa.SET_DMA0_SRC_REGION, Param: 1}, isa.WithAddress(isa.SET_DMA0_SRC, 16), isa.WithAddress(isa.SET_DMA0_DST, 32),
		{Op: isa.OP_DMA_START},
		{Op: isa.OP_STOP, Param: 0xffff},
	})
	m := sim.New(target)
	m.Regions[0], m.Regions[1] = []byte("hello"), make([]byte, 64)
	if err := m.Run(ops); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", m.Regions[1][32:37])

	var mem sim.Memory
	for i := range mem.Regions {
		mem.Regions[i].Same = i
	}
	mem.Regions[0] = sim.Region{Size: 5, Same: 0, Constant: true}
	mem.Regions[1] = sim.Region{Size: 64, Same: 1}
	for _, f := range sim.Hazards(target, ops, mem) {
		fmt.Println(f)
	}
	// Output:
	// hello
	// operation 1 (command 9): dma-wait: the source, bytes 16 to 21, meets the destination of operation 0 (DMA), bytes 16 to 21, which may be unfinished
}
