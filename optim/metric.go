package optim

import (
	"fmt"
)

// Metric is collected over batches of predictions and targets.
type Metric interface {
	Name() string
	Reset()
	// Update takes n examples, one after the other. The error says which targets do not fit.
	Update(pred, target []float32, n int) error
	Result() float64
}

// Accuracy is the part of examples whose largest output is that of the target class.
type Accuracy struct{ right, n int }

// Name implements Metric.
func (*Accuracy) Name() string { return "accuracy" }

// Reset implements Metric.
func (a *Accuracy) Reset() { *a = Accuracy{} }

// Update implements Metric.
func (a *Accuracy) Update(pred, target []float32, n int) error {
	if _, err := outputs(pred, target, n); err != nil {
		return err
	}
	a.right += correct(pred, target, n)
	a.n += n
	return nil
}

// correct counts the examples whose largest output is that of the target class.
func correct(pred, target []float32, n int) int {
	c, right := len(pred)/n, 0
	for i := range n {
		if ArgMax(pred[i*c:(i+1)*c]) == int(target[i]) {
			right++
		}
	}
	return right
}

// outputs is the number of outputs of each of n examples with one target each.
func outputs(pred, target []float32, n int) (int, error) {
	if n <= 0 || len(target) != n || len(pred) == 0 || len(pred)%n != 0 {
		return 0, fmt.Errorf("%d predictions and %d targets for %d examples: want one target an example", len(pred), len(target), n)
	}
	return len(pred) / n, nil
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

// TopK is the part of examples whose target class is among the K largest outputs; of equal outputs the first count as larger.
type TopK struct {
	K        int // default 5
	right, n int
}

func (m *TopK) k() int {
	if m.K <= 0 {
		return 5
	}
	return m.K
}

// Name implements Metric: top-5 for K = 5.
func (m *TopK) Name() string { return fmt.Sprintf("top-%d", m.k()) }

// Reset implements Metric.
func (m *TopK) Reset() { *m = TopK{K: m.K} }

// Update implements Metric.
func (m *TopK) Update(pred, target []float32, n int) error {
	c, err := outputs(pred, target, n)
	if err != nil {
		return err
	}
	if err := checkClasses(target, c); err != nil {
		return err
	}
	for i := range n {
		x, k := pred[i*c:(i+1)*c], int(target[i])
		larger := 0
		for j, v := range x {
			if !(v < x[k]) && (v != x[k] || j < k) && j != k { // a NaN is larger than all, and never right
				larger++
			}
		}
		if larger < m.k() {
			m.right++
		}
	}
	m.n += n
	return nil
}

// Result implements Metric.
func (m *TopK) Result() float64 { return float64(m.right) / float64(max(m.n, 1)) }

// MSE is the mean squared error over all outputs.
type MSE struct {
	sum float64
	n   int
}

// Name implements Metric.
func (*MSE) Name() string { return "mse" }

// Reset implements Metric.
func (m *MSE) Reset() { *m = MSE{} }

// Update implements Metric.
func (m *MSE) Update(pred, target []float32, _ int) error {
	if len(pred) != len(target) {
		return fmt.Errorf("%d outputs and %d targets: want as many", len(pred), len(target))
	}
	for i, v := range pred {
		d := float64(v) - float64(target[i])
		m.sum += d * d
	}
	m.n += len(pred)
	return nil
}

// Result implements Metric.
func (m *MSE) Result() float64 { return m.sum / float64(max(m.n, 1)) }
