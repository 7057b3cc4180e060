package optim

import (
	"cmp"
	"slices"
)

// Metric is collected over batches of predictions and targets.
type Metric interface {
	Name() string
	Reset()
	Update(pred, target []float32, n int)
	Result() float64
}

// Accuracy is the part of examples whose largest output is that of the target class.
type Accuracy struct{ right, n int }

// Name implements Metric.
func (*Accuracy) Name() string { return "accuracy" }

// Reset implements Metric.
func (a *Accuracy) Reset() { *a = Accuracy{} }

// Update implements Metric.
func (a *Accuracy) Update(pred, target []float32, n int) {
	c := len(pred) / n
	for i := range n {
		if ArgMax(pred[i*c:(i+1)*c]) == int(target[i]) {
			a.right++
		}
	}
	a.n += n
}

// Result implements Metric.
func (a *Accuracy) Result() float64 { return float64(a.right) / float64(max(a.n, 1)) }

// ArgMax is the index of the first largest value.
func ArgMax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// TopK is the part of examples whose target class is among the K largest outputs.
type TopK struct {
	K        int
	right, n int
}

// Name implements Metric.
func (*TopK) Name() string { return "top-k" }

// Reset implements Metric.
func (m *TopK) Reset() { *m = TopK{K: m.K} }

// Update implements Metric.
func (m *TopK) Update(pred, target []float32, n int) {
	c := len(pred) / n
	for i := range n {
		x, larger := pred[i*c:(i+1)*c], 0
		want := x[int(target[i])]
		for j, v := range x {
			if v > want || v == want && j < int(target[i]) {
				larger++
			}
		}
		if larger < m.K {
			m.right++
		}
	}
	m.n += n
}

// Result implements Metric.
func (m *TopK) Result() float64 { return float64(m.right) / float64(max(m.n, 1)) }

// AUC is the area under the ROC curve of the first output against targets 0 and 1: the probability that a positive example scores higher than a
// negative one, ties counting half. It is exact, and keeps all scores.
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
func (a *AUC) Update(pred, target []float32, n int) {
	c := len(pred) / n
	for i := range n {
		a.scores = append(a.scores, scored{pred[i*c+c-1], target[i] > 0.5})
	}
}

// Result implements Metric.
func (a *AUC) Result() float64 {
	s := slices.Clone(a.scores)
	slices.SortFunc(s, func(x, y scored) int { return cmp.Compare(x.score, y.score) })
	var area, below, positives float64
	for i := 0; i < len(s); {
		var pos, neg float64
		j := i
		for ; j < len(s) && s[j].score == s[i].score; j++ {
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
