package mlw

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// random makes streams of many kinds: few values, runs of zeros, values that change on the way, extremes.
func random(r *rand.Rand) []int16 {
	w := make([]int16, r.IntN(3000))
	spread, zeros, kinds := 1+r.IntN(255), r.IntN(100), 1+r.IntN(40)
	table := make([]int16, kinds)
	for i := range table {
		table[i] = int16(r.IntN(2*spread+1) - spread)
	}
	few := r.IntN(2) == 0
	for i := range w {
		if r.IntN(400) == 0 {
			few, zeros, spread = r.IntN(2) == 0, r.IntN(100), 1+r.IntN(255)
		}
		switch {
		case r.IntN(100) < zeros:
		case few:
			w[i] = table[r.IntN(kinds)]
		default:
			w[i] = int16(max(-255, min(255, r.NormFloat64()*float64(spread)/3)))
		}
	}
	return w
}

func roundTrip(t *testing.T, w []int16) {
	t.Helper()
	b, err := Encode(w)
	if err != nil {
		t.Fatal(err)
	}
	if len(b)%16 != 0 {
		t.Fatalf("%d bytes", len(b))
	}
	got, err := Decode(b, len(w))
	if err != nil {
		t.Fatalf("%d weights: %v", len(w), err)
	}
	if !slices.Equal(got, w) {
		t.Fatalf("%d weights became %d, or others", len(w), len(got))
	}
}

func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		roundTrip(t, random(r))
	}
	roundTrip(t, nil)
	for _, n := range []int{1, 2, 11, 12, 13, 40000} {
		roundTrip(t, make([]int16, n)) // zeros only
		same := make([]int16, n)
		for i := range same {
			same[i] = -255
		}
		roundTrip(t, same)
		same[n/2] = 255
		roundTrip(t, same)
	}
	many := make([]int16, 100000)
	for i := range many {
		many[i] = int16(r.IntN(511) - 255)
	}
	roundTrip(t, many)
}

// TestSize: the bits that the search counts are those that are written.
func TestSize(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		w := random(r)
		if len(w) == 0 {
			continue
		}
		values := make([]uint16, len(w))
		for i, v := range w {
			if values[i] = uint16(v) << 1; v < 0 {
				values[i] = uint16(-v)<<1 | 1
			}
		}
		s := bestSection(values)
		var out writer
		s.write(&out)
		if got := 8*len(out.data) + out.have; got != s.bits {
			t.Fatalf("%d bits are written, %d were counted", got, s.bits)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, w := range []int16{-256, 256} {
		if _, err := Encode([]int16{0, w}); err == nil {
			t.Errorf("%d is encoded", w)
		}
	}
}
