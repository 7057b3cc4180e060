package compute

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// faint makes random values with zeros and denormal numbers among them, and values whose products are denormal.
func faint(r *rand.Rand, n int) []float32 {
	x := random(r, n)
	for i := range x {
		switch r.IntN(6) {
		case 0:
			x[i] *= 1e-40
		case 1:
			x[i] *= 1e-38
		case 2:
			x[i] *= 1e-20
		case 3:
			x[i] = 0
		}
	}
	return x
}

// solverPasses are the passes of the solvers over four arrays, of which the second and third are never negative.
var solverPasses = []struct {
	name string
	f    func(w, a, b, g []float32)
}{
	{"Adam", func(w, a, b, g []float32) { Adam(w, a, b, g, 0.5, 0.1, 0.001, 1e-7, 0.01) }},
	{"Descend", func(w, _, _, g []float32) { Descend(w, g, 0.3) }},
	{"Momentum", func(w, a, _, g []float32) { Momentum(w, a, g, 0.3, 0.9, false) }},
	{"Nesterov", func(w, a, _, g []float32) { Momentum(w, a, g, 0.3, 0.9, true) }},
	{"RMSprop", func(w, a, _, g []float32) { RMSprop(w, a, nil, g, 0.3, 0.9, 1e-7, 0) }},
	{"RMSprop with momentum", func(w, a, b, g []float32) { RMSprop(w, a, b, g, 0.3, 0.9, 1e-7, 0.8) }},
	{"Scale", func(w, _, _, _ []float32) { Scale(w, 0.3) }},
}

// TestSolverPasses: assembly and Go agree bit for bit, denormal numbers included, of which none is left behind.
func TestSolverPasses(t *testing.T) {
	arguments := func(n int) [][]float32 {
		r := rand.New(rand.NewPCG(4, uint64(n)))
		x := [][]float32{faint(r, n), faint(r, n), faint(r, n), faint(r, n)}
		for i := range n {
			x[1][i], x[2][i] = max(x[1][i], -x[1][i]), max(x[2][i], -x[2][i])
		}
		return x
	}
	eachKernel(t, func(t *testing.T) {
		for _, p := range solverPasses {
			for n := range 150 {
				x := arguments(n)
				fenced := []fenced{newFenced(x[0]), newFenced(x[1]), newFenced(x[2]), newFenced(x[3])}
				p.f(fenced[0].x, fenced[1].x, fenced[2].x, fenced[3].x)
				reference := arguments(n)
				best := choice.t
				choice.t = &portable
				p.f(reference[0], reference[1], reference[2], reference[3])
				choice.t = best
				for i, f := range fenced {
					f.check(t, p.name, reference[i])
				}
				if slices.ContainsFunc(fenced[0].x, func(v float32) bool { return v != 0 && v > -smallest && v < smallest }) {
					t.Fatalf("%s: a denormal number is left in w", p.name)
				}
			}
		}
		// The processor's state is as before.
		tiny := float32(math.SmallestNonzeroFloat32)
		if tiny *= rand.Float32() + 2; tiny == 0 {
			t.Fatal("denormal numbers are zero outside of the passes")
		}
	})
}
