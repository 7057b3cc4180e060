package compute

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestDropout: every kernel draws the numbers of the definition, wherever a piece begins.
func TestDropout(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for n := range 300 {
			d := NewDrop(r.Uint64(), r.Float32())
			x, first := special(r, n), r.IntN(1<<33)
			y, want := newFenced(make([]float32, n)), make([]float32, n)
			for i, v := range x {
				if k := d.Draw(first + i); k != 0 {
					want[i] = v * k
				}
			}
			Dropout(y.x, x, first, d)
			y.check(t, "Dropout", want)
		}
		x, d := random(r, 2*stretch+100), NewDrop(5, 0.5)
		whole, parts := make([]float32, len(x)), make([]float32, len(x))
		Dropout(whole, x, 7, d)
		for _, cut := range [][2]int{{0, 13}, {13, stretch + 50}, {stretch + 50, len(x)}} {
			Dropout(parts[cut[0]:cut[1]], x[cut[0]:cut[1]], 7+cut[0], d)
		}
		newFenced(parts).check(t, "in parts", whole)
	})
}

// TestDropIsRandom: the share that is dropped is the rate, and what is dropped does not depend on the neighbours, on the same place of other streams, or on
// the place a power of two away: each count within 5 standard deviations.
func TestDropIsRandom(t *testing.T) {
	const n = 1 << 16
	for _, rate := range []float32{0.1, 0.5, 0.8} {
		var last []bool
		for key := uint64(0); key < 64; key++ {
			for _, k := range []uint64{key, key << 32, key * 0x9e3779b97f4a7c15} {
				d := NewDrop(k, rate)
				dropped := make([]bool, n)
				for i := range dropped {
					dropped[i] = d.Draw(i) == 0
				}
				count := func(what string, p float64, both func(i int) bool) {
					got := 0
					for i := range n {
						if both(i) {
							got++
						}
					}
					if e := (float64(got) - n*p) / math.Sqrt(n*p*(1-p)); math.Abs(e) > 5 {
						t.Errorf("rate %g, key %#x: %s: %d of %d, %.1f standard deviations off", rate, k, what, got, n, e)
					}
				}
				p := float64(rate)
				count("dropped", p, func(i int) bool { return dropped[i] })
				for _, gap := range []int{1, 2, 16, 64, 1024, 12544} {
					count("dropped with a neighbour", p*p, func(i int) bool { return dropped[i] && dropped[(i+gap)%n] })
				}
				if last != nil && key > 0 {
					count("dropped in two streams", p*p, func(i int) bool { return dropped[i] && last[i] })
				}
				last = dropped
			}
		}
	}
}
