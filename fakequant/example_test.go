package fakequant_test

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// A float network becomes an int8 one: ranges come from samples, nothing is trained.
func ExamplePTQ() {
	net, err := layers.Model{Name: "sine", Input: layers.Shape{1}, Layer: layers.Sequential{
		layers.Dense{Name: "hidden", Units: 16, Activation: layers.ReLU},
		layers.Dense{Name: "out", Units: 1, Activation: layers.Tanh},
	}}.Trace()
	if err != nil {
		fmt.Println(err)
		return
	}
	x, y := make([]float32, 100), make([]float32, 100)
	for i := range x {
		x[i] = float32(i) / 50 * math.Pi
		y[i] = float32(math.Sin(float64(x[i])))
	}
	samples, err := datasets.FromTargets("sine", []int{1}, x, y, 1)
	if err != nil {
		fmt.Println(err)
		return
	}

	ptq := fakequant.PTQ{Config: fakequant.Config{
		Calibration: samples,
		Observer:    fakequant.MinMax{},
		Rules:       []fakequant.Rule{{Match: "hidden", WeightBits: 4}},
	}}
	if err := ptq.Apply(net); err != nil {
		fmt.Println(err)
		return
	}
	for _, op := range net.Ops {
		if q, ok := op.Kind.(graph.FakeQuant); ok {
			fmt.Println(op.Name, q.Bits)
		}
	}
	fmt.Printf("input range [%.2f, %.2f]\n", net.Var("input/fake_quant/range").Data[0], net.Var("input/fake_quant/range").Data[1])
	// Unordered output:
	// input/fake_quant 8
	// hidden/kernel/fake_quant 4
	// hidden/relu/fake_quant 8
	// out/kernel/fake_quant 8
	// out/bias_add/fake_quant 8
	// out/tanh/fake_quant 8
	// input range [0.00, 6.22]
}
