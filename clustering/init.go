package clustering

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// Init is how the first centroids are found.
type Init string

// The initialisations. Linear and density-based ones are TFMOT's, to the bit on the float grid.
const (
	Linear         Init = "linear"    // evenly between the smallest and the largest weight
	Random         Init = "random"    // uniformly at random between them
	Density        Init = "density"   // where the cumulative distribution of the weights takes even values
	KMeansPlusPlus Init = "k-means++" // Arthur and Vassilvitskii (2007), then Lloyd steps until nothing changes
)

// Inits are all initialisations.
var Inits = []Init{Linear, Random, Density, KMeansPlusPlus}

// centroids returns n centroids of x. With zero there is one more, 0, that is not among them: the others are shared out to negative and positive weights in
// proportion to their numbers (TFMOT).
func (k Init) centroids(x []float32, n int, zero bool, r *rand.Rand) []float32 {
	if !zero {
		return k.interval(x, n, false, r)
	}
	var negative, positive []float32
	for _, v := range x {
		if v < 0 {
			negative = append(negative, v)
		} else if v > 0 {
			positive = append(positive, v)
		}
	}
	all := len(negative) + len(positive)
	if all == 0 {
		return make([]float32, n)
	}
	m := int(math.RoundToEven(float64(n) * (float64(len(negative)) / float64(all))))
	return append(k.interval(negative, m, true, r), k.interval(positive, n-m, true, r)...)
}

// interval returns n centroids of x; zero tells that 0 is apart.
func (k Init) interval(x []float32, n int, zero bool, r *rand.Rand) []float32 {
	if n <= 0 {
		return nil
	}
	lo, hi := slices.Min(x), slices.Max(x)
	switch k {
	case Random:
		c := make([]float32, n)
		for i := range c {
			c[i] = lo + float32(r.Float32()*(hi-lo))
		}
		slices.Sort(c)
		return c
	case Density:
		return density(x, lo, hi, n, zero)
	case KMeansPlusPlus:
		return kMeans(x, n, r)
	}
	return linspace(lo, hi, n)
}

// linspace is TensorFlow's: lo + i*(hi-lo)/(n-1) in float32, with hi itself at the end.
func linspace(lo, hi float32, n int) []float32 {
	x := make([]float32, n)
	step := (hi - lo) / float32(max(n-1, 1))
	for i := range x {
		x[i] = lo + float32(step*float32(i))
	}
	if n > 1 {
		x[n-1] = hi
	}
	return x
}

// gridPoints is how often TFMOT looks at the cumulative distribution.
const gridPoints = 30

// density is TFMOT's: for each of n even probabilities the first grid point at which the cumulative distribution is larger. What is written as an
// interpolation there solves for the grid point itself, up to rounding; it is repeated in the same steps.
func density(x []float32, lo, hi float32, n int, zero bool) []float32 {
	gap := float32(0.01)
	if zero {
		gap = min(gap, min(abs(lo), abs(hi))/2)
	}
	grid, cdf := linspace(lo-gap, hi+gap, gridPoints), make([]float32, gridPoints)
	for i, g := range grid {
		count := 0
		for _, v := range x {
			if v <= g {
				count++
			}
		}
		cdf[i] = float32(count) / float32(len(x))
	}
	c := linspace(0.01, 1, n)
	for i, p := range c {
		at := min(sort.Search(gridPoints, func(j int) bool { return cdf[j] > p }), gridPoints-1)
		before := max(0, at-1)
		x1, y1, x2, y2 := grid[at], cdf[at], grid[before], cdf[before]
		c[i] = x1
		if y1 != y2 {
			slope := (y2 - y1) / max(x2-x1, 0.001)
			c[i] = (y1 - (y1 - float32(x1*slope))) / slope
		}
	}
	return c
}

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// lloydSteps bounds the iterations of k-means; in one dimension it converges in a few dozen.
const lloydSteps = 100

// kMeans draws centroids with probability in proportion to the squared distance from those before, then moves each to the mean of its members.
func kMeans(x []float32, n int, r *rand.Rand) []float32 {
	c := seeds(x, n, r)
	sorted := slices.Sorted(slices.Values(x))
	sums := make([]float64, len(x)+1)
	for i, v := range sorted {
		sums[i+1] = sums[i] + float64(v)
	}
	for range lloydSteps {
		slices.Sort(c)
		moved, from := false, 0
		for i := range c {
			to := len(sorted)
			if i+1 < len(c) {
				middle := c[i] + (c[i+1]-c[i])/2
				to = max(from, sort.Search(len(sorted), func(j int) bool { return sorted[j] > middle }))
			}
			if to > from {
				mean := float32((sums[to] - sums[from]) / float64(to-from))
				moved = moved || mean != c[i]
				c[i] = mean
			}
			from = to
		}
		if !moved {
			break
		}
	}
	return c
}

// seeds are the first centroids of k-means++.
func seeds(x []float32, n int, r *rand.Rand) []float32 {
	c := []float32{x[r.IntN(len(x))]}
	far := make([]float64, len(x))
	for i := range far {
		far[i] = math.Inf(1)
	}
	for len(c) < n {
		last, sum := float64(c[len(c)-1]), 0.0
		for i, v := range x {
			d := float64(v) - last
			far[i] = min(far[i], d*d)
			sum += far[i]
		}
		if !(sum > 0) { // fewer distinct weights than centroids
			c = append(c, c[0])
			continue
		}
		at, left := 0, r.Float64()*sum
		for at < len(x)-1 && left >= far[at] {
			left -= far[at]
			at++
		}
		c = append(c, x[at])
	}
	return c
}
