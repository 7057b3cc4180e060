package perf_test

import (
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// The best block of a convolution, and what it would cost.
func Example() {
	target, err := arch.Find("ethos-u55-128")
	if err != nil {
		panic(err)
	}
	machine, err := perf.NewMachine(target, "", "")
	if err != nil {
		panic(err)
	}
	o := isa.Operation{Kind: isa.Conv, Kernel: &isa.Kernel{KernelH: 3, KernelW: 3, StrideY: 1, StrideX: 1, DilationY: 1, DilationX: 1, Cores: 1,
		IFM: isa.FeatureMap{Region: 1, Height: 16, Width: 16, Depth: 16, Bytes: 1, Signed: true, Brick: true},
		OFM: isa.FeatureMap{Region: 1, Height: 16, Width: 16, Depth: 32, Bytes: 1, Signed: true, Brick: true}, Min: -128, Max: 127}}
	o.Kernel.PartKernel = perf.PartKernel(16, 9, 1)
	best, err := machine.Best(&o)
	if err != nil {
		panic(err)
	}
	fmt.Println(best.Block, best.Cost.MACs, "MACs, an estimate of", best.Cost.Total(), "cycles")
	// Output:
	// {4 16 32} 1179648 MACs, an estimate of 19712 cycles
}
