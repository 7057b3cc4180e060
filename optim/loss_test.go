package optim

import (
	"context"
	"math"
	"testing"

	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// TestLossTable has values worked out by hand.
func TestLossTable(t *testing.T) {
	ln := math.Log
	for _, c := range []struct {
		name         string
		loss         graph.Loss
		pred, target []float32
		n            int
		want         float64
	}{
		{"even logits", SoftmaxCrossEntropy{}, []float32{0, 0, 0, 0}, []float32{2}, 1, ln(4)},
		{"mean of two", SoftmaxCrossEntropy{}, []float32{0, 0, 0, float32(ln(3))}, []float32{0, 1}, 2, (ln(2) - ln(0.75)) / 2},
		{"huge logits", SoftmaxCrossEntropy{}, []float32{1e4, 0, -1e4, 1e4, 0, -1e4}, []float32{0, 2}, 2, 1e4},
		{"smoothed", SoftmaxCrossEntropy{LabelSmoothing: 0.2}, []float32{float32(ln(3)), 0}, []float32{0}, 1, -0.9*ln(0.75) - 0.1*ln(0.25)},
		{"weighted", SoftmaxCrossEntropy{ClassWeights: []float64{2, 0.5}}, []float32{0, 0, 0, 0}, []float32{0, 1}, 2, 1.25 * ln(2)},
		{"weight left out", SoftmaxCrossEntropy{ClassWeights: []float64{3}}, []float32{0, 0}, []float32{1}, 1, ln(2)},
		{"squares", MeanSquaredError{}, []float32{1, 2, 3, 4}, []float32{1, 0, 0, 5}, 2, 14.0 / 4},
		{"binary", BinaryCrossEntropy{}, []float32{0, float32(ln(3))}, []float32{1, 0}, 2, (ln(2) + ln(4)) / 2},
		{"binary, soft", BinaryCrossEntropy{}, []float32{float32(ln(3))}, []float32{0.5}, 1, (ln(4) - ln(0.75)) / 2},
		{"binary, huge", BinaryCrossEntropy{}, []float32{1000, -1000, -1000, 1000}, []float32{1, 0, 1, 1}, 1, 250},
	} {
		if got := c.loss.Forward(c.pred, c.target, c.n); math.Abs(got-c.want) > 1e-6*max(1, c.want) {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestLossGradients compares with finite differences.
func TestLossGradients(t *testing.T) {
	for _, c := range []struct {
		name   string
		loss   graph.Loss
		target []float32
	}{
		{"softmax", SoftmaxCrossEntropy{}, []float32{2, 0}},
		{"smoothed and weighted", SoftmaxCrossEntropy{LabelSmoothing: 0.1, ClassWeights: []float64{1, 1, 4}}, []float32{2, 1}},
		{"squares", MeanSquaredError{}, []float32{1, 0, -1, 2, 0.5, 3}},
		{"binary", BinaryCrossEntropy{}, []float32{1, 0, 0, 1, 0.25, 1}},
	} {
		pred, got := []float32{0.5, -1, 2, 3, 0.25, -0.75}, make([]float32, 6)
		c.loss.Backward(got, pred, c.target, 2)
		const h = 1.0 / 256
		for i, at := range pred {
			pred[i] = at + h
			up := c.loss.Forward(pred, c.target, 2)
			pred[i] = at - h
			down := c.loss.Forward(pred, c.target, 2)
			pred[i] = at
			if want := (up - down) / (2 * h); math.Abs(float64(got[i])-want) > 2e-5 {
				t.Errorf("%s, output %d: gradient %g, finite difference %g", c.name, i, got[i], want)
			}
		}
	}
}

// TestGradientsVanishWhenRight: a perfect prediction pulls nowhere, and huge logits do not make NaN.
func TestGradientsVanishWhenRight(t *testing.T) {
	for _, c := range []struct {
		loss         graph.Loss
		pred, target []float32
	}{
		{SoftmaxCrossEntropy{}, []float32{-1e4, 1e4}, []float32{1}},
		{MeanSquaredError{}, []float32{3, -2}, []float32{3, -2}},
		{BinaryCrossEntropy{}, []float32{-1e4, 1e4}, []float32{0, 1}},
	} {
		d := []float32{9, 9}
		c.loss.Backward(d, c.pred, c.target, 1)
		if d[0] != 0 || d[1] != 0 {
			t.Errorf("%T: gradient %v, want zeros", c.loss, d)
		}
	}
}

// TestClassChecks: class targets that do not fit were panics of Evaluate once. A pointer to the loss is a loss too.
func TestClassChecks(t *testing.T) {
	g := lineNet(t, 1, 3)
	for _, bad := range []float32{-1, 3, 0.5, float32(math.NaN()), float32(math.Inf(1)), 1e30} {
		d := rows{x: []float32{1, 1}, y: []float32{0, bad}, width: 1, per: 1}
		for _, loss := range []graph.Loss{SoftmaxCrossEntropy{}, &SoftmaxCrossEntropy{}} {
			_, err := Evaluate(context.Background(), g, loss, nil, d, 2)
			wantError(t, err, "example 1 of the batch is not a class of a network with 3 outputs")
		}
		_, err := Evaluate(context.Background(), g, nil, []Metric{&TopK{}}, d, 2)
		wantError(t, err, "metric top-5", "not a class")
	}
	d := rows{x: []float32{1, 1}, y: []float32{0, 1}, width: 1, per: 1}
	_, err := Evaluate(context.Background(), g, MeanSquaredError{}, nil, d, 2)
	wantError(t, err, "2 target values for 2 examples, want 6")
	_, err = Evaluate(context.Background(), g, nil, nil, d, 0)
	wantError(t, err, "a batch of 0")
}

// TestEvaluateLooksThroughSoftmax: the loss of a network that ends in softmax is computed from its logits, the metrics from its output.
func TestEvaluateLooksThroughSoftmax(t *testing.T) {
	g := trace(t, layers.Model{Name: "soft", Input: layers.Shape{2}, Layer: layers.Sequential{layers.Dense{Units: 2}, layers.Softmax}})
	copy(g.Var("dense/kernel").Data, []float32{1, 0, 0, 1})
	d := rows{x: []float32{0, 100, 0, float32(math.Log(3))}, y: []float32{0, 1}, width: 2, per: 1}
	got, err := Evaluate(context.Background(), g, SoftmaxCrossEntropy{}, []Metric{&Accuracy{}}, d, 2)
	if err != nil {
		t.Fatal(err)
	}
	if want := (100 - math.Log(0.75)) / 2; math.Abs(got["loss"]-want) > 1e-4 || got["accuracy"] != 0.5 {
		t.Errorf("got %v, want loss %g and accuracy 0.5", got, want)
	}
}
