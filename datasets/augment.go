package datasets

import (
	"math/rand/v2"
	"slices"
)

// Augmentation changes an example at random, as a function of seed, epoch and stored example alone, so that a resumed run sees the same.
type Augmentation interface {
	apply(x []float32, shape []int, r *rand.Rand)
}

// Augment is a view whose Batches are augmented, after what this set does already; Example is not.
func (s *Set) Augment(a ...Augmentation) *Set {
	v := *s
	v.augment = append(slices.Clone(s.augment), a...)
	return &v
}

// Shift moves an image [height,width,channels] by up to Pixels in each direction; what comes in is zero. Examples of another rank stay as they are.
type Shift struct{ Pixels int }

func (a Shift) apply(x []float32, shape []int, r *rand.Rand) {
	if len(shape) != 3 || a.Pixels <= 0 {
		return
	}
	most := min(a.Pixels, maxVolume)
	dy, dx := r.IntN(2*most+1)-most, r.IntN(2*most+1)-most
	shift(x, shape, dy, dx)
}

// Crop pads an image with Pad zeros on all sides and cuts a piece of the old size out of it at random (He et al., Deep Residual Learning for Image
// Recognition, 2015, section 4.2). It sees what Shift sees.
type Crop struct{ Pad int }

func (a Crop) apply(x []float32, shape []int, r *rand.Rand) { Shift{a.Pad}.apply(x, shape, r) }

// FlipHorizontal mirrors an image [height,width,channels] with probability P. Examples of another rank stay as they are.
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

// Noise adds normal noise of that standard deviation, in the units of the inputs.
type Noise struct{ StdDev float64 }

func (a Noise) apply(x []float32, _ []int, r *rand.Rand) {
	for i := range x {
		x[i] += float32(r.NormFloat64() * a.StdDev)
	}
}

// shift moves an image [h,w,c] down by dy and right by dx, in place.
func shift(x []float32, shape []int, dy, dx int) {
	h, row, d := shape[0], shape[1]*shape[2], dx*shape[2]
	d = min(max(d, -row), row)
	for i := range h {
		y := i
		if dy > 0 { // from below, so that no row is written before it was read
			y = h - 1 - i
		}
		to := x[y*row : (y+1)*row]
		from := y - dy
		if from < 0 || from >= h {
			clear(to)
			continue
		}
		old := x[from*row : (from+1)*row]
		if d >= 0 {
			copy(to[d:], old)
			clear(to[:d])
		} else {
			copy(to, old[-d:])
			clear(to[row+d:])
		}
	}
}
