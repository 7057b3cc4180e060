package graph_test

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// distance is half the squared distance, the mean over examples. Package optim has the usual losses.
type distance struct{}

func (distance) Forward(pred, target []float32, n int) float64 {
	sum := 0.0
	for i, p := range pred {
		d := float64(p - target[i])
		sum += d * d / 2
	}
	return sum / float64(n)
}

func (distance) Backward(dpred, pred, target []float32, n int) {
	for i, p := range pred {
		dpred[i] = (p - target[i]) / float32(n)
	}
}

func (distance) TargetLen(predLen int) int { return predLen }
func (distance) Activation() string        { return "" }

// A network of one dense layer: build it, print it, take a step against the gradient, run it.
func Example() {
	b := graph.NewBuilder("line", 1)
	x := b.Input("x", 2)
	var y *graph.Value
	b.Scope("dense", func() {
		y = b.Op("matmul", graph.Dense{}, x, b.Var("kernel", graph.Weight, graph.Shape{2, 1}, nil))
		y = b.Op("bias_add", graph.BiasAdd{}, y, b.Var("bias", graph.Bias, graph.Shape{1}, nil))
		y = b.Op("leaky", graph.LeakyReLU{Alpha: 0.5}, y)
	})
	g, err := b.Graph(y)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)

	train, err := graph.NewTrain(g, distance{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer train.Close()
	loss, err := train.Step([]float32{2, 4}, []float32{1, 0, 0, 1}) // two examples
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("loss", loss)
	for i, v := range train.Params() {
		fmt.Println("gradient of", v.Name, train.Grads()[i])
		for j, d := range train.Grads()[i] {
			v.Data[j] -= d
		}
	}

	eval, err := graph.NewEval(g)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eval.Close()
	if err := eval.Forward([]float32{1, 0, 0, 1, 1, 1}); err != nil { // three examples, with the weights of the step
		fmt.Println(err)
		return
	}
	fmt.Println("output", eval.Output(0))
	// Output:
	// graph line
	// input x [batch,2]
	// var dense/kernel [2,1] weight trainable
	// var dense/bias [1] bias trainable
	// dense/matmul = Dense(x, dense/kernel) [batch,1]
	// dense/bias_add = BiasAdd(dense/matmul, dense/bias) [batch,1]
	// dense/leaky = LeakyReLU(dense/bias_add) {"Alpha":0.5} [batch,1]
	// output dense/leaky
	// loss 5
	// gradient of dense/kernel [-1 -2]
	// gradient of dense/bias [-3]
	// output [4 5 6]
}

// A pass rewrites the text form's graph: here it clips the output of every ReLU at 6.
func ExampleApply() {
	g, err := graph.Parse(`
graph net
input x [batch,3]
y = ReLU(x) [batch,3]
output y`)
	if err != nil {
		fmt.Println(err)
		return
	}
	clip := graph.Pass{Name: "clip", Run: func(g *graph.Graph) error {
		for _, o := range g.Ops {
			if o.Kind == graph.Kind(graph.ReLU{}) {
				o.Kind = graph.ReLU6{}
			}
		}
		return nil
	}}
	if err := graph.Apply(g, clip); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(g)
	// Output:
	// graph net
	// input x [batch,3]
	// y = ReLU6(x) [batch,3]
	// output y
}
