package graph

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// squares is the loss of the tests: half the squared distance, summed over an example and averaged over the batch.
type squares struct{}

func (squares) Forward(pred, target []float32, n int) float64 {
	sum := 0.0
	for i, v := range pred {
		d := float64(v) - float64(target[i])
		sum += d * d / 2
	}
	return sum / float64(n)
}

func (squares) Backward(dpred, pred, target []float32, n int) {
	for i, v := range pred {
		dpred[i] = (v - target[i]) / float32(n)
	}
}

func (squares) TargetLen(predLen int) int { return predLen }
func (squares) Activation() string        { return "" }

// fixed is a loss that returns a given number, whatever the network says.
type fixed struct {
	squares
	value float64
}

func (f fixed) Forward(_, _ []float32, _ int) float64 { return f.value }

// normal are n standard normal numbers of a stream.
func normal(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// gauss initialises a Var with small normal numbers of its own stream.
func gauss(data []float32, _ Shape, r *rand.Rand) {
	for i := range data {
		data[i] = float32(r.NormFloat64()) / 4
	}
}

// fill initialises a Var with one number.
func fill(v float32) Init {
	return func(data []float32, _ Shape, _ *rand.Rand) {
		for i := range data {
			data[i] = v
		}
	}
}

// contents initialises a Var with the given numbers.
func contents(x ...float32) Init {
	return func(data []float32, _ Shape, _ *rand.Rand) { copy(data, x) }
}

// batchNorm adds a BatchNorm with its Vars.
func batchNorm(b *Builder, name string, x *Value, k BatchNorm) (y *Value) {
	b.Scope(name, func() {
		c := Shape{x.Shape.Channels()}
		y = b.Op("norm", k, x, b.Var("gamma", Scale, c, fill(1)), b.Var("beta", Bias, c, nil),
			b.Var("moving_mean", State, c, nil), b.Var("moving_variance", State, c, fill(1)))
	})
	return y
}

// smallNet is an image network with every part whose state or threads could show: convolution, BatchNorm, dropout, pool, dense.
func smallNet(t *testing.T) *Graph {
	t.Helper()
	b := NewBuilder("small", 3)
	x := b.Input("x", 16, 16, 2)
	y := b.Op("conv", Conv2D{Padding: Same}, x, b.Var("conv/kernel", Weight, Shape{3, 3, 2, 8}, gauss))
	y = b.Op("bias", BiasAdd{}, y, b.Var("conv/bias", Bias, Shape{8}, nil))
	y = batchNorm(b, "bn", y, BatchNorm{Momentum: 0.9})
	y = b.Op("relu", ReLU{}, y)
	y = b.Op("drop", Dropout{Rate: 0.3, Seed: 5}, y, b.Var("drop/count", State, Shape{1}, nil))
	y = b.Op("pool", MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}, y)
	y = b.Op("dw", DepthwiseConv2D{Padding: Same, Stride: [2]int{2, 2}}, y, b.Var("dw/kernel", Weight, Shape{3, 3, 8}, gauss))
	y = b.Op("gap", GlobalAvgPool{}, y)
	y = b.Op("dense", Dense{}, y, b.Var("dense/kernel", Weight, Shape{8, 3}, gauss))
	return finish(t, b, y)
}

func finish(t *testing.T, b *Builder, out ...*Value) *Graph {
	t.Helper()
	g, err := b.Graph(out...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func trainer(t *testing.T, g *Graph, loss Loss, options ...Option) *Session {
	t.Helper()
	s, err := NewTrain(g, loss, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func evaluator(t *testing.T, g *Graph, options ...Option) *Session {
	t.Helper()
	s, err := NewEval(g, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// step runs forward and backward over x, and moves the Vars against the gradient.
func step(t *testing.T, s *Session, rate float32, target []float32, x ...[]float32) float64 {
	t.Helper()
	loss, err := s.Step(target, x...)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range s.Params() {
		for j, d := range s.Grads()[i] {
			v.Data[j] -= rate * d
		}
	}
	return loss
}

// infer1 is the first output of an eval session over x.
func infer1(t *testing.T, s *Session, x ...[]float32) []float32 {
	t.Helper()
	if err := s.Forward(x...); err != nil {
		t.Fatal(err)
	}
	return slices.Clone(s.Output(0))
}

// gradient is a copy of the last gradient of a Var, by name.
func gradient(t *testing.T, s *Session, name string) []float32 {
	t.Helper()
	for i, v := range s.Params() {
		if v.Name == name {
			return slices.Clone(s.Grads()[i])
		}
	}
	t.Fatalf("no parameter %s", name)
	return nil
}

// sameVars reports the first Var that differs between two graphs, in any bit.
func sameVars(t *testing.T, what string, a, b *Graph) {
	t.Helper()
	for i, v := range a.Vars {
		if w := b.Vars[i]; v.Name != w.Name || !slices.Equal(v.Data, w.Data) {
			t.Errorf("%s: var %s differs", what, v.Name)
			return
		}
	}
}

// wantError fails unless err says all of the given words.
func wantError(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one that says %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not say %q", err, w)
		}
	}
}
