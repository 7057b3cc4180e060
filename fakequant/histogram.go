package fakequant

import (
	"math"

	"github.com/temper-ml/temper/fakequant/quant"
)

// histogram counts values in bins of equal width over the range that the first pass found.
type histogram struct {
	minMax
	second bool
	counts []float64
	zeros  float64 // values that are exactly 0, in counts too
	choose func(*histogram) quant.Range
}

const bins = 2048

func (h *histogram) Second() bool {
	again := !h.second
	h.second = true
	h.counts = make([]float64, bins)
	return again
}

func (h *histogram) Observe(x []float32) {
	if !h.second {
		h.minMax.Observe(x)
		return
	}
	width := float64(h.r.Max-h.r.Min) / bins
	for _, v := range x {
		h.counts[h.bin(v, width)]++
		if v == 0 {
			h.zeros++
		}
	}
}

func (h *histogram) bin(v float32, width float64) int {
	if width == 0 {
		return 0
	}
	return min(max(int(float64(v-h.r.Min)/width), 0), bins-1)
}

func (h *histogram) Range() quant.Range {
	if h.r.Max <= h.r.Min {
		return h.r
	}
	return h.choose(h)
}

// edge is the lower border of bin i.
func (h *histogram) edge(i int) float32 {
	return h.r.Min + (h.r.Max-h.r.Min)*float32(i)/bins
}

func (h *histogram) percentile(p float64) quant.Range {
	total := 0.0
	for _, c := range h.counts {
		total += c
	}
	out := total * (100 - p) / 200
	lo, hi := 0, bins
	for sum := h.counts[0]; lo < bins-1 && sum <= out; sum += h.counts[lo] {
		lo++
	}
	for sum := h.counts[bins-1]; hi > lo+1 && sum <= out; sum += h.counts[hi-1] {
		hi--
	}
	return quant.Range{Min: h.edge(lo), Max: h.edge(hi)}
}

// leastSquares tries clippings of both ends on a grid. An end at or beyond zero stays: it costs nothing and zero must be representable.
func (h *histogram) leastSquares() quant.Range {
	best, least := h.r, math.Inf(1)
	const steps = 20
	for a := range steps {
		for b := range steps {
			r := h.r
			if r.Min < 0 {
				r.Min *= 1 - float32(a)/(2*steps)
			} else if a > 0 {
				break
			}
			if r.Max > 0 {
				r.Max *= 1 - float32(b)/(2*steps)
			} else if b > 0 {
				break
			}
			if e := h.error(r); e < least {
				best, least = r, e
			}
		}
	}
	return best
}

// error is the sum of squared errors of the bins' centres under 8-bit quantization with range r. Zeros have none; they are most of what follows
// a ReLU.
func (h *histogram) error(r quant.Range) float64 {
	n := quant.Nudge(r.WithZero(), quant.Levels{Bits: 8})
	zero := h.bin(0, float64(h.r.Max-h.r.Min)/bins)
	sum := 0.0
	for i, c := range h.counts {
		if i == zero {
			c -= h.zeros
		}
		if c == 0 {
			continue
		}
		v := (h.edge(i) + h.edge(i+1)) / 2
		d := float64(n.Apply(v) - v)
		// Values inside the range are spread over their step, however fine the bins are.
		if d*d < float64(n.Scale)*float64(n.Scale)/12 && n.Inside(v) {
			sum += c * float64(n.Scale) * float64(n.Scale) / 12
			continue
		}
		sum += c * d * d
	}
	return sum
}
