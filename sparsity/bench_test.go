package sparsity

import (
	"slices"
	"testing"
)

// BenchmarkUpdate computes a mask of 250,000 weights, beside a full sort of their magnitudes.
func BenchmarkUpdate(b *testing.B) {
	w := normal(250_000, 1)
	mask := make([]float32, len(w))
	b.Run("select", func(b *testing.B) {
		for b.Loop() {
			magnitude(mask, w, 0.8)
		}
	})
	b.Run("sort", func(b *testing.B) {
		for b.Loop() {
			all := make([]float32, len(w))
			for i, v := range w {
				all[i] = abs(v)
			}
			slices.Sort(all)
			keepFrom(mask, w, order(all[200_000]))
		}
	})
	b.Run("2:4", func(b *testing.B) {
		for b.Loop() {
			nm(mask, w, view{1, 500, 500}, 2, 4, 1)
		}
	})
}

// BenchmarkBetweenUpdates is a step without an update.
func BenchmarkBetweenUpdates(b *testing.B) {
	g := smallNet(b)
	p := Prune{Schedule: Constant{Sparsity: 0.5}}
	must(b, p.Apply(g))
	b.ReportAllocs()
	for b.Loop() {
		must(b, p.BeforeStep(g, 5))
	}
}
