package fakequant

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
)

// rings are two classes that a small network separates, and a coarse one does not: the inner and the outer of two rings.
func rings(t *testing.T, n int) *datasets.Set {
	t.Helper()
	r := rand.New(rand.NewPCG(9, 9))
	x, labels := make([]float32, 2*n), make([]int32, n)
	for i := range n {
		labels[i] = int32(i % 2)
		radius, angle := 0.5+0.5*float64(labels[i])+0.05*r.NormFloat64(), 2*math.Pi*r.Float64()
		x[2*i], x[2*i+1] = float32(radius*math.Cos(angle)), float32(radius*math.Sin(angle))
	}
	s, err := datasets.FromFloats("rings", []int{2}, x, labels, []string{"inner", "outer"})
	must(t, err)
	return s
}

func ringsNet(t *testing.T) *graph.Graph {
	return trace(t, layers.Shape{2},
		layers.Dense{Name: "one", Units: 12, Activation: layers.ReLU}, layers.Dense{Name: "two", Units: 8, Activation: layers.ReLU}, layers.Dense{Name: "logits", Units: 2}, layers.Softmax)
}

func train(t *testing.T, g *graph.Graph, data *datasets.Set, rate float64, epochs int) {
	t.Helper()
	_, err := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Solver: &optim.Adam{LearningRate: rate}, Batch: 40, Epochs: epochs, Seed: 1}.Run(context.Background(), g, data)
	must(t, err)
}

func loss(t *testing.T, g *graph.Graph, data *datasets.Set) float64 {
	t.Helper()
	m, err := optim.Evaluate(context.Background(), g, optim.SoftmaxCrossEntropy{}, nil, data, 100)
	must(t, err)
	return m["loss"]
}

// TestTinyNetwork: eight bits cost nothing, two-bit weights do, and quantization-aware training wins it back, with observed and with learned ranges.
func TestTinyNetwork(t *testing.T) {
	data := rings(t, 400)
	g := ringsNet(t)
	train(t, g, data, 0.02, 30)
	float := loss(t, g, data)
	if float > 0.1 {
		t.Fatalf("the float network does not learn: loss %g", float)
	}
	c := Config{Calibration: data.Take(0, 100)}

	eight := g.Clone()
	must(t, PTQ{c}.Apply(eight))
	if l := loss(t, eight, data); math.Abs(l-float) > 0.02 {
		t.Errorf("PTQ with 8 bits: loss %g, float %g", l, float)
	}

	c.WeightBits = 2
	two := g.Clone()
	must(t, PTQ{c}.Apply(two))
	coarse := loss(t, two, data)
	if coarse < 2*float {
		t.Errorf("PTQ with 2 bits: loss %g is too good to be true, float %g", coarse, float)
	}
	for _, q := range []QAT{{Config: c}, {Config: c, Momentum: 0.9, Delay: 10, Freeze: 100}, {Config: c, Learned: true}} {
		aware := g.Clone()
		must(t, q.Apply(aware))
		before := loss(t, aware, data)
		train(t, aware, data, 0.01, 20)
		if after := loss(t, aware, data); after > coarse/2 {
			t.Errorf("QAT, learned %t: loss %g before and %g after training, PTQ %g", q.Learned, before, after, coarse)
		}
		if codes := distinct(t, aware.Op("two/dense").In[1]); codes > 3 {
			t.Errorf("QAT, learned %t: the kernel has %d values, two narrow bits have 3", q.Learned, codes)
		}
	}
}

func distinct(t *testing.T, v *graph.Value) int {
	t.Helper()
	x, err := graph.Const(v)
	must(t, err)
	seen := map[float32]bool{}
	for _, w := range x {
		seen[w] = true
	}
	return len(seen)
}

// steps runs n training steps on the same batch and returns the losses.
func steps(t *testing.T, g *graph.Graph, data *datasets.Set, n int, each func(step int)) (losses []float64) {
	t.Helper()
	s, err := graph.NewTrain(g, optim.SoftmaxCrossEntropy{})
	must(t, err)
	defer s.Close()
	for x, y := range data.Batches(0, 0, 50, 0) {
		for step := range n {
			l, err := s.Step(y, x)
			must(t, err)
			losses = append(losses, l)
			if each != nil {
				each(step)
			}
		}
		return losses
	}
	return nil
}

// TestCalibrationSetsRanges: PTQ's ranges are those of the float network's values, with zero.
func TestCalibrationSetsRanges(t *testing.T) {
	data := rings(t, 130)
	g := ringsNet(t)
	q := g.Clone()
	must(t, PTQ{Config{Calibration: data}}.Apply(q))
	s, err := graph.NewEval(g, graph.Unfused)
	must(t, err)
	defer s.Close()
	for x := range data.Batches(0, 0, 130, 0) {
		must(t, s.Forward(x))
	}
	for _, name := range []string{"input", "one/relu", "two/relu", "logits/bias_add"} {
		r, want := q.Var(name+"/fake_quant/range").Data, extent(s.Value(name)).WithZero()
		if r[0] != want.Min || r[1] != want.Max {
			t.Errorf("%s: range %v, values %v", name, r, want)
		}
	}
	if r := q.Var("softmax/softmax/fake_quant/range").Data; r[0] != 0 || r[1] != 255.0/256 {
		t.Errorf("softmax: range %v, the specification fixes 1/256", r)
	}
	r := q.Var("one/relu/fake_quant/range")
	before := r.Data[1]
	steps(t, q, data, 3, nil)
	if r.Data[1] != before {
		t.Errorf("a PTQ range moved in training: %g, then %g", before, r.Data[1])
	}
}

// TestDelayAndFreezeInTraining: until the delay is over the loss is that of the float network; ranges follow the batch until the freeze.
func TestDelayAndFreezeInTraining(t *testing.T) {
	data := rings(t, 50)
	g := ringsNet(t)
	float := steps(t, g.Clone(), data, 1, nil)[0]
	must(t, QAT{Config: Config{Calibration: data.Take(0, 5), WeightBits: 2}, Momentum: 0.5, Delay: 2, Freeze: 4}.Apply(g))
	r := g.Var("input/fake_quant/range")
	calibrated := r.Data[1]
	var ends []float32
	losses := steps(t, g, data, 6, func(int) { ends = append(ends, r.Data[1]) })
	for i, l := range losses {
		if delayed := i < 2; delayed != (l == float) {
			t.Errorf("step %d: loss %g, the float network's is %g", i, l, float)
		}
	}
	x := inputsOf(data)
	want := calibrated
	for i, got := range ends {
		if i < 4 {
			want = float32(want*0.5) + float32(max(0, extent(x).Max)*0.5)
		}
		if got != want {
			t.Errorf("step %d: the range ends at %g, want %g", i, got, want)
		}
	}
}

func inputsOf(data *datasets.Set) (all []float32) {
	for x := range data.Batches(0, 0, data.Len(), 0) {
		all = append(all, x...)
	}
	return all
}

// TestFreezeBatchNorm: live statistics follow in QAT, frozen ones stand, and then training computes what inference computes.
func TestFreezeBatchNorm(t *testing.T) {
	data := rings(t, 50)
	for _, frozen := range []bool{false, true} {
		g := trace(t, layers.Shape{2}, layers.Dense{Name: "one", Units: 4, NoBias: true}, layers.BatchNorm{Name: "norm", Activation: layers.ReLU}, layers.Dense{Name: "logits", Units: 2})
		randomise(g)
		must(t, QAT{Config: Config{Calibration: data, PerChannelDense: true}, FreezeBatchNorm: frozen}.Apply(g))
		inference := loss(t, g, data)
		mean := g.Var("norm/moving_mean")
		before := mean.Data[0]
		training := steps(t, g, data, 1, nil)[0]
		if moved := mean.Data[0] != before; moved == frozen {
			t.Errorf("frozen %t: the moving mean moved: %t", frozen, moved)
		}
		if same := math.Abs(training-inference) < 1e-3; same != frozen { // ranges move a little
			t.Errorf("frozen %t: the loss is %g in training and %g in inference", frozen, training, inference)
		}
	}
}
