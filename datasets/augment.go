package datasets

import (
	"math/rand/v2"
	"slices"
)

// Augmentation changes an example at random, as a function of seed, epoch and example alone, so that a resumed run sees the same.
type Augmentation interface {
	apply(x []float32, shape []int, r *rand.Rand)
}

// Augment is a view whose Batches are augmented; Example is not.
func (s *Set) Augment(a ...Augmentation) *Set {
	v := *s
	v.augment = append(slices.Clone(s.augment), a...)
	return &v
}

// Shift moves an image by up to Pixels in each direction; what comes in is zero.
type Shift struct{ Pixels int }

func (a Shift) apply(x []float32, shape []int, r *rand.Rand) {
	dy, dx := r.IntN(2*a.Pixels+1)-a.Pixels, r.IntN(2*a.Pixels+1)-a.Pixels
	shift(x, shape, dy, dx)
}

// Crop pads an image with Pad zeros on all sides and cuts a piece of the old size out of it at random.
type Crop struct{ Pad int }

func (a Crop) apply(x []float32, shape []int, r *rand.Rand) { Shift{a.Pad}.apply(x, shape, r) }

// FlipHorizontal mirrors an image with probability P.
type FlipHorizontal struct{ P float64 }

func (a FlipHorizontal) apply(x []float32, shape []int, r *rand.Rand) {
	if len(shape) != 3 || r.Float64() >= a.P {
		return
	}
	h, w, c := shape[0], shape[1], shape[2]
	for y := range h {
		row := x[y*w*c : (y+1)*w*c]
		for i := range w / 2 {
			for k := range c {
				p, q := i*c+k, (w-1-i)*c+k
				row[p], row[q] = row[q], row[p]
			}
		}
	}
}

// Noise adds normal noise.
type Noise struct{ StdDev float64 }

func (a Noise) apply(x []float32, _ []int, r *rand.Rand) {
	for i := range x {
		x[i] += float32(r.NormFloat64() * a.StdDev)
	}
}

// shift moves an image [h,w,c] down by dy and right by dx.
func shift(x []float32, shape []int, dy, dx int) {
	if len(shape) != 3 {
		return
	}
	h, w, c := shape[0], shape[1], shape[2]
	old := slices.Clone(x)
	clear(x)
	for y := range h {
		from := y - dy
		if from < 0 || from >= h {
			continue
		}
		lo, hi := max(dx, 0), min(w+dx, w)
		if lo < hi {
			copy(x[(y*w+lo)*c:(y*w+hi)*c], old[(from*w+lo-dx)*c:])
		}
	}
}
