package graph

import "time"

// Times collects where the steps of a session go. A session made with the option Timed adds to it while On is set; without the option nothing is
// measured and nothing is spent.
type Times struct {
	On     bool
	Step   time.Duration // in Session.Step or Forward, all of it: the loss, Gorgonia's machine, and copying the inputs too
	Stages []*StageTime  // in order of execution; the first batch size of the session adds them
}

// StageTime is the time of what a session runs as one: an Op, or a chain of Ops (see Session.Plan).
type StageTime struct {
	Ops               []*Op
	Forward, Backward time.Duration // Backward holds the sum of the gradients of a value that several Ops read
	on                *bool
}

// Timed makes a session add its times to t.
func Timed(t *Times) Option { return func(s *Session) { s.times = t } }

// Reset begins anew, with the same stages.
func (t *Times) Reset() {
	t.Step = 0
	for _, s := range t.Stages {
		s.Forward, s.Backward = 0, 0
	}
}

// stage is where the times of a stage are added: the same for all batch sizes. nil where nothing is measured.
func (t *Times) stage(st stage) *StageTime {
	if t == nil {
		return nil
	}
	for _, s := range t.Stages {
		if s.Ops[0] == st[0] {
			return s
		}
	}
	s := &StageTime{Ops: st, on: &t.On}
	t.Stages = append(t.Stages, s)
	return s
}

// begin is the clock, zero where nothing is measured.
func (s *StageTime) begin() (t time.Time) {
	if s != nil && *s.on {
		t = time.Now()
	}
	return t
}

func (s *StageTime) forward(begin time.Time) {
	if !begin.IsZero() {
		s.Forward += time.Since(begin)
	}
}

func (s *StageTime) backward(begin time.Time) {
	if !begin.IsZero() {
		s.Backward += time.Since(begin)
	}
}
