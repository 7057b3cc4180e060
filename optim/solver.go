package optim

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/compute"
)

// Solver updates Vars by their gradients. Its state is kept by the name of the Var, so that it survives a change of the graph, and is part of the
// checkpoint.
type Solver interface {
	// Step updates v in place. rate is the learning rate of this step; step counts from 1.
	Step(v *graph.Var, grad []float32, rate float64, step int)
	// Rate is the solver's learning rate, which a schedule multiplies.
	Rate() float64
	// State holds the moments, each of the length of its Var, under KIND/NAME of the Var; it is the solver's own memory.
	State() map[string][]float32
	// Describe names the solver with its settings, the learning rate too: two solvers with the same description go on from one another's state.
	Describe() string
}

// moments keeps arrays by name.
type moments struct{ m map[string][]float32 }

func (s *moments) State() map[string][]float32 {
	if s.m == nil {
		s.m = map[string][]float32{}
	}
	return s.m
}

func (s *moments) of(kind string, v *graph.Var) []float32 {
	m := s.State()
	key := kind + "/" + v.Name
	x := m[key]
	if len(x) != len(v.Data) {
		x = make([]float32, len(v.Data))
		m[key] = x
	}
	return x
}

// SGD is gradient descent, with momentum: velocity = Momentum*velocity - rate*grad; w += velocity, or with Nesterov
// w += Momentum*velocity - rate*grad (Keras SGD).
type SGD struct {
	LearningRate float64 // default 0.01
	Momentum     float64
	Nesterov     bool
	moments
}

// Rate implements Solver.
func (s *SGD) Rate() float64 { return orDefault(s.LearningRate, 0.01) }

// Describe implements Solver.
func (s *SGD) Describe() string {
	return fmt.Sprintf("sgd rate=%g momentum=%g nesterov=%t", s.Rate(), s.Momentum, s.Nesterov)
}

// Step implements Solver.
func (s *SGD) Step(v *graph.Var, grad []float32, rate float64, _ int) {
	r, m := float32(rate), float32(s.Momentum)
	if m == 0 {
		for i, g := range grad {
			v.Data[i] -= r * g
		}
		return
	}
	vel := s.of("velocity", v)
	for i, g := range grad {
		d := float32(r * g)
		vel[i] = float32(m*vel[i]) - d
		if s.Nesterov {
			v.Data[i] += float32(m*vel[i]) - d
		} else {
			v.Data[i] += vel[i]
		}
	}
}

// Adam is Kingma and Ba's method (2015), as in Keras: rate*sqrt(1-beta2^t)/(1-beta1^t) * m/(sqrt(v)+Epsilon). With WeightDecay it is AdamW (Loshchilov
// and Hutter, 2019): weights, and only Vars of role graph.Weight, shrink by rate*WeightDecay first.
type Adam struct {
	LearningRate float64 // default 0.001
	Beta1, Beta2 float64 // default 0.9, 0.999
	Epsilon      float64 // default 1e-7
	WeightDecay  float64
	moments
}

// AdamW is Adam with decoupled weight decay, 0.004 unless given (Keras AdamW).
func AdamW(rate, decay float64) *Adam {
	return &Adam{LearningRate: rate, WeightDecay: orDefault(decay, 0.004)}
}

// Rate implements Solver.
func (a *Adam) Rate() float64 { return orDefault(a.LearningRate, 0.001) }

// Describe implements Solver.
func (a *Adam) Describe() string {
	return fmt.Sprintf("adam rate=%g beta1=%g beta2=%g epsilon=%g decay=%g",
		a.Rate(), orDefault(a.Beta1, 0.9), orDefault(a.Beta2, 0.999), orDefault(a.Epsilon, 1e-7), a.WeightDecay)
}

// Step implements Solver.
func (a *Adam) Step(v *graph.Var, grad []float32, rate float64, step int) {
	b1, b2 := orDefault(a.Beta1, 0.9), orDefault(a.Beta2, 0.999)
	alpha := float32(rate * math.Sqrt(1-math.Pow(b2, float64(step))) / (1 - math.Pow(b1, float64(step))))
	m, s := a.of("m", v), a.of("v", v)
	c1, c2, eps := float32(1-b1), float32(1-b2), float32(orDefault(a.Epsilon, 1e-7))
	decay := float32(0)
	if v.Role == graph.Weight {
		decay = float32(rate * a.WeightDecay)
	}
	compute.Adam(v.Data, m, s, grad, alpha, c1, c2, eps, decay)
}

// RMSprop divides the gradient by a moving average of its magnitude (Tieleman and Hinton, 2012), as in Keras.
type RMSprop struct {
	LearningRate float64 // default 0.001
	Rho          float64 // default 0.9
	Momentum     float64
	Epsilon      float64 // default 1e-7
	moments
}

// Rate implements Solver.
func (r *RMSprop) Rate() float64 { return orDefault(r.LearningRate, 0.001) }

// Describe implements Solver.
func (r *RMSprop) Describe() string {
	return fmt.Sprintf("rmsprop rate=%g rho=%g momentum=%g epsilon=%g", r.Rate(), orDefault(r.Rho, 0.9), r.Momentum, orDefault(r.Epsilon, 1e-7))
}

// Step implements Solver.
func (r *RMSprop) Step(v *graph.Var, grad []float32, rate float64, _ int) {
	rho, eps, mom, lr := float32(orDefault(r.Rho, 0.9)), float32(orDefault(r.Epsilon, 1e-7)), float32(r.Momentum), float32(rate)
	s := r.of("v", v)
	var vel []float32
	if mom > 0 {
		vel = r.of("velocity", v)
	}
	for i, g := range grad {
		s[i] = float32(rho*s[i]) + float32((1-rho)*float32(g*g))
		d := float32(lr*g) / sqrt(s[i]+eps)
		if vel != nil {
			vel[i] = float32(mom*vel[i]) + d
			d = vel[i]
		}
		v.Data[i] -= d
	}
}

func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func orDefault(x, standard float64) float64 {
	if x == 0 {
		return standard
	}
	return x
}
