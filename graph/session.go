package graph

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gorgonia.org/gorgonia"

	"github.com/temper-ml/temper/internal/compute"
)

// Session runs a graph, in one mode, for any batch size: for each size that it meets it makes one Gorgonia expression graph and one tape machine,
// which share the data of the Vars. It is not safe for concurrent use. After a change of the graph's structure make a new Session.
type Session struct {
	g        *Graph
	loss     Loss // nil in an eval session
	predict  *Value
	params   []*Var
	unfused  bool
	private  bool            // no two values share memory
	names    map[string]bool // of the values that stay readable
	memory   arena
	times    *Times // nil: not measured
	programs map[int]*program
	last     *program
}

// NewEval makes a session for inference: dropout passes, BatchNorm uses its moving statistics, quantization ranges stand still.
func NewEval(g *Graph, options ...Option) (*Session, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	s := &Session{g: g, predict: g.Outputs[0], names: map[string]bool{}, programs: map[int]*program{}}
	for _, o := range options {
		o(s)
	}
	return s, nil
}

// NewTrain makes a session that computes the loss of the first output and its gradients by the trainable Vars.
func NewTrain(g *Graph, loss Loss, options ...Option) (*Session, error) {
	s, err := NewEval(g, options...)
	if err != nil {
		return nil, err
	}
	s.loss = loss
	s.predict = logits(s.predict, loss)
	need := needsGradient(g)
	if !need[s.predict] {
		return nil, fmt.Errorf("graph %s: no trainable Var influences the output %s", g.Name, s.predict.Name)
	}
	used := ancestors(s.predict)
	for _, v := range g.Vars {
		if v.Trainable && used[v.Value] && need[v.Value] {
			s.params = append(s.params, v)
		}
	}
	return s, nil
}

// machine is what runs a program: Gorgonia's tape machine.
type machine interface {
	RunAll() error
	Reset()
	Close() error
}

// program is the graph realised for one batch size.
type program struct {
	n      int
	vm     machine
	tape   *tape
	leaves gorgonia.Nodes // of the inputs
	inputs []*buffer
	vars   []argument
	at     map[string]*instance
	order  []*instance
	loss   *lossOp
	sums   []*buffer   // gradients of the session's params, in their order
	grads  [][]float32 // the same
}

// argument is a place where an Op reads a Var.
type argument struct {
	at    *instance
	input int
	v     *Var
}

// Params are the trainable Vars that the loss depends on; Grads are their gradients after Step, in the same order.
func (s *Session) Params() []*Var { return s.params }

// Grads returns the gradients of the last Step, valid until the next; nil before the first.
func (s *Session) Grads() [][]float32 {
	if s.last == nil {
		return nil
	}
	return s.last.grads
}

// Forward runs the network of an eval session on len(x)/volume examples: one slice an input, or one slice in which each example holds all inputs
// one after the other.
func (s *Session) Forward(x ...[]float32) error {
	if s.loss != nil {
		return fmt.Errorf("graph %s: Forward needs an eval session; a training session makes a Step", s.g.Name)
	}
	p, err := s.load(x)
	if err != nil {
		return err
	}
	return s.run(p)
}

// Step runs forward and backward, and returns the mean loss. A loss that is not finite is an error that names the Op where the first value that
// is not finite appeared.
//
// x is as for Forward.
func (s *Session) Step(target []float32, x ...[]float32) (float64, error) {
	if s.loss == nil {
		return 0, fmt.Errorf("graph %s: Step needs a training session", s.g.Name)
	}
	p, err := s.load(x)
	if err != nil {
		return 0, err
	}
	per := s.loss.TargetLen(s.predict.Shape.Volume())
	if len(target) != p.n*per {
		return 0, fmt.Errorf("graph %s: %d target values for %d examples, want %d", s.g.Name, len(target), p.n, p.n*per)
	}
	p.loss.target = target
	if err := s.run(p); err != nil {
		return 0, err
	}
	if l := p.loss.mean; math.IsNaN(l) || math.IsInf(l, 0) {
		return l, fmt.Errorf("the loss is %g; %s", l, s.culprit(p))
	}
	return p.loss.mean, nil
}

// Output returns the i-th output of the last run, examples one after the other, valid until the next run.
func (s *Session) Output(i int) []float32 { return s.Value(s.g.Outputs[i].Name) }

// Prediction is what the loss was computed from: the first output, or its logits.
func (s *Session) Prediction() []float32 { return s.Value(s.predict.Name) }

// Logits returns what a loss is computed from in an eval session: the first output, or for a loss that applies softmax itself, what went into it.
func (s *Session) Logits(l Loss) []float32 {
	return s.Value(logits(s.g.Outputs[0], l).Name)
}

// Value returns an input, a Var, or an Op's output of the last run by name. It is nil for an output that was not computed, or that lies inside a chain
// or whose memory was used again: unless the session is Unfused, only the graph's outputs, Prediction, Logits and what was named as Readable stay.
func (s *Session) Value(name string) []float32 {
	if v := s.g.Var(name); v != nil {
		return v.Data
	}
	if s.last == nil {
		return nil
	}
	for i, v := range s.g.Inputs {
		if v.Name == name {
			return s.last.inputs[i].x
		}
	}
	if at := s.last.at[name]; at != nil && at.y.kept {
		return at.y.x
	}
	return nil
}

// readable tells whether v can be read after a run.
func (s *Session) readable(v *Value) bool {
	return s.unfused || s.names[v.Name] || v == s.predict || s.g.IsOutput(v) || v == logits(s.g.Outputs[0], activated("Softmax")) ||
		v == logits(s.g.Outputs[0], activated("Sigmoid"))
}

// activated stands for any loss that applies that activation itself.
type activated string

func (a activated) Activation() string                  { return string(a) }
func (activated) Forward(_, _ []float32, _ int) float64 { return 0 }
func (activated) Backward(_, _, _ []float32, _ int)     {}
func (activated) TargetLen(int) int                     { return 0 }

// Close releases the machines.
func (s *Session) Close() error {
	var first error
	for _, p := range s.programs {
		if err := p.vm.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.programs = map[int]*program{}
	return first
}

func (s *Session) load(x [][]float32) (*program, error) {
	if len(x) == 1 && len(s.g.Inputs) > 1 {
		return s.loadExamples(x[0])
	}
	if len(x) != len(s.g.Inputs) {
		return nil, fmt.Errorf("graph %s has %d inputs, %d given", s.g.Name, len(s.g.Inputs), len(x))
	}
	n := 0
	for i, v := range s.g.Inputs {
		volume := v.Shape.Volume()
		k := len(x[i]) / volume
		if k == 0 || k*volume != len(x[i]) || i > 0 && k != n {
			return nil, fmt.Errorf("graph %s: input %s of shape %v got %d values, not a multiple of %d for %d examples",
				s.g.Name, v.Name, v.Shape, len(x[i]), volume, max(n, 1))
		}
		n = k
	}
	p, err := s.program(n)
	if err != nil {
		return nil, err
	}
	for i := range x {
		copy(p.inputs[i].x, x[i])
	}
	return p, nil
}

// loadExamples loads examples that hold all inputs one after the other.
func (s *Session) loadExamples(x []float32) (*program, error) {
	each := 0
	for _, v := range s.g.Inputs {
		each += v.Shape.Volume()
	}
	n := len(x) / each
	if n == 0 || n*each != len(x) {
		return nil, fmt.Errorf("graph %s: %d values, not a multiple of %d, the values of its %d inputs together", s.g.Name, len(x), each, len(s.g.Inputs))
	}
	p, err := s.program(n)
	if err != nil {
		return nil, err
	}
	at := 0
	for i, v := range s.g.Inputs {
		volume := v.Shape.Volume()
		for k := range n {
			copy(p.inputs[i].x[k*volume:(k+1)*volume], x[k*each+at:])
		}
		at += volume
	}
	return p, nil
}

// program is the graph realised for n examples, and becomes the last run.
func (s *Session) program(n int) (*program, error) {
	p := s.programs[n]
	if p == nil {
		var err error
		if p, err = s.realize(n); err != nil {
			return nil, fmt.Errorf("graph %s, batch %d: %w", s.g.Name, n, err)
		}
		s.programs[n] = p
	}
	s.last = p
	return p, nil
}

func (s *Session) run(p *program) error {
	for _, a := range p.vars {
		a.at.inBuf[a.input] = a.v.Data
	}
	compute.Begin()
	defer compute.End()
	defer p.vm.Reset()
	if s.times != nil && s.times.On {
		defer func(begin time.Time) { s.times.Step += time.Since(begin) }(time.Now())
	}
	if err := p.vm.RunAll(); err != nil {
		return fmt.Errorf("graph %s: %w", s.g.Name, err)
	}
	return nil
}

// culprit finds where the first number that is not finite came from. A session that runs chains of Ops as one makes the step again with single Ops,
// on a copy of the graph, to name the Op.
func (s *Session) culprit(p *program) string {
	if !s.unfused {
		if u, err := NewTrain(s.g.Clone(), s.loss, Unfused); err == nil {
			defer u.Close()
			if again, err := u.repeat(p); err == nil {
				return u.culprit(again)
			}
		}
	}
	for i, v := range s.g.Inputs {
		if !finite(p.inputs[i].x) {
			return fmt.Sprintf("the input %s holds NaN or Inf", v.Name)
		}
	}
	for _, at := range p.order {
		for _, o := range at.ops {
			for _, v := range o.In {
				if v.Var != nil && v.Var.Role != State && !finite(v.Var.Data) { // states follow the values
					return fmt.Sprintf("the var %s, read by %s, holds NaN or Inf: lower the learning rate or clip the gradients", v.Name, o.Name)
				}
			}
		}
		if !finite(at.y.x) {
			return fmt.Sprintf("%s (%s) made the first NaN or Inf", at.name, at.kind)
		}
	}
	return "all values of the network are finite: the loss itself overflows"
}

// repeat makes the step of another session's program.
func (s *Session) repeat(p *program) (*program, error) {
	var x [][]float32
	for _, in := range p.inputs {
		x = append(x, in.x)
	}
	again, err := s.load(x)
	if err != nil {
		return nil, err
	}
	again.loss.target = p.loss.target
	return again, s.run(again)
}

func finite(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}
