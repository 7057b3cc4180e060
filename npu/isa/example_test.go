package isa_test

import (
	"fmt"
	"os"

	"github.com/temper-ml/temper/npu/isa"
)

// A program that copies 256 bytes from constants to the arena.
func Example() {
	program := []isa.Command{
		{Op: isa.SET_DMA0_SRC_REGION, Param: 0},
		isa.WithAddress(isa.SET_DMA0_SRC, 0x20),
		{Op: isa.SET_DMA0_DST_REGION, Param: 1},
		isa.WithAddress(isa.SET_DMA0_DST, 0x1000),
		isa.WithAddress(isa.SET_DMA0_LEN, 256),
		{Op: isa.OP_DMA_START},
		{Op: isa.OP_DMA_WAIT},
		{Op: isa.OP_STOP, Param: 0xffff},
	}
	again, err := isa.Decode(isa.Encode(program))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := isa.Disassemble(os.Stdout, again); err != nil {
		fmt.Println(err)
	}
	for _, o := range isa.Operations(again) {
		fmt.Println(o.Kind)
	}
	// Output:
	// 000000  NPU_SET_DMA0_SRC_REGION region=0 region_mode=EXTERNAL stride_mode=D1
	// 000004  NPU_SET_DMA0_SRC addr=0x20
	// 00000c  NPU_SET_DMA0_DST_REGION region=1 region_mode=EXTERNAL stride_mode=D1
	// 000010  NPU_SET_DMA0_DST addr=0x1000
	// 000018  NPU_SET_DMA0_LEN addr=0x100
	// 000020  NPU_OP_DMA_START
	// 000024  NPU_OP_DMA_WAIT k=0
	// 000028  NPU_OP_STOP mask=65535
	// DMA
	// DMA_WAIT
	// STOP
}
