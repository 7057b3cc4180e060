package optim_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
)

// table is the exclusive or of two inputs. A datasets.Set is the usual Data.
type table struct{}

func (table) Len() int { return 4 }

func (table) Batches(uint64, int, int, int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		yield([]float32{0, 0, 0, 1, 1, 0, 1, 1}, []float32{0, 1, 1, 0})
	}
}

// A network of two dense layers learns the exclusive or.
func Example() {
	net, err := layers.Model{Name: "xor", Seed: 1, Input: layers.Shape{2}, Layer: layers.Sequential{
		layers.Dense{Units: 8, Activation: layers.Tanh},
		layers.Dense{Units: 2},
	}}.Trace()
	if err != nil {
		log.Fatal(err)
	}
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Solver: &optim.Adam{LearningRate: 0.05}, Batch: 4, Epochs: 100}
	history, err := fit.Run(context.Background(), net, table{})
	if err != nil {
		log.Fatal(err)
	}
	m, err := optim.Evaluate(context.Background(), net, fit.Loss, []optim.Metric{&optim.Accuracy{}}, table{}, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d steps, accuracy %.2f\n", history.Steps, m["accuracy"])
	// Output: 100 steps, accuracy 1.00
}

// The learning rate rises over the first 100 steps and then falls along a cosine.
func ExampleWarmup() {
	s := optim.Warmup{Steps: 100, Then: optim.Cosine{Steps: 900, End: 0.01}}
	for _, step := range []int{0, 99, 100, 550, 1000} {
		fmt.Printf("%d: %.3f\n", step, s.At(step))
	}
	// Output:
	// 0: 0.010
	// 99: 1.000
	// 100: 1.000
	// 550: 0.505
	// 1000: 0.010
}
