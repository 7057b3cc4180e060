package fakequant

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/temper-ml/temper/fakequant/quant"
)

// observe shows batches to an observer, twice where it asks.
func observe(o Observer, batches ...[]float32) quant.Range {
	s := o.New()
	for _, b := range batches {
		s.Observe(b)
	}
	if s.Second() {
		for _, b := range batches {
			s.Observe(b)
		}
	}
	return s.Range()
}

// ramp is 0, 1, ..., n-1.
func ramp(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	return x
}

func TestObservers(t *testing.T) {
	outlier := append(ramp(1000), 1e6)
	for _, c := range []struct {
		name    string
		o       Observer
		batches [][]float32
		want    quant.Range
		within  float64
	}{
		{"smallest and largest of all", MinMax{}, [][]float32{{1, 2}, {-3, 0}, {5, 4}}, quant.Range{Min: -3, Max: 5}, 0},
		{"the first batch counts, not zero", MinMax{}, [][]float32{{3, 4}}, quant.Range{Min: 3, Max: 4}, 0},
		{"moving average from the first batch", MovingAverage{Momentum: 0.5}, [][]float32{{-4, 4}, {0, 8}, {-2, 2}}, quant.Range{Min: -2, Max: 4}, 0},
		{"default momentum 0.9", MovingAverage{}, [][]float32{{-1, 1}, {-1, 2}}, quant.Range{Min: -1, Max: 1.1}, 1e-6},
		{"all values", Percentile{P: 100}, [][]float32{ramp(1000)}, quant.Range{Max: 999}, 0},
		{"half a percent at either end", Percentile{P: 99}, [][]float32{ramp(5000), ramp(10000)[5000:]}, quant.Range{Min: 50, Max: 9950}, 10},
		{"half of all", Percentile{P: 50.0001}, [][]float32{ramp(10000)}, quant.Range{Min: 2500, Max: 7500}, 10},
		{"one outlier of 1001 is left out", Percentile{P: 99.8}, [][]float32{outlier}, quant.Range{Max: 1e6 / bins * 3}, 1e6 / bins * 3},
		{"a constant", Percentile{}, [][]float32{{2, 2}}, quant.Range{Min: 2, Max: 2}, 0},
		{"a constant", MSE{}, [][]float32{{2, 2}}, quant.Range{Min: 2, Max: 2}, 0},
		{"even values need the whole range", MSE{}, [][]float32{ramp(4096)}, quant.Range{Max: 4095}, 0},
		{"two values at the ends", MSE{}, [][]float32{{-1, 1}}, quant.Range{Min: -1, Max: 1}, 0.1},
	} {
		got := observe(c.o, c.batches...)
		if math.Abs(float64(got.Min-c.want.Min)) > c.within || math.Abs(float64(got.Max-c.want.Max)) > c.within {
			t.Errorf("%s: %T finds %v, want %v within %g", c.name, c.o, got, c.want, c.within)
		}
	}
}

// squaredError is what MSE promises to make small, from the values themselves.
func squaredError(x []float32, r quant.Range) float64 {
	n := quant.Nudge(r.WithZero(), quant.Levels{Bits: 8})
	sum := 0.0
	for _, v := range x {
		d := float64(n.Apply(v) - v)
		sum += d * d
	}
	return sum / float64(len(x))
}

// TestLeastSquares compares the histogram's choice with a search over the values: long tails are clipped, and zeros, which have no error, do not
// ask for a finer step (they did, after every ReLU).
func TestLeastSquares(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	tail, relu, one := make([]float32, 20000), make([]float32, 20000), make([]float32, 20000)
	for i := range tail {
		tail[i] = float32(r.NormFloat64() * r.ExpFloat64() * r.ExpFloat64())
		if r.IntN(50) == 0 {
			relu[i] = r.Float32()
		}
		one[i] = float32(math.Abs(r.NormFloat64()))
	}
	relu[0] = 4
	for name, x := range map[string][]float32{"long tails": tail, "mostly zeros": relu, "one-sided": one} {
		all := extent(x)
		best := math.Inf(1)
		for a := range 20 {
			for b := range 20 {
				clipped := quant.Range{Min: all.Min * (1 - float32(a)/40), Max: all.Max * (1 - float32(b)/40)}
				best = min(best, squaredError(x, clipped))
			}
		}
		got := observe(MSE{}, x)
		if e := squaredError(x, got); e > 1.05*best {
			t.Errorf("%s: range %v of %v has the error %g, possible is %g", name, got, all, e, best)
		}
	}
	if got, all := observe(MSE{}, tail), extent(tail); got.Max >= all.Max || got.Min <= all.Min {
		t.Errorf("long tails: %v is not clipped: %v", all, got)
	}
}
