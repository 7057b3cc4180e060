package optim

import (
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/compute"
)

// update makes a solver's steps on all Vars as one pass over one long vector: the Vars one after the other, with gradients and moments beside them. The
// vector is cut into pieces for the threads where it is long enough, whatever the borders of the Vars.
type update struct {
	vars    []*graph.Var
	solver  pass
	start   []int // of each Var in the vector; the last is the length
	moments [][2][]float32
	grads   [][]float32
	numbers []numbers
	run     func(lo, hi int)
}

// updateGrain is the length of a piece that is worth another thread: some microseconds.
const updateGrain = 1 << 14

func newUpdate(s pass, vars []*graph.Var) *update {
	u := &update{vars: vars, solver: s, start: []int{0}, moments: make([][2][]float32, len(vars)), numbers: make([]numbers, len(vars))}
	for i, v := range vars {
		for k, kind := range s.kinds() {
			u.moments[i][k] = s.of(kind, v)
		}
		u.start = append(u.start, u.start[i]+len(v.Data))
	}
	u.run = u.piece
	return u
}

// step makes step number step, from 1.
func (u *update) step(grads [][]float32, rate float64, step int) {
	u.grads = grads
	for i, v := range u.vars {
		u.numbers[i] = u.solver.numbers(v.Role, rate, step)
	}
	compute.Parallel(u.start[len(u.vars)], updateGrain, u.run)
}

// piece makes the step on [lo, hi) of the vector.
func (u *update) piece(lo, hi int) {
	for i, v := range u.vars {
		from, to := max(lo-u.start[i], 0), min(hi-u.start[i], len(v.Data))
		if from >= to {
			continue
		}
		var m [2][]float32
		for k, x := range u.moments[i] {
			if x != nil {
				m[k] = x[from:to]
			}
		}
		u.solver.apply(&u.numbers[i], v.Data[from:to], u.grads[i][from:to], m)
	}
}
