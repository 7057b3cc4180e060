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
type moments struct {
	m   map[string][]float32
	now numbers // of the Var whose step is made
}

func (s *moments) scratch() *numbers { return &s.now }

func (s *moments) State() map[string][]float32 {
	if s.m == nil {
		s.m = map[string][]float32{}
	}
	return s.m
}

// of returns the array of that kind for a Var.
func (s *moments) of(kind string, v *graph.Var) []float32 {
	x := s.m[kind+"/"+v.Name]
	if len(x) != len(v.Data) {
		x = make([]float32, len(v.Data))
		s.State()[kind+"/"+v.Name] = x
	}
	return x
}

// pass is a step of one of this package's solvers as an element-wise pass, which can be made on any part of a Var: apply gets the parts of the Var, of
// its gradient and of its moments, in the order of kinds, and the numbers of the step.
type pass interface {
	Solver
	kinds() []string
	numbers(role graph.Role, rate float64, step int) numbers
	apply(n *numbers, w, grad []float32, moments [2][]float32)
	of(kind string, v *graph.Var) []float32
	scratch() *numbers
}

type numbers [5]float32

// stepOne makes the step of one Var.
func stepOne(p pass, v *graph.Var, grad []float32, rate float64, step int) {
	var m [2][]float32
	for i, kind := range p.kinds() {
		m[i] = p.of(kind, v)
	}
	n := p.scratch()
	*n = p.numbers(v.Role, rate, step)
	p.apply(n, v.Data, grad, m)
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
func (s *SGD) Step(v *graph.Var, grad []float32, rate float64, step int) {
	stepOne(s, v, grad, rate, step)
}

func (s *SGD) kinds() []string {
	if s.Momentum == 0 {
		return nil
	}
	return velocityKinds[1:]
}

func (s *SGD) numbers(_ graph.Role, rate float64, _ int) numbers {
	return numbers{float32(rate), float32(s.Momentum)}
}

func (s *SGD) apply(n *numbers, w, grad []float32, m [2][]float32) {
	if s.Momentum == 0 {
		compute.Descend(w, grad, n[0])
		return
	}
	compute.Momentum(w, m[0], grad, n[0], n[1], s.Nesterov)
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
	stepOne(a, v, grad, rate, step)
}

func (*Adam) kinds() []string { return adamKinds }

var (
	adamKinds     = []string{"m", "v"}
	velocityKinds = []string{"v", "velocity"}
)

func (a *Adam) numbers(role graph.Role, rate float64, step int) numbers {
	b1, b2 := orDefault(a.Beta1, 0.9), orDefault(a.Beta2, 0.999)
	alpha := float32(rate * math.Sqrt(1-math.Pow(b2, float64(step))) / (1 - math.Pow(b1, float64(step))))
	decay := float32(0)
	if role == graph.Weight {
		decay = float32(rate * a.WeightDecay)
	}
	return numbers{alpha, float32(1 - b1), float32(1 - b2), float32(orDefault(a.Epsilon, 1e-7)), decay}
}

func (*Adam) apply(n *numbers, w, grad []float32, m [2][]float32) {
	compute.Adam(w, m[0], m[1], grad, n[0], n[1], n[2], n[3], n[4])
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
func (r *RMSprop) Step(v *graph.Var, grad []float32, rate float64, step int) {
	stepOne(r, v, grad, rate, step)
}

func (r *RMSprop) kinds() []string {
	if r.Momentum == 0 {
		return velocityKinds[:1]
	}
	return velocityKinds
}

func (r *RMSprop) numbers(_ graph.Role, rate float64, _ int) numbers {
	return numbers{float32(rate), float32(orDefault(r.Rho, 0.9)), float32(orDefault(r.Epsilon, 1e-7)), float32(r.Momentum)}
}

func (*RMSprop) apply(n *numbers, w, grad []float32, m [2][]float32) {
	compute.RMSprop(w, m[0], m[1], grad, n[0], n[1], n[2], n[3])
}

func orDefault(x, standard float64) float64 {
	if x == 0 {
		return standard
	}
	return x
}
