package optim

import (
	"context"
	"math"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// formula is a solver for one number, in float64 as its source writes it: it keeps its moments in m and returns the new w.
type formula func(w, g, rate float64, t int, m *[2]float64) float64

// TestSolversFollowKeras takes three steps with each solver on a weight and a bias, and compares with the formulas of keras/src/optimizers.
func TestSolversFollowKeras(t *testing.T) {
	adam := func(b1, b2, eps, decay float64) formula {
		return func(w, g, rate float64, t int, m *[2]float64) float64 {
			m[0] = b1*m[0] + (1-b1)*g
			m[1] = b2*m[1] + (1-b2)*g*g
			alpha := rate * math.Sqrt(1-math.Pow(b2, float64(t))) / (1 - math.Pow(b1, float64(t)))
			return w*(1-rate*decay) - alpha*m[0]/(math.Sqrt(m[1])+eps)
		}
	}
	momentum := func(mu float64, nesterov bool) formula {
		return func(w, g, rate float64, _ int, m *[2]float64) float64 {
			m[0] = mu*m[0] - rate*g
			if nesterov {
				return w + mu*m[0] - rate*g
			}
			return w + m[0]
		}
	}
	rms := func(rho, mu, eps float64) formula {
		return func(w, g, rate float64, _ int, m *[2]float64) float64 {
			m[0] = rho*m[0] + (1-rho)*g*g
			m[1] = mu*m[1] + rate*g/math.Sqrt(m[0]+eps)
			return w - m[1]
		}
	}
	for _, c := range []struct {
		name         string
		solver       Solver
		rate         float64 // what the solver must say
		weight, bias formula
	}{
		{"SGD", &SGD{}, 0.01, momentum(0, false), nil},
		{"momentum", &SGD{LearningRate: 0.1, Momentum: 0.9}, 0.1, momentum(0.9, false), nil},
		{"Nesterov", &SGD{LearningRate: 0.1, Momentum: 0.9, Nesterov: true}, 0.1, momentum(0.9, true), nil},
		{"Adam", &Adam{}, 0.001, adam(0.9, 0.999, 1e-7, 0), nil},
		{"Adam set", &Adam{LearningRate: 0.1, Beta1: 0.8, Beta2: 0.9, Epsilon: 0.01}, 0.1, adam(0.8, 0.9, 0.01, 0), nil},
		{"AdamW", AdamW(0.1, 0), 0.1, adam(0.9, 0.999, 1e-7, 0.004), adam(0.9, 0.999, 1e-7, 0)}, // a bias does not decay
		{"RMSprop", &RMSprop{}, 0.001, rms(0.9, 0, 1e-7), nil},
		{"RMSprop set", &RMSprop{LearningRate: 0.1, Rho: 0.5, Momentum: 0.3, Epsilon: 0.01}, 0.1, rms(0.5, 0.3, 0.01), nil},
	} {
		if got := c.solver.Rate(); got != c.rate {
			t.Errorf("%s: learning rate %g, want %g", c.name, got, c.rate)
		}
		if c.bias == nil {
			c.bias = c.weight
		}
		for _, v := range []struct {
			role graph.Role
			want formula
		}{{graph.Weight, c.weight}, {graph.Bias, c.bias}} {
			x := &graph.Var{Name: string(v.role), Data: []float32{0.5, -2}, Role: v.role}
			want, moments := []float64{0.5, -2}, [2][2]float64{}
			for step, grad := range [][]float32{{0.25, -1.5}, {-0.125, 3}, {0.75, 0}} {
				c.solver.Step(x, grad, c.rate, step+1)
				for i, g := range grad {
					want[i] = v.want(want[i], float64(g), c.rate, step+1, &moments[i])
					if d := math.Abs(float64(x.Data[i]) - want[i]); d > 1e-6 {
						t.Errorf("%s, %s, step %d: %g, want %g", c.name, v.role, step+1, x.Data[i], want[i])
					}
				}
			}
		}
	}
}

// TestAdamFirstStep: whatever the gradient, Adam's first step is the learning rate; worked out by hand.
func TestAdamFirstStep(t *testing.T) {
	x := &graph.Var{Name: "w", Data: []float32{1, 1, 1}}
	(&Adam{LearningRate: 0.5}).Step(x, []float32{1000, -0.001, 0}, 0.5, 1)
	for i, want := range []float32{0.5, 1.5, 1} {
		if d := x.Data[i] - want; d > 0.002 || d < -0.002 {
			t.Errorf("element %d: %g, want %g", i, x.Data[i], want)
		}
	}
}

// TestSolverStartsAfresh: the moments of a first run once leaked into the second of the same Fit.
func TestSolverStartsAfresh(t *testing.T) {
	d := stripes(24, 1)
	fit := Fit{Loss: SoftmaxCrossEntropy{}, Solver: &Adam{LearningRate: 0.01}, Batch: 8, Seed: 1}
	first, second := convNet(t), convNet(t)
	mustRun(t, fit, first, d)
	mustRun(t, fit, second, d)
	a, b := &graph.Checkpoint{Graph: first}, &graph.Checkpoint{Graph: second}
	if got := difference(a, b); got != "the state of the solver" {
		t.Errorf("the second run of a Fit differs in %s", got)
	}
}

// TestStepsDoNotAllocate: a solver works in place once it has its moments.
func TestStepsDoNotAllocate(t *testing.T) {
	x, grad := &graph.Var{Name: "w", Data: make([]float32, 100), Role: graph.Weight}, make([]float32, 100)
	for _, s := range []Solver{&SGD{Momentum: 0.9}, AdamW(0, 0), &RMSprop{Momentum: 0.5}} {
		s.Step(x, grad, 0.1, 1)
		if n := testing.AllocsPerRun(20, func() { s.Step(x, grad, 0.1, 2) }); n > 2 { // the name of the moments
			t.Errorf("%s: %g allocations a step", s.Describe(), n)
		}
	}
}

func TestBadFits(t *testing.T) {
	good := Fit{Loss: SoftmaxCrossEntropy{}, Batch: 8}
	for _, c := range []struct {
		change func(f *Fit)
		data   Data
		want   string
	}{
		{func(f *Fit) { f.Loss = nil }, stripes(8, 1), "no loss"},
		{func(f *Fit) { f.Batch = -1 }, stripes(8, 1), "batch -1"},
		{func(f *Fit) { f.Solver = &SGD{LearningRate: -1} }, stripes(8, 1), "learning rate -1"},
		{func(f *Fit) { f.Solver = &SGD{LearningRate: math.NaN()} }, stripes(8, 1), "learning rate NaN"},
		{func(f *Fit) {}, rows{width: 36, per: 1}, "no training data"},
		{func(f *Fit) { f.Best = true }, stripes(8, 1), "need validation data"},
		{func(f *Fit) { f.Validation = rows{width: 36, per: 1} }, stripes(8, 1), "validation after epoch 1: evaluate: no examples"},
		{func(f *Fit) {}, rows{x: make([]float32, 36), y: []float32{2}, width: 36, per: 1}, "epoch 1, step 1: target 2 of example 0"},
		{func(f *Fit) {}, rows{x: make([]float32, 35), y: []float32{1}, width: 35, per: 1}, "35 values"},
		{func(f *Fit) { f.Loss = MeanSquaredError{} }, stripes(8, 1), "8 target values for 8 examples, want 16"},
	} {
		f := good
		c.change(&f)
		_, err := f.Run(context.Background(), convNet(t), c.data)
		wantError(t, err, c.want)
	}
}
