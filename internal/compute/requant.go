package compute

import "unsafe"

// requantizer is a Requant in vectors of 16 channels, padded with zeros.
type requantizer struct {
	multiplier, left, right []int32
	half, negative          []int32 // what rounds to nearest, ties away from zero, before the shift to the right
	zero, lo, hi            int32
}

func newRequantizer(r Requant, channels int) *requantizer {
	n := (channels + 31) / 32 * 32
	q := &requantizer{zero: r.OutputZero, lo: r.Lo, hi: r.Hi}
	for _, x := range []*[]int32{&q.multiplier, &q.left, &q.right, &q.half, &q.negative} {
		*x = make([]int32, n)
	}
	for i := range channels {
		q.multiplier[i], q.left[i], q.right[i] = r.Multiplier[i], max(r.Shift[i], 0), min(max(-r.Shift[i], 0), 31)
		if q.right[i] > 0 {
			q.half[i], q.negative[i] = 1<<(q.right[i]-1), -1
		}
	}
	return q
}

// requantArgs is a call of the vector pass: 16 channels of a number of pixels.
type requantArgs struct {
	y                       *int8
	x                       *int32
	multiplier, left, right *int32
	pixels                  int
	xStride, yStride        int // bytes
	zero, lo, hi            int
	mask                    int // of the channels to write
	half, negative          *int32
}

// run narrows sums [pixels][nr] of the w channels from o on into y, whose pixels are stride apart.
func (q *requantizer) run(t *int8Tile, m *Scratch, y []int8, sums []int32, o, w, pixels, stride int) {
	if t.requant == nil {
		for p := range pixels {
			for i, v := range sums[p*t.nr : p*t.nr+w] {
				y[p*stride+i] = q.one(v, o+i)
			}
		}
		return
	}
	args := &m.requant
	for i := 0; i < w; i += 16 {
		*args = requantArgs{&y[i], &sums[i], &q.multiplier[o+i], &q.left[o+i], &q.right[o+i], pixels, 4 * t.nr, stride,
			int(q.zero), int(q.lo), int(q.hi), 1<<min(16, w-i) - 1, &q.half[o+i], &q.negative[o+i]}
		t.requant((*uint64)(unsafe.Pointer(args)))
	}
}

// one is MultiplyByQuantizedMultiplier with two roundings for channel c, zero point and clamp.
func (q *requantizer) one(v int32, c int) int8 {
	r := int32((int64(v<<q.left[c])*int64(q.multiplier[c]) + 1<<30) >> 31)
	r = (r + q.half[c] + r>>31&q.negative[c]) >> q.right[c]
	return int8(min(max(r+q.zero, q.lo), q.hi))
}

// Rescaler turns sums into int8 with one multiplier for all: fixed-point with two roundings, zero point and clamp. Sums must stay within 30 bits, also
// after a shift to the left.
type Rescaler struct{ q *requantizer }

// rescaled is the number of values that go through a Rescaler's vector pass together.
const rescaled = 16

// NewRescaler prepares the multiplier m * 2^(shift-31).
func NewRescaler(m, shift, zero, lo, hi int32) *Rescaler {
	r := Requant{OutputZero: zero, Lo: lo, Hi: hi}
	for range rescaled {
		r.Multiplier, r.Shift = append(r.Multiplier, m), append(r.Shift, shift)
	}
	return &Rescaler{newRequantizer(r, rescaled)}
}

// Run writes y from as many sums.
func (r *Rescaler) Run(y []int8, sums []int32) {
	n := 0
	if t := activeInt8(rescaled); t.requant != nil && len(y) >= rescaled {
		m := GetScratch()
		n = len(y) / rescaled
		r.q.run(&int8Tile{nr: rescaled, requant: t.requant}, m, y, sums, 0, rescaled, n, rescaled)
		PutScratch(m)
	}
	for i := n * rescaled; i < len(y); i++ {
		y[i] = r.q.one(sums[i], 0)
	}
}
