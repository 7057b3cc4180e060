package fakequant

import (
	"fmt"
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

// checkObserver refuses parameters without a meaning.
func checkObserver(o Observer) error {
	switch o := o.(type) {
	case MovingAverage:
		if !(o.Momentum >= 0 && o.Momentum < 1) {
			return fmt.Errorf("observer MovingAverage: momentum %g must be in [0, 1)", o.Momentum)
		}
	case Percentile:
		if o.P != 0 && !(o.P > 50 && o.P <= 100) {
			return fmt.Errorf("observer Percentile: P = %g must be in (50, 100]: the percentage of values to keep", o.P)
		}
	}
	return nil
}

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

func extent(x []float32) quant.Range {
	return quant.Range{Min: slices.Min(x), Max: slices.Max(x)}
}
