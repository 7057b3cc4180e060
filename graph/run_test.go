package graph

import (
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFanOut: a value with several readers has the sum of their gradients, once each, also when one Op reads it twice.
func TestFanOut(t *testing.T) {
	for _, c := range []struct {
		name    string
		factors []float32 // of the readers LeakyReLU{factor}, which see negative values
		want    float32   // sum of the factors, squared: the network is y = sum * w x
	}{
		{"2 readers", []float32{0.5, 2}, 2.5 * 2.5},
		{"3 readers", []float32{0.5, 2, 4}, 6.5 * 6.5},
		{"4 readers", []float32{1, 0.5, 0.25, 0.25}, 4},
		{"twice by one", nil, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder("fan", 1)
			x := b.Op("shift", Add{}, b.Input("x", 3), b.Var("w", Weight, Shape{3}, fill(-1)))
			y := x
			if c.factors == nil {
				y = b.Op("twice", Add{}, x, x)
			}
			for i, f := range c.factors {
				reader := b.Op("reader/"+string(rune('a'+i)), LeakyReLU{Alpha: f}, x)
				if i == 0 {
					y = reader
					continue
				}
				y = b.Op("sum/"+string(rune('a'+i)), Add{}, y, reader)
			}
			g := finish(t, b, y)
			s := trainer(t, g, squares{})
			for range 2 { // the second step starts from zero again
				step(t, s, 0, make([]float32, 3), make([]float32, 3))
				if d := cmp.Diff([]float32{-c.want, -c.want, -c.want}, gradient(t, s, "w")); d != "" {
					t.Error(d)
				}
			}
		})
	}
}

// TestSharedVar: a Var that two Ops read has the sum of both gradients. y = (x w) w, a scalar: dy/dw = 2 x w.
func TestSharedVar(t *testing.T) {
	b := NewBuilder("tied", 1)
	w := b.Var("w", Weight, Shape{1, 1}, fill(3))
	y := b.Op("second", Dense{}, b.Op("first", Dense{}, b.Input("x", 1), w), w)
	s := trainer(t, finish(t, b, y), squares{})
	if len(s.Params()) != 1 {
		t.Fatalf("%d parameters, want the one", len(s.Params()))
	}
	step(t, s, 0, []float32{17}, []float32{2}) // y = 18, dy = 1
	if got := gradient(t, s, "w")[0]; got != 12 {
		t.Errorf("gradient %g, want 12", got)
	}
}

// TestSharedVarFiniteDifferences checks a residual block with a tied kernel, end to end, against central differences.
func TestSharedVarFiniteDifferences(t *testing.T) {
	b := NewBuilder("residual", 4)
	x := b.Input("x", 4, 4, 2)
	k := b.Var("kernel", Weight, Shape{3, 3, 2, 2}, gauss)
	one := b.Op("one", Tanh{}, b.Op("conv1", Conv2D{Padding: Same}, x, k))
	two := b.Op("two", Conv2D{Padding: Same}, one, k)
	y := b.Op("cat", Concat{Axis: -1}, b.Op("add", Add{}, one, two), one)
	g := finish(t, b, b.Op("gap", GlobalAvgPool{}, y))
	in, target := normal(3*32, 1), normal(3*4, 2)
	s := trainer(t, g, squares{})
	step(t, s, 0, target, in)
	got := gradient(t, s, "kernel")
	data, eval := g.Var("kernel").Data, evaluator(t, g)
	loss := func() float64 { return squares{}.Forward(infer1(t, eval, in), target, 3) }
	const h = 1e-2
	for i := range data {
		old := data[i]
		data[i] = old + h
		up := loss()
		data[i] = old - h
		down := loss()
		data[i] = old
		if want := (up - down) / (2 * h); math.Abs(want-float64(got[i])) > 1e-3 {
			t.Errorf("gradient %d is %g, differences say %g", i, got[i], want)
		}
	}
}

// stateless is a network whose step depends on Vars and batch alone.
func stateless(t *testing.T) *Graph {
	b := NewBuilder("stateless", 2)
	x := b.Input("x", 6, 6, 1)
	y := b.Op("conv", Conv2D{Padding: Same, Stride: [2]int{2, 2}}, x, b.Var("conv/kernel", Weight, Shape{3, 3, 1, 4}, gauss))
	y = b.Op("flat", Reshape{To: []int{36}}, b.Op("relu", ReLU{}, y))
	return finish(t, b, b.Op("dense", Dense{}, y, b.Var("dense/kernel", Weight, Shape{36, 2}, gauss)))
}

// TestBatchSizes: a last batch that is shorter, and sizes that alternate, give loss, outputs and gradients of that batch alone.
func TestBatchSizes(t *testing.T) {
	g := stateless(t)
	long := trainer(t, g, squares{})
	for i, n := range []int{8, 3, 8, 1, 3, 8} {
		x, target := normal(n*36, uint64(i)), normal(n*2, uint64(i+100))
		fresh := trainer(t, g, squares{})
		if a, b := step(t, long, 0, target, x), step(t, fresh, 0, target, x); a != b {
			t.Errorf("batch %d of %d: loss %g, alone %g", i, n, a, b)
		}
		if len(long.Output(0)) != n*2 || len(long.Value("x")) != n*36 {
			t.Errorf("batch %d of %d: the output has %d values", i, n, len(long.Output(0)))
		}
		for j, v := range long.Params() {
			if !slices.Equal(long.Grads()[j], fresh.Grads()[j]) {
				t.Errorf("batch %d of %d: gradient of %s differs from a fresh session's", i, n, v.Name)
			}
		}
	}
}

// TestGradientIsTheMean: a batch of two has the mean of the gradients of its examples.
func TestGradientIsTheMean(t *testing.T) {
	g := stateless(t)
	s := trainer(t, g, squares{})
	x, target := normal(2*36, 1), normal(2*2, 2)
	var sum [72]float32
	for i := range 2 {
		step(t, s, 0, target[2*i:2*i+2], x[36*i:36*i+36])
		for j, d := range gradient(t, s, "dense/kernel") {
			sum[j] += d / 2
		}
	}
	step(t, s, 0, target, x)
	for j, d := range gradient(t, s, "dense/kernel") {
		if math.Abs(float64(d-sum[j])) > 1e-5 {
			t.Fatalf("gradient %d: %g in the batch, %g as the mean", j, d, sum[j])
		}
	}
}

// TestNotFinite: a loss that is NaN or Inf stops with the name of what made the first such number.
func TestNotFinite(t *testing.T) {
	net := func() *Graph {
		b := NewBuilder("steep", 1)
		y := b.Op("scale", Mul{}, b.Input("x", 2), b.Var("w", Weight, Shape{2}, fill(1)))
		y = b.Op("block/square", Mul{}, y, y)
		return finish(t, b, b.Op("after", Tanh{}, b.Op("difference", Sub{}, y, y)))
	}
	nan := float32(math.NaN())
	for _, c := range []struct {
		name string
		x    []float32
		w    float32
		loss Loss
		want []string
	}{
		{"an op overflows", []float32{1, 1e30}, 1, squares{}, []string{"NaN", "block/square (Mul)", "first"}},
		{"the input", []float32{1, nan}, 1, squares{}, []string{"the input x"}},
		{"a var", []float32{1, 1}, nan, squares{}, []string{"the var w, read by scale", "learning rate"}},
		{"the loss", []float32{1, 1}, 1, fixed{value: math.Inf(1)}, []string{"+Inf", "the loss itself"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := net()
			g.Var("w").Data[1] = c.w
			_, err := trainer(t, g, c.loss).Step([]float32{0, 0}, c.x)
			wantError(t, err, c.want...)
		})
	}
}

// TestNaNPassesThrough: no Kind hides a NaN, in training or in inference; else the report would come late or never.
func TestNaNPassesThrough(t *testing.T) {
	eachSample(t, func(t *testing.T, d *Def, s Sample) {
		for _, train := range []bool{true, false} {
			in := sampleInputs(d, s, 2)
			in[0][0] = float32(math.NaN())
			k, out := sampleKernel(t, s, 2, train)
			y := make([]float32, out.Volume())
			k.Forward(y, in)
			if finite(y) {
				t.Errorf("train %v: a NaN in the input leaves no trace in the output", train)
			}
		}
	})
}

// TestAllocations: a step allocates a little for the machine, and nothing that grows with the batch.
func TestAllocations(t *testing.T) {
	if underRaceDetector {
		t.Skip("the race detector makes pools of scratch memory forget at random")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	perStep := func(n int) uint64 {
		s := trainer(t, smallNet(t), squares{})
		x, target := normal(n*16*16*2, 1), normal(n*3, 2)
		least := uint64(math.MaxUint64) // of the steps: the runtime allocates now and then, too
		for range 15 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			step(t, s, 0.01, target, x)
			runtime.ReadMemStats(&after)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		return least
	}
	few, many := perStep(4), perStep(64)
	t.Logf("bytes a step: %d for 4 examples, %d for 64", few, many)
	if many > few+few/4+1024 {
		t.Errorf("a step allocates %d bytes for 4 examples and %d for 64: something grows with the batch", few, many)
	}
}

// TestThreads: training gives the same bits on one thread and on several.
func TestThreads(t *testing.T) {
	train := func(threads int) (*Graph, []float64) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		g := smallNet(t)
		s := trainer(t, g, squares{})
		var losses []float64
		for i := range 3 {
			losses = append(losses, step(t, s, 0.1, normal(33*3, uint64(i)), normal(33*16*16*2, uint64(i))))
		}
		return g, losses
	}
	one, lossOne := train(1)
	for _, threads := range []int{2, 5} {
		g, losses := train(threads)
		if d := cmp.Diff(lossOne, losses); d != "" {
			t.Errorf("losses on %d threads: %s", threads, d)
		}
		sameVars(t, "several threads", one, g)
	}
}

// logistic is a loss that applies softmax itself; what it computes does not matter here.
type logistic struct{ squares }

func (logistic) Activation() string { return "Softmax" }

// sigmoidLoss applies the logistic function itself.
type sigmoidLoss struct{ squares }

func (sigmoidLoss) Activation() string { return "Sigmoid" }

// TestLogits: such a loss sees what goes into the final softmax, also behind a fake quantizer; the outputs of the graph stay.
func TestLogits(t *testing.T) {
	b := NewBuilder("classes", 1)
	y := b.Op("dense", Dense{}, b.Input("x", 2), b.Var("w", Weight, Shape{2, 2}, contents(1, 2, 3, 4)))
	y = b.Op("softmax", Softmax{}, y)
	y = b.Op("quant", FakeQuant{Bits: 8}, y, b.Var("range", State, Shape{2}, contents(0, 1)))
	g := finish(t, b, y)
	x, want := []float32{1, 1}, []float32{4, 6}
	s := trainer(t, g, logistic{})
	step(t, s, 0, []float32{3, 6}, x)
	if d := cmp.Diff(want, s.Prediction()); d != "" {
		t.Errorf("prediction: %s", d)
	}
	if d := cmp.Diff([]float32{1, 0, 1, 0}, gradient(t, s, "w")); d != "" {
		t.Errorf("gradient: %s", d)
	}
	e := evaluator(t, g)
	infer1(t, e, x)
	if d := cmp.Diff(want, e.Logits(logistic{})); d != "" {
		t.Errorf("logits: %s", d)
	}
	if d := cmp.Diff(e.Value("quant"), e.Logits(sigmoidLoss{})); d != "" {
		t.Errorf("a loss with the logistic function looks through a softmax: %s", d)
	}
	if e.Logits(squares{})[0] != e.Value("quant")[0] || trainer(t, g, squares{}).predict != y {
		t.Error("a loss of probabilities does not see the output")
	}
}

// TestValues: a session answers for inputs, Vars and Ops by name, and for several inputs and outputs.
func TestValues(t *testing.T) {
	b := NewBuilder("pair", 1)
	x, y := b.Input("x", 2), b.Input("y", 2)
	g := finish(t, b, b.Op("sum", Add{}, x, y), b.Op("product", Mul{}, x, y), x)
	s := evaluator(t, g)
	if err := s.Forward([]float32{1, 2, 3, 4}, []float32{5, 6, 7, 8}); err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{{6, 8, 10, 12}, {5, 12, 21, 32}, {1, 2, 3, 4}} {
		if d := cmp.Diff(want, s.Output(i)); d != "" {
			t.Errorf("output %d: %s", i, d)
		}
	}
	if d := cmp.Diff([]float32{5, 6, 7, 8}, s.Value("y")); d != "" {
		t.Errorf("y: %s", d)
	}
	if s.Value("nothing") != nil {
		t.Error("a value for a name that is not there")
	}
	err := s.Forward([]float32{1, 2, 3, 4}, []float32{5, 6})
	wantError(t, err, "input y", "2 values", "2 examples")
}
