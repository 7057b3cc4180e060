package optim

import (
	"cmp"
	"slices"
)

// AUC is the area under the ROC curve of the last output (the only one, or the second of two classes) against targets 0 and 1: the probability that
// a positive example scores higher than a negative one, ties counting half (Fawcett, 2006). It is exact, and keeps all scores. Without an example
// of each kind it is 0.5.
type AUC struct{ scores []scored }

type scored struct {
	score    float32
	positive bool
}

// Name implements Metric.
func (*AUC) Name() string { return "auc" }

// Reset implements Metric.
func (a *AUC) Reset() { a.scores = a.scores[:0] }

// Update implements Metric.
func (a *AUC) Update(pred, target []float32, n int) error {
	c, err := outputs(pred, target, n)
	if err != nil {
		return err
	}
	for i := range n {
		a.scores = append(a.scores, scored{pred[i*c+c-1], target[i] > 0.5})
	}
	return nil
}

// Result implements Metric.
func (a *AUC) Result() float64 {
	s := slices.Clone(a.scores)
	slices.SortFunc(s, func(x, y scored) int { return cmp.Compare(x.score, y.score) })
	var area, below, positives float64
	for i := 0; i < len(s); {
		var pos, neg float64
		j := i
		for ; j < len(s) && cmp.Compare(s[j].score, s[i].score) == 0; j++ {
			if s[j].positive {
				pos++
			} else {
				neg++
			}
		}
		area += pos * (below + neg/2)
		below += neg
		positives += pos
		i = j
	}
	if positives == 0 || below == 0 {
		return 0.5
	}
	return area / (positives * below)
}
