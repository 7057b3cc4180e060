package optim

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// TestUpdate: the step on all Vars as one vector is the step on each, bit for bit, wherever it is cut; it allocates nothing.
func TestUpdate(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, make := range []func() Solver{
		func() Solver { return &SGD{} }, func() Solver { return &SGD{Momentum: 0.9} }, func() Solver { return &SGD{Momentum: 0.9, Nesterov: true} },
		func() Solver { return &Adam{} }, func() Solver { return AdamW(0.1, 0) }, func() Solver { return &RMSprop{} }, func() Solver { return &RMSprop{Momentum: 0.5} },
	} {
		one, all := make(), make()
		a, grads := vars()
		b, _ := vars()
		u := newUpdate(all.(pass), b)
		for step := 1; step <= 3; step++ {
			for i, v := range a {
				one.Step(v, grads[i], 0.1, step)
			}
			u.step(grads, 0.1, step)
		}
		for i, v := range a {
			if !slices.Equal(v.Data, b[i].Data) {
				t.Errorf("%s: %s differs", one.Describe(), v.Name)
			}
		}
		for k, x := range one.State() {
			if !slices.Equal(x, all.State()[k]) {
				t.Errorf("%s: %s differs", one.Describe(), k)
			}
		}
		if n := testing.AllocsPerRun(20, func() { u.step(grads, 0.1, 4) }); n != 0 && !raceDetector { // which makes pools forget
			t.Errorf("%s: %g allocations a step", one.Describe(), n)
		}
	}
}

// vars are Vars of which some are shorter than a vector and some longer than a piece, and gradients.
func vars() (vs []*graph.Var, grads [][]float32) {
	r := rand.New(rand.NewPCG(1, 1))
	numbers := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	for i, n := range []int{3, 50_000, 1, 17, 40_000, 100} {
		vs = append(vs, &graph.Var{Name: fmt.Sprint("v", i), Data: numbers(n), Role: []graph.Role{graph.Weight, graph.Bias}[i%2]})
		grads = append(grads, numbers(n))
	}
	return vs, grads
}
