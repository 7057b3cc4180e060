package optim

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchedules(t *testing.T) {
	half := math.Sqrt(0.5)
	for _, c := range []struct {
		name  string
		s     Schedule
		steps []int
		want  []float64
	}{
		{"constant", Constant{}, []int{0, 1000}, []float64{1, 1}},
		{"step", StepDecay{Every: 10, Factor: 0.1}, []int{0, 9, 10, 19, 20}, []float64{1, 1, 0.1, 0.1, 0.01}},
		{"exponential", Exponential{Every: 10, Factor: 0.5}, []int{0, 5, 10, 20}, []float64{1, half, 0.5, 0.25}},
		{"cosine", Cosine{Steps: 100}, []int{0, 25, 50, 100, 101}, []float64{1, (1 + half) / 2, 0.5, 0, 0}},
		{"cosine to a tenth", Cosine{Steps: 100, End: 0.1}, []int{0, 50, 100, 500}, []float64{1, 0.55, 0.1, 0.1}},
		{"warm-up", Warmup{Steps: 4}, []int{0, 1, 2, 3, 4, 50}, []float64{0.25, 0.5, 0.75, 1, 1, 1}},
		{"warm-up, then cosine", Warmup{Steps: 2, Then: Cosine{Steps: 10}}, []int{0, 1, 2, 7, 12}, []float64{0.5, 1, 1, 0.5, 0}},
		{"zero values", Warmup{Then: StepDecay{}}, []int{0, 1}, []float64{1, 0}},
	} {
		var got []float64
		for _, s := range c.steps {
			got = append(got, c.s.At(s))
		}
		if d := cmp.Diff(c.want, got, nearlyTo(1e-6)); d != "" {
			t.Errorf("%s at %v (-want +got):\n%s", c.name, c.steps, d)
		}
	}
}

// TestScheduleCountsFromZero: the first step has the rate of step 0, and rates multiply the solver's.
func TestScheduleCountsFromZero(t *testing.T) {
	g := lineNet(t, 1, 1)
	g.Var("dense/kernel").Data[0] = 0
	d := rows{x: []float32{0, 0, 0}, y: []float32{-1, -1, -1}, width: 1, per: 1} // the gradient of the bias b is 2(b+1)
	bias := []float32{0}
	hook := Hook{AfterStep: func(int, float64) error {
		bias = append(bias, g.Var("dense/bias").Data[0])
		return nil
	}}
	mustRun(t, Fit{Loss: MeanSquaredError{}, Solver: &SGD{LearningRate: 0.25}, Schedule: StepDecay{Every: 1, Factor: 0.5}, Batch: 1}, g, d, hook)
	// b -= rate*2(b+1): rates 0.25, 0.125, 0.0625
	if d := cmp.Diff([]float32{0, -0.5, -0.625, -0.671875}, bias, nearlyTo(1e-6)); d != "" {
		t.Error(d)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		name string
		clip Clip
		want [][]float32
	}{
		{"none", Clip{}, [][]float32{{3, -4}, {0, 12}}},
		{"value", Clip{Value: 3.5}, [][]float32{{3, -3.5}, {0, 3.5}}},
		{"norm of each", Clip{Norm: 10}, [][]float32{{3, -4}, {0, 10}}},
		{"norm of all", Clip{GlobalNorm: 6.5}, [][]float32{{1.5, -2}, {0, 6}}}, // all together 13
		{"within the limit", Clip{GlobalNorm: 13}, [][]float32{{3, -4}, {0, 12}}},
		{"value, then norm", Clip{Value: 4, Norm: 2.5}, [][]float32{{1.5, -2}, {0, 2.5}}},
	} {
		got := [][]float32{{3, -4}, {0, 12}}
		c.clip.apply(got)
		if d := cmp.Diff(c.want, got, nearlyTo(1e-6)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	zero := [][]float32{{0, 0}}
	Clip{Norm: 1, GlobalNorm: 1}.apply(zero)
	if zero[0][0] != 0 {
		t.Errorf("zero gradients became %v", zero)
	}
}

// TestClipInFit: one huge gradient moves the weight by the clipped amount.
func TestClipInFit(t *testing.T) {
	g := lineNet(t, 1, 1)
	w := g.Var("dense/kernel")
	w.Data[0] = 0
	d := rows{x: []float32{1}, y: []float32{1000}, width: 1, per: 1}
	mustRun(t, Fit{Loss: MeanSquaredError{}, Solver: &SGD{LearningRate: 1}, Clip: Clip{Value: 0.5}}, g, d)
	if w.Data[0] != 0.5 {
		t.Errorf("weight %g, want 0.5", w.Data[0])
	}
}
