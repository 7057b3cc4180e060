package optim

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/temper-ml/temper/graph"
)

// Evaluate runs an eval session over data, batch examples at a time, and returns the mean loss, under "loss" and unless loss is nil, and the metrics
// by name. Metrics see the first output, the loss what it is computed from.
func Evaluate(ctx context.Context, g *graph.Graph, loss graph.Loss, metrics []Metric, data Data, batch int) (map[string]float64, error) {
	if data == nil || data.Len() == 0 || batch <= 0 {
		return nil, fmt.Errorf("evaluate: no examples, or a batch of %d", batch)
	}
	s, err := graph.NewEval(g)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for _, m := range metrics {
		m.Reset()
	}
	sum, seen := 0.0, 0
	for x, y := range data.Batches(0, 0, batch, 0) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.Forward(x); err != nil {
			return nil, err
		}
		if !finite(s.Output(0)) {
			return nil, fmt.Errorf("graph %s: an output is NaN or Inf: %s", g.Name, culprit(g, x))
		}
		n := len(x) / g.Inputs[0].Shape.Volume()
		if loss != nil {
			mean, err := lossOf(s, loss, y, n)
			if err != nil {
				return nil, fmt.Errorf("graph %s: %w", g.Name, err)
			}
			sum += mean * float64(n)
		}
		for _, m := range metrics {
			if err := m.Update(s.Output(0), y, n); err != nil {
				return nil, fmt.Errorf("graph %s: metric %s: %w", g.Name, m.Name(), err)
			}
		}
		seen += n
	}
	if seen == 0 {
		return nil, fmt.Errorf("evaluate: the data yielded no batch")
	}
	return results(loss, sum/float64(seen), metrics)
}

// culprit runs a batch once more, Op by Op, and names what made the first number that is not finite.
func culprit(g *graph.Graph, x []float32) string {
	if !finite(x) {
		return "the input holds such a value"
	}
	s, err := graph.NewEval(g, graph.Unfused)
	if err != nil {
		return err.Error()
	}
	defer s.Close()
	if err := s.Forward(x); err != nil {
		return err.Error()
	}
	for _, o := range g.Ops {
		for _, v := range o.In {
			if v.Var != nil && !finite(v.Var.Data) {
				return fmt.Sprintf("the var %s, read by %s, holds such a value", v.Name, o.Name)
			}
		}
		if !finite(s.Value(o.Out.Name)) {
			return fmt.Sprintf("%s (%s) made the first", o.Name, graph.KindName(o.Kind))
		}
	}
	return "the values between are finite"
}

func finite(x []float32) bool {
	return !slices.ContainsFunc(x, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
}

// lossOf is the mean loss of the n examples that the session ran last.
func lossOf(s *graph.Session, loss graph.Loss, y []float32, n int) (float64, error) {
	pred := s.Logits(loss)
	if want := n * loss.TargetLen(len(pred)/n); len(y) != want {
		return 0, fmt.Errorf("%d target values for %d examples, want %d", len(y), n, want)
	}
	if err := checkTargets(loss, y, len(pred)/n); err != nil {
		return 0, err
	}
	return loss.Forward(pred, y, n), nil
}

// results collects the numbers by name and refuses those that are not finite: the network is broken, and no checkpoint could hold them.
func results(loss graph.Loss, mean float64, metrics []Metric) (map[string]float64, error) {
	r := map[string]float64{}
	if loss != nil {
		r["loss"] = mean
	}
	for _, m := range metrics {
		r[m.Name()] = m.Result()
	}
	for name, v := range r {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("%s is %g", name, v)
		}
	}
	return r, nil
}
