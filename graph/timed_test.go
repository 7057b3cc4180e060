package graph

import "testing"

// TestTimed: every stage of the plan is timed, forward and backward, once for all batch sizes; off and reset, nothing is added; the step is the same bits.
func TestTimed(t *testing.T) {
	var times Times
	g := chains(t)
	timed, err := NewTrain(g, squares{}, Timed(&times))
	if err != nil {
		t.Fatal(err)
	}
	defer timed.Close()
	plain := trainer(t, chains(t), squares{})
	run := func(n int) {
		t.Helper()
		x, target := normal(n*12*8*3, 4), normal(n*5, 5)
		if a, b := step(t, timed, 0.01, target, x), step(t, plain, 0.01, target, x); a != b {
			t.Errorf("loss %g timed, %g not", a, b)
		}
	}
	run(3)
	stages := len(timed.plan())
	if len(times.Stages) != stages || times.Step != 0 {
		t.Fatalf("%d stages for %d of the plan, %v measured while off", len(times.Stages), stages, times.Step)
	}
	times.On = true
	run(3)
	run(2)
	if len(times.Stages) != stages {
		t.Errorf("%d stages after another batch size, want %d", len(times.Stages), stages)
	}
	sum := times.Step
	for _, s := range times.Stages {
		if s.Forward <= 0 || s.Backward <= 0 {
			t.Errorf("%s: forward %v, backward %v", s.Ops[0].Name, s.Forward, s.Backward)
		}
		sum -= s.Forward + s.Backward
	}
	if sum < 0 {
		t.Errorf("the stages took %v longer than the steps", -sum)
	}
	times.Reset()
	for _, s := range times.Stages {
		if s.Forward+s.Backward+times.Step != 0 {
			t.Error("times after Reset")
		}
	}
}
