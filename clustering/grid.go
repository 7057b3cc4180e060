package clustering

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
)

// gridFit finds codes and scales on the int8 grid: integers that all channels share, and for each channel the scale, so that the squared error of
// scale*code is small. Given codes and scales each weight goes to the nearest code; given these associations the best code is a weighted mean, and the
// best scale of a channel is <w,code>/<code,code>. The three steps alternate, from several starts: a channel's range is first
// its largest weight, or some standard deviations, where outliers would stretch the grid.
//
// One code is always 0: the weight streams of an NPU are padded with zeros, and these cost least where 0 is among the codes.
type gridFit struct {
	x          []float32
	scales     int  // channels of the last dimension with a scale each, or 1
	n          int  // codes, without 0
	apart      bool // only weights that are zero go to 0
	init       Init
	r          *rand.Rand
	importance []float64 // of the channels' errors; nil: all the same

	unit   []float64 // of a channel: what the centroid 1 stands for
	book   []float64 // centroids without 0, in units, ascending
	member []int     // the centroid of each weight, or atZero
}

// gridCodes is the largest code of the int8 grid.
const gridCodes = 127

const atZero = -1

// starts are the first ranges that are tried, in standard deviations of a channel's weights; 0 is the largest weight.
var starts = []float64{0, 2, 2.5, 3, 4}

// alternate stops when the error falls by less than a part of it: soon for all starts, and later again for the best of them.
const (
	roughly      = 1e-3
	closely      = 1e-6
	alternations = 60
)

// run returns the codebook without 0, as parts of the range, and the range of each channel.
func (f *gridFit) run() (book, ranges []float32) {
	if f.importance == nil {
		f.importance = slices.Repeat([]float64{1}, f.scales)
	}
	f.member = make([]int, len(f.x))
	best := math.Inf(1)
	var unit, centroids []float64
	for _, deviations := range starts {
		f.start(deviations)
		f.alternate(roughly)
		if e := f.error(); e < best || unit == nil {
			best, unit, centroids = e, slices.Clone(f.unit), slices.Clone(f.book)
		}
	}
	f.unit, f.book = unit, centroids
	f.alternate(closely)
	f.round()
	return floats(f.book), floats(f.unit)
}

func floats(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// start sets the units, and the codebook of the initialisation for weights in units.
func (f *gridFit) start(deviations float64) {
	f.unit = f.extents(deviations)
	z := make([]float32, len(f.x))
	for i, v := range f.x {
		z[i] = float32(min(max(float64(v)/f.unit[i%f.scales], -1), 1))
	}
	var first []float32
	if f.apart {
		first = f.init.centroids(z, f.n, true, f.r)
	} else {
		first = f.init.centroids(z, f.n+1, false, f.r)
		nearest := 0
		for i, v := range first {
			if abs(v) < abs(first[nearest]) {
				nearest = i
			}
		}
		first = slices.Delete(first, nearest, nearest+1) // 0 in its place
	}
	slices.Sort(first)
	f.book = f.book[:0]
	for _, v := range first {
		f.book = append(f.book, float64(v))
	}
}

// extents are the largest weights of the channels, or so many standard deviations where that is less. A channel of zeros gets the largest of all, for
// it may grow.
func (f *gridFit) extents(deviations float64) []float64 {
	most, square, count := make([]float64, f.scales), make([]float64, f.scales), make([]float64, f.scales)
	for i, v := range f.x {
		if c, w := i%f.scales, float64(v); w != 0 {
			most[c] = max(most[c], math.Abs(w))
			square[c] += w * w
			count[c]++
		}
	}
	largest := slices.Max(most)
	if largest == 0 {
		largest = 1
	}
	for c := range most {
		if most[c] == 0 {
			most[c] = largest
		} else if deviations > 0 {
			most[c] = min(most[c], deviations*math.Sqrt(square[c]/count[c]))
		}
	}
	return most
}

// alternate improves associations, codebook and units in turn.
func (f *gridFit) alternate(least float64) {
	last := math.Inf(1)
	for range alternations {
		f.associate()
		f.centroids()
		f.units()
		e := f.error()
		if e >= last*(1-least) {
			break
		}
		last = e
	}
}

// associate finds the nearest centroid of each weight.
func (f *gridFit) associate() {
	negative := sort.SearchFloat64s(f.book, 0)
	entries := slices.Clone(f.book)
	if !f.apart {
		entries = slices.Insert(entries, negative, 0)
	}
	limits := make([]float64, len(entries)-1)
	for i := range limits {
		limits[i] = (entries[i] + entries[i+1]) / 2
	}
	for i, v := range f.x {
		m := sort.SearchFloat64s(limits, float64(v)/f.unit[i%f.scales])
		switch {
		case v == 0 || !f.apart && m == negative:
			m = atZero
		case !f.apart && m > negative:
			m--
		}
		f.member[i] = m
	}
}

// value is what a centroid stands for, in units.
func (f *gridFit) value(member int) float64 {
	if member == atZero {
		return 0
	}
	return f.book[member]
}

// centroids moves each to the mean of its members, which count by the square of their unit and their importance. They stay in order.
func (f *gridFit) centroids() {
	sum, weight := make([]float64, len(f.book)), make([]float64, len(f.book))
	for i, m := range f.member {
		if m != atZero {
			c := i % f.scales
			a := f.importance[c] * f.unit[c]
			sum[m] += a * float64(f.x[i])
			weight[m] += a * f.unit[c]
		}
	}
	for i, w := range weight {
		if w > 0 {
			f.book[i] = sum[i] / w
		}
	}
}

// units makes each channel's the best for its codes.
func (f *gridFit) units() {
	dot, square := make([]float64, f.scales), make([]float64, f.scales)
	for i, m := range f.member {
		v := f.value(m)
		dot[i%f.scales] += float64(f.x[i]) * v
		square[i%f.scales] += v * v
	}
	for c, d := range dot {
		if d > 0 && square[c] > 0 {
			f.unit[c] = d / square[c]
		}
	}
}

// error is the squared error over all weights.
func (f *gridFit) error() float64 {
	e := 0.0
	for i, m := range f.member {
		c := i % f.scales
		d := float64(f.x[i]) - f.value(m)*f.unit[c]
		e += f.importance[c] * d * d
	}
	return e
}

// round makes the largest centroid the end of the grid and all of them codes, each its own and none 0, and fits the units to them.
func (f *gridFit) round() {
	most := 0.0
	for _, v := range f.book {
		most = max(most, math.Abs(v))
	}
	if most == 0 {
		most = 1
	}
	for c := range f.unit {
		f.unit[c] *= most
	}
	used := map[int]bool{0: true}
	for i, v := range f.book {
		code := free(int(math.Round(v/most*gridCodes)), used)
		used[code] = true
		f.book[i] = float64(code) / gridCodes
	}
	slices.Sort(f.book)
	for range 3 {
		f.associate()
		f.units()
	}
	f.associate()
}

// free is the code nearest to the wanted one that is not used yet.
func free(code int, used map[int]bool) int {
	for d := 0; d <= 2*gridCodes; d++ {
		for _, at := range []int{code - d, code + d} {
			if at >= -gridCodes && at <= gridCodes && !used[at] {
				return at
			}
		}
	}
	return code // more centroids than codes: refused before
}
