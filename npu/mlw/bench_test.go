package mlw

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkEncode: weights of a normal distribution, half of them pruned.
func BenchmarkEncode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	w := make([]int16, 36864)
	for i := range w {
		if r.IntN(2) == 0 {
			w[i] = int16(max(-127, min(127, r.NormFloat64()*40)))
		}
	}
	b.SetBytes(int64(len(w)))
	for b.Loop() {
		if _, err := Encode(w); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	w := make([]int16, 36864)
	for i := range w {
		w[i] = int16(max(-127, min(127, r.NormFloat64()*40)))
	}
	s, err := Encode(w)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(w)))
	for b.Loop() {
		if _, err := Decode(s, len(w)); err != nil {
			b.Fatal(err)
		}
	}
}
