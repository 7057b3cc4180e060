package optim

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestMetrics(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name         string
		metric       Metric
		pred, target []float32
		n            int
		want         float64
	}{
		{"accuracy", &Accuracy{}, []float32{1, 2, 3, 0, 5, 5}, []float32{1, 0, 1}, 3, 2.0 / 3}, // of equal outputs the first wins
		{"top-2", &TopK{K: 2}, []float32{1, 2, 3, 1, 2, 3, 1, 2, 3}, []float32{0, 1, 2}, 3, 2.0 / 3},
		{"top-2", &TopK{K: 2}, []float32{7, 7, 7, 7, 7, 7}, []float32{1, 2}, 2, 0.5}, // ties: the first two
		{"top-5", &TopK{}, []float32{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}, []float32{0, 1}, 2, 0.5},
		{"top-1", &TopK{K: 1}, []float32{nan, 0, 0, nan}, []float32{0, 0}, 2, 0}, // NaN was right once
		{"auc", &AUC{}, []float32{0.1, 0.4, 0.35, 0.8}, []float32{0, 0, 1, 1}, 4, 0.75},
		{"auc", &AUC{}, []float32{3, 2, 1}, []float32{0, 0, 1}, 3, 0},
		{"auc", &AUC{}, []float32{1, 1, 1, 1}, []float32{0, 1, 0, 1}, 4, 0.5},                       // one tie of all
		{"auc", &AUC{}, []float32{1, 2, 2, 2, 3}, []float32{0, 0, 1, 1, 0}, 5, 3.0 / 6},             // 2 pairs won, 2 tied, 2 lost
		{"auc", &AUC{}, []float32{9, 1, 8, 2}, []float32{0, 1}, 2, 1},                               // two outputs: the last
		{"auc", &AUC{}, []float32{1, 2}, []float32{1, 1}, 2, 0.5},                                   // no negative
		{"auc", &AUC{}, []float32{nan, nan, 1, 2}, []float32{0, 1, 0, 1}, 4, (0.5 + 0 + 1 + 1) / 4}, // NaN, below all, never ended once
		{"mse", &MSE{}, []float32{1, 2, 3, 4}, []float32{1, 0, 0, 5}, 2, 14.0 / 4},
	} {
		if c.metric.Name() != c.name {
			t.Errorf("name %s, want %s", c.metric.Name(), c.name)
		}
		for range 2 { // Reset forgets
			c.metric.Reset()
			if err := c.metric.Update(c.pred, c.target, c.n); err != nil {
				t.Fatal(err)
			}
			if got := c.metric.Result(); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("%s of %v against %v: %g, want %g", c.name, c.pred, c.target, got, c.want)
			}
		}
	}
}

// TestMetricsRefuse: what did not fit was a panic or a silent zero.
func TestMetricsRefuse(t *testing.T) {
	for _, m := range []Metric{&Accuracy{}, &TopK{}, &AUC{}} {
		wantError(t, m.Update([]float32{1, 2}, []float32{0}, 0), "for 0 examples")
		wantError(t, m.Update([]float32{1, 2, 3}, []float32{0, 1}, 2), "3 predictions")
		wantError(t, m.Update([]float32{1, 2, 3, 4}, []float32{0}, 2), "1 targets")
	}
	wantError(t, (&MSE{}).Update([]float32{1, 2}, []float32{0}, 1), "2 outputs and 1 targets")
}

// TestAUCIsTheProbability counts all pairs, with many ties, in batches.
func TestAUCIsTheProbability(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var a AUC
	var pred, target []float32
	for range 20 {
		var p, y []float32
		for range 10 {
			p, y = append(p, float32(r.IntN(30))), append(y, float32(r.IntN(2)))
		}
		if err := a.Update(p, y, 10); err != nil {
			t.Fatal(err)
		}
		pred, target = append(pred, p...), append(target, y...)
	}
	won, pairs := 0.0, 0.0
	for i := range pred {
		for j := range pred {
			if target[i] == 1 && target[j] == 0 {
				pairs++
				switch {
				case pred[i] > pred[j]:
					won++
				case pred[i] == pred[j]:
					won += 0.5
				}
			}
		}
	}
	if got := a.Result(); math.Abs(got-won/pairs) > 1e-12 {
		t.Errorf("%g, all pairs give %g", got, won/pairs)
	}
}
