package sparsity_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
	"github.com/temper-ml/temper/sparsity"
)

// A network is pruned while it trains, and keeps its zeros and the promise of them when the masks are gone.
func ExamplePrune() {
	net, err := layers.Model{Name: "net", Input: layers.Shape{16}, Layer: layers.Sequential{
		layers.Dense{Name: "hidden", Units: 32, Activation: layers.ReLU},
		layers.Dense{Name: "pairs", Units: 32, Activation: layers.ReLU},
		layers.Dense{Name: "out", Units: 2},
	}}.Trace()
	if err != nil {
		fmt.Println(err)
		return
	}
	prune := sparsity.Prune{
		Schedule: sparsity.Polynomial{Final: 0.8, End: 40, Frequency: 5},
		Rules: []sparsity.Rule{
			{Match: "pairs", N: 2, M: 4},
			{Match: "out", Skip: true},
		},
	}
	rows, err := prune.Describe(net)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(graph.Table(rows))
	if err := prune.Apply(net); err != nil {
		fmt.Println(err)
		return
	}
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Batch: 10, Epochs: 4}
	if _, err := fit.Run(context.Background(), net, signs(100), optim.Hook{BeforeStep: prune.BeforeStep}); err != nil {
		fmt.Println(err)
		return
	}
	if err := graph.Strip(net); err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"hidden/kernel", "pairs/kernel"} {
		v := net.Var(name)
		fmt.Println(name, v.Shape, "promises", v.Promise)
	}
	// Output:
	// hidden  sparsity 0.8
	// pairs   2 zeros of every 4  rule "pairs"
	// out     left alone          rule "out"
	// hidden/kernel [16,32] promises zeros=410
	// pairs/kernel [32,32] promises zeros=512 nm=2:4
}

// Filters are taken out of a residual network: both sides of the addition lose the same ones.
func ExampleFilters() {
	net, err := layers.Model{Name: "net", Input: layers.Shape{8, 8, 3}, Layer: layers.Sequential{
		layers.Conv2D{Name: "stem", Filters: 8, Kernel: 3}, layers.BatchNorm{Activation: layers.ReLU},
		layers.Residual{Body: layers.Sequential{
			layers.Conv2D{Name: "first", Filters: 10, Kernel: 3}, layers.BatchNorm{Activation: layers.ReLU},
			layers.Conv2D{Name: "second", Filters: 8, Kernel: 3}, layers.BatchNorm{},
		}},
		layers.GlobalAvgPool{}, layers.Dense{Units: 2},
	}}.Trace()
	if err != nil {
		fmt.Println(err)
		return
	}
	filters := sparsity.Filters{Ratio: 0.3}
	rows, err := filters.Describe(net)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(graph.Table(rows))
	if err := filters.Apply(net); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(net.Var("residual/second/kernel").Shape)
	// Output:
	// stem             6 of 8 filters stay   shares its channels with residual/second
	// residual/first   7 of 10 filters stay
	// residual/second  6 of 8 filters stay   shares its channels with stem
	// dense            left alone            its channels must stay: they reach an output, or an operator that mixes them
	// [3,3,7,6]
}

// signs are examples whose class is the sign of their sum.
func signs(n int) *datasets.Set {
	r := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float32, 16*n), make([]int32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	for i := range y {
		sum := float32(0)
		for _, v := range x[16*i : 16*i+16] {
			sum += v
		}
		if sum > 0 {
			y[i] = 1
		}
	}
	s, err := datasets.FromFloats("signs", []int{16}, x, y, []string{"negative", "positive"})
	if err != nil {
		panic(err)
	}
	return s
}
