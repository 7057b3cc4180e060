package fakequant

import (
	"math"
	"slices"

	"github.com/temper-ml/temper/fakequant/quant"
)

// Observer finds the range of an activation from batches of its values.
type Observer interface {
	// New starts an observation.
	New() Observation
}

// Observation collects the values of one activation. Observe sees each calibration batch once; where Second is true all batches are shown a
// second time, in the same order, after the first pass.
type Observation interface {
	Observe(x []float32)
	Second() bool
	Range() quant.Range
}

// MinMax takes the smallest and the largest value of all samples (TFLite's converter).
type MinMax struct{}

// MovingAverage lets the range follow the batches' minima and maxima: r += (1-Momentum)*(batch-r), starting from the first batch.
type MovingAverage struct{ Momentum float64 } // default 0.9

// Percentile leaves (100-P)/2 percent of the values out at either end.
type Percentile struct{ P float64 } // default 99.99

// MSE takes the clipping of the observed range that makes the mean squared error of 8-bit quantization smallest, as measured on a histogram.
type MSE struct{}

func (MinMax) New() Observation { return &minMax{} }

type minMax struct {
	seen bool
	r    quant.Range
}

func (m *minMax) Observe(x []float32) {
	r := extent(x)
	if !m.seen {
		m.r, m.seen = r, true
	}
	m.r = quant.Range{Min: min(m.r.Min, r.Min), Max: max(m.r.Max, r.Max)}
}
func (m *minMax) Second() bool       { return false }
func (m *minMax) Range() quant.Range { return m.r }

func (o MovingAverage) New() Observation {
	if o.Momentum == 0 {
		o.Momentum = 0.9
	}
	return &movingAverage{rate: float32(1 - o.Momentum)}
}

type movingAverage struct {
	minMax
	rate float32
}

func (m *movingAverage) Observe(x []float32) {
	r := extent(x)
	if !m.seen {
		m.r, m.seen = r, true
	}
	m.r.Min += m.rate * (r.Min - m.r.Min)
	m.r.Max += m.rate * (r.Max - m.r.Max)
}

func (o Percentile) New() Observation {
	if o.P == 0 {
		o.P = 99.99
	}
	return &histogram{choose: func(h *histogram) quant.Range { return h.percentile(o.P) }}
}

func (MSE) New() Observation { return &histogram{choose: (*histogram).leastSquares} }

// histogram counts values in bins of equal width over the range that the first pass found.
type histogram struct {
	minMax
	second bool
	counts []float64
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
		i := 0
		if width > 0 {
			i = int(float64(v-h.r.Min) / width)
		}
		h.counts[min(max(i, 0), bins-1)]++
	}
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

// error is the sum of squared errors of the bins' centres under 8-bit quantization with range r.
func (h *histogram) error(r quant.Range) float64 {
	n := quant.Nudge(r.WithZero(), quant.Levels{Bits: 8})
	sum := 0.0
	for i, c := range h.counts {
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

func extent(x []float32) quant.Range {
	return quant.Range{Min: slices.Min(x), Max: slices.Max(x)}
}
