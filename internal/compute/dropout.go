package compute

import "math"

// Random numbers of a stream: number i is made from i and the stream's key alone, so that any part can be made on its own, in any order.

// Drop says which values dropout zeroes: value i where number i of a stream of 32-bit numbers is below Least.
type Drop struct {
	Key   uint64
	Least uint32
	Scale float32 // of the values that are kept
}

// NewDrop drops values with a probability in [0, 1), rounded to a multiple of 2^-32, and scales the others by 1/(1-rate).
func NewDrop(key uint64, rate float32) Drop {
	return Drop{key, uint32(float64(rate) * (1 << 32)), 1 / (1 - rate)}
}

// mix makes number i of a stream: a bijection of 32-bit numbers with good avalanche (the multipliers and shifts are those of Wellons, lowbias32), half of
// the key before the first round and half between the rounds.
func mix(i, before, between uint32) uint32 {
	h := i + before
	h ^= h >> 16
	h *= 0x7feb352d
	h ^= between
	h ^= h >> 15
	h *= 0x846ca68b
	return h ^ h>>16
}

var dropout = pass{row: func(r *row) {
	y, scale, w := r.op[0], r.scalar[0], r.word
	for i, v := range r.op[1] {
		if mix(w[0]+uint32(i), w[1], w[2]) < w[3] {
			v = 0
		} else {
			v *= scale
		}
		y[i] = v
	}
}}

// Dropout writes x with zeros where d drops, the others scaled: values first, first+1, ... of a stream. y may be x. It is also the way back for gradients.
func Dropout(y, x []float32, first int, d Drop) {
	t := begin(&dropout, len(x), 1)
	t.scalars(d.Scale)
	t.args.word = [4]uint32{uint32(first), uint32(d.Key), uint32(d.Key >> 32), d.Least}
	t.flat(y, x)
}

// Draw is what Dropout decides for value i: 0, or the scale.
func (d Drop) Draw(i int) float32 {
	if mix(uint32(i), uint32(d.Key), uint32(d.Key>>32)) < d.Least {
		return 0
	}
	return d.Scale
}

var infinity = float32(math.Inf(1))
