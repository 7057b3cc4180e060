package fakequant

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/graph"
)

// calibrate runs the float graph over the samples and sets the ranges of the sites, which name its values.
func calibrate(float *graph.Graph, sites []*site, data Data, o Observer) error {
	if o == nil {
		o = MinMax{}
	}
	s, err := graph.NewEval(float, graph.Unfused)
	if err != nil {
		return err
	}
	defer s.Close()
	seen := make([]Observation, len(sites))
	for i := range seen {
		seen[i] = o.New()
	}
	pass := func() error {
		for x := range data.Batches(0, 0, calibrationBatch, 0) {
			if err := s.Forward(x); err != nil {
				return err
			}
			for i, site := range sites {
				if site.fixed {
					continue
				}
				v := s.Value(site.value)
				if v == nil {
					return fmt.Errorf("value %s was not computed", site.value)
				}
				seen[i].Observe(v)
			}
		}
		return nil
	}
	if err := pass(); err != nil {
		return fmt.Errorf("calibration: %w", err)
	}
	again := false
	for i := range seen {
		again = seen[i].Second() || again
	}
	if again {
		if err := pass(); err != nil {
			return fmt.Errorf("calibration: %w", err)
		}
	}
	for i, site := range sites {
		if site.fixed {
			continue
		}
		r := seen[i].Range().WithZero()
		if bad(r.Min) || bad(r.Max) {
			return fmt.Errorf("calibration: the range of %s is [%g, %g]: the network makes NaN or Inf on the samples", site.value, r.Min, r.Max)
		}
		site.rng.Data[0], site.rng.Data[1] = r.Min, r.Max
	}
	return nil
}

// calibrationBatch keeps the memory of a calibration small; results of MovingAverage depend on it.
const calibrationBatch = 50

func bad(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }

// maxAbs writes the symmetric range of a constant: one, or one a channel of the last axis; rng is [2] or [2,channels].
func maxAbs(w *graph.Value, rng []float32) error {
	x, err := graph.Const(w)
	if err != nil {
		return err
	}
	n := len(rng) / 2
	for i := range n {
		rng[n+i] = 1e-6
	}
	for i, v := range x {
		m := &rng[n+i%n]
		*m = max(*m, float32(math.Abs(float64(v))))
	}
	for i := range n {
		rng[i] = -rng[n+i]
	}
	return nil
}
