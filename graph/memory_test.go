package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// tangled is a random network with forks, joins, chains, and Kinds that keep something for their backward pass.
func tangled(t *testing.T, seed uint64) *Graph {
	r := rand.New(rand.NewPCG(seed, 3))
	b := NewBuilder("tangled", seed)
	values := []*Value{b.Input("x", 8, 6, 4)}
	for i := range 12 {
		name := fmt.Sprint("op", i)
		x := values[max(0, len(values)-1-r.IntN(3))]
		other := values[r.IntN(len(values))]
		var y *Value
		switch r.IntN(10) {
		case 0:
			y = b.Op(name, Conv2D{Padding: Same}, x, b.Var(name+"/k", Weight, Shape{3, 3, 4, 4}, gauss))
		case 1:
			y = b.Op(name, DepthwiseConv2D{Padding: Same}, x, b.Var(name+"/k", Weight, Shape{3, 3, 4}, gauss))
		case 2:
			y = b.Op(name, BiasAdd{}, x, b.Var(name+"/b", Bias, Shape{4}, gauss))
		case 3:
			y = batchNorm(b, name, x, BatchNorm{})
		case 4:
			y = b.Op(name, ReLU{}, x)
		case 5:
			y = b.Op(name, Add{}, x, other)
		case 6:
			y = b.Op(name, Mul{}, x, b.Op(name+"/tanh", Tanh{}, other))
		case 7:
			y = b.Op(name, Dropout{Rate: 0.2}, x, b.Var(name+"/count", State, Shape{1}, nil))
		case 8:
			y = b.Op(name, PReLU{}, x, b.Var(name+"/alpha", Scale, Shape{4}, gauss))
		case 9:
			y = b.Op(name, MaxPool2D{Size: [2]int{3, 3}, Padding: Same}, x)
		}
		values = append(values, y)
	}
	y := values[len(values)-1]
	for i, v := range values[1 : len(values)-1] { // everything counts
		y = b.Op(fmt.Sprint("all", i), Add{}, y, v)
	}
	y = b.Op("pool", MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}, y)
	y = b.Op("flat", Reshape{To: []int{48}}, y)
	return finish(t, b, b.Op("dense", Dense{}, y, b.Var("dense/k", Weight, Shape{48, 3}, gauss)))
}

// TestSharedMemory: values, gradients and what kernels keep give the same bits in shared memory as each in memory of its own, also where batch sizes
// change.
func TestSharedMemory(t *testing.T) {
	for seed := range uint64(20) {
		for _, options := range [][]Option{nil, {Unfused}} {
			one, all := tangled(t, seed), tangled(t, seed)
			private := trainer(t, one, squares{}, append(options, PrivateMemory)...)
			shared := trainer(t, all, squares{}, options...)
			evalOne, evalAll := evaluator(t, one, append(options, PrivateMemory)...), evaluator(t, all, options...)
			for i, n := range []int{3, 7, 7, 2, 3} {
				x, target := normal(n*8*6*4, uint64(i)), normal(n*3, uint64(i+10))
				a, b := step(t, private, 1e-7, target, x), step(t, shared, 1e-7, target, x)
				if math.Float64bits(a) != math.Float64bits(b) || !slices.Equal(private.Prediction(), shared.Prediction()) || !slices.Equal(shared.Value("x"), x) {
					t.Fatalf("seed %d, step %d: loss %g in memory of its own, %g in shared memory", seed, i, a, b)
				}
				for j, v := range private.Params() {
					if !slices.Equal(private.Grads()[j], shared.Grads()[j]) {
						t.Fatalf("seed %d, step %d: gradient of %s differs", seed, i, v.Name)
					}
				}
				sameVars(t, fmt.Sprint("seed ", seed), one, all)
				if !slices.Equal(infer1(t, evalOne, x), infer1(t, evalAll, x)) {
					t.Errorf("seed %d, step %d: inference differs", seed, i)
				}
			}
			if p, s := len(private.memory.x), len(shared.memory.x); options == nil && s >= p {
				t.Errorf("seed %d: %d floats shared, %d each in its own", seed, s, p)
			}
		}
	}
}

// TestBackwardReads: what a kernel's backward pass is said not to read makes no difference.
func TestBackwardReads(t *testing.T) {
	eachSample(t, func(t *testing.T, d *Def, s Sample) {
		backward := func(spoil bool) (all []float32) {
			in := sampleInputs(d, s, 3)
			k, out := sampleKernel(t, s, 3, true)
			y, dy, dx := make([]float32, out.Volume()), normal(out.Volume(), 1), make([][]float32, len(in))
			k.Forward(y, in)
			for i := range in {
				if d.Port(i).Diff {
					dx[i] = make([]float32, len(in[i]))
				}
				if spoil && !backwardReads(k, i) && !d.Port(i).State {
					fillNaN(in[i])
				}
			}
			if spoil && !backwardReads(k, output) {
				fillNaN(y)
			}
			k.Backward(dx, in, y, dy)
			return slices.Concat(dx...)
		}
		if !slices.Equal(backward(false), backward(true)) {
			t.Error("the backward pass reads what it says it does not")
		}
	})
}

func fillNaN(x []float32) {
	for i := range x {
		x[i] = float32(math.NaN())
	}
}

// TestEvalMemory: inference needs no more than the two largest values that meet, however deep the network.
func TestEvalMemory(t *testing.T) {
	b := NewBuilder("deep", 1)
	y := b.Input("x", 64)
	for i := range 30 {
		y = b.Op(fmt.Sprint("relu", i), Tanh{}, y)
	}
	s := evaluator(t, finish(t, b, y))
	infer1(t, s, normal(10*64, 1))
	if got, most := len(s.memory.x), 4*640; got > most { // input and output stay
		t.Errorf("%d floats, want at most %d", got, most)
	}
}

// TestShorterBatch: a program for fewer examples takes no memory of its own.
func TestShorterBatch(t *testing.T) {
	s := trainer(t, smallNet(t), squares{})
	step(t, s, 0, normal(8*3, 1), normal(8*16*16*2, 1))
	before := &s.memory.x[0]
	step(t, s, 0, normal(5*3, 1), normal(5*16*16*2, 1))
	if &s.memory.x[0] != before || len(s.programs) != 2 {
		t.Errorf("a shorter batch moved the memory; %d programs", len(s.programs))
	}
	step(t, s, 0, normal(9*3, 1), normal(9*16*16*2, 1))
	if len(s.programs) != 1 {
		t.Errorf("%d programs after a longer batch, of which only one has its memory", len(s.programs))
	}
}

// TestStepAllocatesNothing: what is left of a step without Gorgonia's machine, the ops in the order of the tape, allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	if underRaceDetector {
		t.Skip("the race detector makes pools forget at random")
	}
	for name, g := range map[string]*Graph{"small": smallNet(t), "chains": chains(t), "tangled": tangled(t, 1)} {
		for _, n := range []int{4, 64} {
			s := trainer(t, g, squares{})
			step(t, s, 0, normal(n*g.Outputs[0].Shape.Volume(), 1), normal(n*g.Inputs[0].Shape.Volume(), 2))
			if a := testing.AllocsPerRun(20, func() {
				for _, o := range s.last.tape.ops {
					o.run()
				}
			}); a != 0 {
				t.Errorf("%s, %d examples: %g allocations a step", name, n, a)
			}
		}
	}
}
