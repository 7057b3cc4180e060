package temper

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// TestModels exports every reference network, quantized after training, at the size of MNIST, and compares every layer with the eval session.
func TestModels(t *testing.T) {
	digits, err := mnist.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range models.Names() {
		t.Run(name, func(t *testing.T) {
			g, err := Network(name, 1, digits.Train)
			if err != nil {
				t.Fatal(err)
			}
			settle(t, g, digits.Train)
			if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: digits.Train.Sample(20, 1)}}).Apply(g); err != nil {
				t.Fatal(err)
			}
			compareLayers(t, g, exported(t, g), digits.Test.Take(0, 10))
		})
	}
}

// settle takes a few training steps, so that BatchNorm has statistics to speak of.
func settle(t *testing.T, g *graph.Graph, data *datasets.Set) {
	t.Helper()
	fit := optim.Fit{Loss: optim.MeanSquaredError{}, Batch: 16, Solver: &optim.SGD{LearningRate: 0.01}}
	var d optim.Data = data.Take(0, 64).AsAutoencoder()
	if g.Outputs[0].Shape.Volume() == len(data.Classes) {
		fit.Loss, d = optim.SoftmaxCrossEntropy{}, data.Take(0, 64)
	}
	if _, err := fit.Run(context.Background(), g, d); err != nil {
		t.Fatal(err)
	}
}

// exported writes the file and reads it back.
func exported(t *testing.T, g *graph.Graph) *tflite.Model {
	t.Helper()
	m, err := export.TFLite(g, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "x.tflite")
	if err := m.WriteFile(path); err != nil {
		t.Fatal(err)
	}
	if m, err = tflite.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	return m
}

// compareLayers: no layer alone is off by more than a step.
func compareLayers(t *testing.T, g *graph.Graph, m *tflite.Model, data *datasets.Set) {
	t.Helper()
	rows, err := CompareLayers(g, m, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) < len(m.Subgraphs[0].Operators) {
		t.Errorf("%d values compared, the file has %d operators", len(rows), len(m.Subgraphs[0].Operators))
	}
	for _, r := range rows {
		if r.LayerLSB > 1.01 {
			t.Errorf("%s is %.2f steps off", r.Name, r.LayerLSB)
		}
	}
}

// TestFileIsTheSession: a network trained for a moment, quantized after training and with QAT: each layer within a step on 200 images, and the
// accuracies of file and session within a tenth of a point.
func TestFileIsTheSession(t *testing.T) {
	digits, err := mnist.Load()
	if err != nil {
		t.Fatal(err)
	}
	train, test := digits.Train.Take(0, 4000), digits.Test.Take(0, 1000)
	g, err := Network("arm-example", 1, train)
	if err != nil {
		t.Fatal(err)
	}
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Batch: 64, Seed: 1}
	if _, err := fit.Run(context.Background(), g, train); err != nil {
		t.Fatal(err)
	}
	qat := g.Clone()
	cfg := fakequant.Config{Calibration: train.Sample(100, 1)}
	if err := (fakequant.PTQ{Config: cfg}).Apply(g); err != nil {
		t.Fatal(err)
	}
	if err := (fakequant.QAT{Config: cfg}).Apply(qat); err != nil {
		t.Fatal(err)
	}
	fit.Solver = &optim.Adam{LearningRate: 1e-4}
	if _, err := fit.Run(context.Background(), qat, train.Take(0, 1280)); err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]*graph.Graph{"ptq": g, "qat": qat} {
		m := exported(t, g)
		compareLayers(t, g, m, test.Take(0, 200))
		e, err := optim.Evaluate(context.Background(), g, nil, []optim.Metric{&optim.Accuracy{}}, test, 100)
		if err != nil {
			t.Fatal(err)
		}
		a, err := interp.Accuracy(context.Background(), m, interp.TFLM, test, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d := math.Abs(a - e["accuracy"]); d > 0.0011 || a < 0.8 {
			t.Errorf("%s: accuracy %.4f of the file, %.4f of the session", name, a, e["accuracy"])
		}
	}
}
