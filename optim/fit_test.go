package optim

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// TestLearns: each solver learns to tell rows from columns.
func TestLearns(t *testing.T) {
	for _, s := range []Solver{&SGD{LearningRate: 0.1, Momentum: 0.9}, &Adam{LearningRate: 0.02}, AdamW(0.02, 0.001), &RMSprop{LearningRate: 0.01}} {
		g := convNet(t)
		h := mustRun(t, Fit{Loss: SoftmaxCrossEntropy{}, Solver: s, Batch: 16, Epochs: 12, Seed: 1}, g, stripes(128, 1))
		m, err := Evaluate(context.Background(), g, SoftmaxCrossEntropy{}, []Metric{&Accuracy{}}, stripes(64, 2), 64)
		if err != nil {
			t.Fatal(err)
		}
		if m["accuracy"] < 0.9 || h.Epochs[11].Accuracy < 0.8 || h.Epochs[11].Loss > h.Epochs[0].Loss/2 {
			t.Errorf("%s: accuracy %g on new images, history %+v", s.Describe(), m["accuracy"], h.Epochs)
		}
	}
}

// TestRegression fits a line exactly: y = 2a - b + 3.
func TestRegression(t *testing.T) {
	d := rows{width: 2, per: 1}
	for i := range 16 {
		a, b := float32(i%4), float32(i/4)
		d.x, d.y = append(d.x, a, b), append(d.y, 2*a-b+3)
	}
	g := lineNet(t, 2, 1)
	mustRun(t, Fit{Loss: MeanSquaredError{}, Solver: &SGD{LearningRate: 0.1}, Batch: 16, Epochs: 300}, g, d)
	got := append(append([]float32{}, g.Var("dense/kernel").Data...), g.Var("dense/bias").Data...)
	if diff := cmp.Diff([]float32{2, -1, 3}, got, nearlyTo(1e-3)); diff != "" {
		t.Error(diff)
	}
}

// TestShortBatchCounts by its examples: with a learning rate too small to matter, the loss of an epoch is the mean over all examples. Squares of
// 1, 1, 1, 1 and 6 in batches of 4 and 1 are a mean of 8, not (1+36)/2.
func TestShortBatchCounts(t *testing.T) {
	g := lineNet(t, 1, 1)
	clear(g.Var("dense/kernel").Data)
	d := rows{x: make([]float32, 5), y: []float32{1, 1, 1, 1, 6}, width: 1, per: 1}
	h := mustRun(t, Fit{Loss: MeanSquaredError{}, Solver: &SGD{LearningRate: 1e-9}, Batch: 4, Validation: d, Metrics: []Metric{&MSE{}}}, g, d)
	e := h.Epochs[0]
	if diff := cmp.Diff([]float64{8, 8, 8}, []float64{e.Loss, e.Validation["loss"], e.Validation["mse"]}, nearlyTo(1e-5)); diff != "" || h.Steps != 2 {
		t.Errorf("%d steps; %s", h.Steps, diff)
	}
}

// valley is a training whose validation loss falls and rises again: the weight w goes 0.4, 0.8, ... by steps that the loss of a linear output
// makes constant, while validation is best at w = 1.
func valley(t testing.TB) (*graph.Graph, rows, rows) {
	g := trace(t, layers.Model{Name: "valley", Input: layers.Shape{1}, Layer: layers.Dense{Units: 1, NoBias: true, Init: layers.Zeros}})
	return g, rows{x: []float32{1}, y: []float32{100}, width: 1, per: 1}, rows{x: []float32{1}, y: []float32{1}, width: 1, per: 1}
}

func valleyFit(v Data) Fit {
	// the gradient, some -200, is clipped to -1: w grows by 0.4 a step
	return Fit{Loss: MeanSquaredError{}, Solver: &SGD{LearningRate: 0.4}, Clip: Clip{Value: 1}, Epochs: 20, Validation: v}
}

func TestEarlyStopping(t *testing.T) {
	for _, c := range []struct {
		name   string
		early  EarlyStopping
		best   bool
		epochs int
		weight float32
	}{
		{"none", EarlyStopping{}, false, 20, 8},
		{"patience 1", EarlyStopping{Patience: 1}, false, 3, 1.2}, // validation 0.36, 0.04, 0.04
		{"patience 3", EarlyStopping{Patience: 3}, false, 5, 2},
		{"min delta", EarlyStopping{Patience: 1, MinDelta: 0.4}, false, 2, 0.8}, // 0.36 to 0.04 is less
		{"best", EarlyStopping{Patience: 3}, true, 5, 0.8},
		{"best of all", EarlyStopping{}, true, 20, 0.8},
	} {
		g, train, validation := valley(t)
		path := filepath.Join(t.TempDir(), "x.temper")
		fit := valleyFit(validation)
		fit.Early, fit.Best, fit.Checkpoint = c.early, c.best, path
		h := mustRun(t, fit, g, train)
		w := g.Var("dense/kernel").Data[0]
		if len(h.Epochs) != c.epochs || math.Abs(float64(w-c.weight)) > 1e-5 {
			t.Errorf("%s: %d epochs to the weight %g, want %d to %g", c.name, len(h.Epochs), w, c.epochs, c.weight)
		}
		if got := mustLoad(t, path).Graph.Var("dense/kernel").Data[0]; got != w {
			t.Errorf("%s: the checkpoint has the weight %g, the graph %g", c.name, got, w)
		}
		// A run that stopped early stays stopped.
		if c := mustLoad(t, path); !Finished(c, 20) {
			t.Error("a run that ended is not finished")
		}
		first := mustRead(t, path)
		if h, err := fit.Resume(context.Background(), mustLoad(t, path), train); err != nil || len(h.Epochs) != c.epochs {
			t.Errorf("%s: resuming a finished run: %v, %d epochs", c.name, err, len(h.Epochs))
		}
		if !bytes.Equal(first, mustRead(t, path)) {
			t.Errorf("%s: resuming a finished run changed the checkpoint", c.name)
		}
	}
}

// TestLossThatIsNotFinite names where it began, and leaves the last good checkpoint alone.
func TestLossThatIsNotFinite(t *testing.T) {
	d := stripes(40, 1)
	bad := stripes(40, 1)
	bad.x[36*17+5] = float32(math.NaN())
	path := filepath.Join(t.TempDir(), "x.temper")
	fit := Fit{Loss: SoftmaxCrossEntropy{}, Batch: 8, Checkpoint: path, Every: 1}
	_, err := fit.Run(context.Background(), convNet(t), bad)
	wantError(t, err, "epoch 1, step 3", "the loss is NaN", "the input input holds NaN or Inf")
	if c := mustLoad(t, path); !strings.Contains(c.Meta[placeKey], `"Step":2,`) {
		t.Errorf("the checkpoint is not of step 2: %s", c.Meta[placeKey])
	}

	before := mustRead(t, path)
	g := convNet(t)
	_, err = fit.Run(context.Background(), g, d, Hook{BeforeStep: func(g *graph.Graph, step int) error {
		g.Var("conv2d/kernel").Data[0] = float32(math.Inf(1))
		return nil
	}})
	wantError(t, err, "epoch 1, step 1", "the var conv2d/kernel, read by conv2d/conv2d, holds NaN or Inf")
	// An overflow within the network, of finite numbers.
	_, err = fit.Run(context.Background(), g.Clone(), d, Hook{BeforeStep: func(g *graph.Graph, step int) error {
		for i := range g.Var("conv2d/kernel").Data {
			g.Var("conv2d/kernel").Data[i] = 3e38
		}
		return nil
	}})
	wantError(t, err, "epoch 1, step 1", "conv2d/conv2d (Conv2D) made the first NaN or Inf")
	// Weights that break in the update, after a good loss, were saved once.
	fit.Solver = &SGD{LearningRate: 1e300}
	_, err = fit.Run(context.Background(), convNet(t), d)
	wantError(t, err, "after step 1 the var", "holds NaN or Inf", "is left as it was")
	if !bytes.Equal(before, mustRead(t, path)) {
		t.Error("a failed run touched the last good checkpoint")
	}
	_, err = Evaluate(context.Background(), convNet(t), SoftmaxCrossEntropy{}, nil, bad, 8)
	wantError(t, err, "an output is NaN or Inf", "the input holds such a value")
	_, err = Evaluate(context.Background(), g, nil, []Metric{&Accuracy{}}, d, 8)
	wantError(t, err, "the var conv2d/kernel, read by conv2d/conv2d, holds such a value")
	for i := range g.Var("conv2d/kernel").Data {
		g.Var("conv2d/kernel").Data[i] = 3e38
	}
	_, err = Evaluate(context.Background(), g, SoftmaxCrossEntropy{}, nil, d, 8)
	wantError(t, err, "conv2d/conv2d (Conv2D) made the first")
}

// TestProgressLines: what is not a terminal gets one plain line an epoch.
func TestProgressLines(t *testing.T) {
	var out bytes.Buffer
	fit := stripesFit("")
	fit.Progress, fit.Label, fit.Epochs = &out, "float", 2
	h := mustRun(t, fit, convNet(t), stripesData())
	want := `^float 1/2  loss \d\.\d{4}  accuracy \d+\.\d\d %  validation auc \d\.\d{4}  validation loss \d\.\d{4}  \d+ img/s  \d+\.\d s
float 2/2  loss .*
$`
	if !regexp.MustCompile(want).MatchString(out.String()) || strings.ContainsAny(out.String(), "\r\x1b") {
		t.Errorf("progress:\n%s\nwant\n%s", out.String(), want)
	}
	for _, e := range h.Epochs {
		if !(e.Seconds > 0) || !(e.ExamplesPerSeconds > 0) {
			t.Errorf("epoch %d took %g s at %g images a second", e.Epoch, e.Seconds, e.ExamplesPerSeconds)
		}
	}
	out.Reset()
	mustRun(t, Fit{Loss: MeanSquaredError{}, Progress: &out}, lineNet(t, 1, 1), rows{x: []float32{1}, y: []float32{1}, width: 1, per: 1})
	if strings.Contains(out.String(), "accuracy") || !strings.HasPrefix(out.String(), "train 1/1  loss ") {
		t.Errorf("progress of a regression: %q", out.String())
	}
}

// TestHooks are called in order, with the steps done, and their errors stop the run and say where.
func TestHooks(t *testing.T) {
	var calls []string
	hook := Hook{
		BeforeStep: func(_ *graph.Graph, step int) error { calls = append(calls, fmt.Sprint("before ", step)); return nil },
		AfterStep:  func(step int, _ float64) error { calls = append(calls, fmt.Sprint("after ", step)); return nil },
		AfterEpoch: func(e EpochStats) error { calls = append(calls, fmt.Sprint("epoch ", e.Epoch)); return nil },
	}
	d := rows{x: []float32{1, 2}, y: []float32{1, 2}, width: 1, per: 1}
	fit := Fit{Loss: MeanSquaredError{}, Batch: 1, Epochs: 2}
	mustRun(t, fit, lineNet(t, 1, 1), d, hook, Hook{})
	want := []string{"before 0", "after 1", "before 1", "after 2", "epoch 1", "before 2", "after 3", "before 3", "after 4", "epoch 2"}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Error(diff)
	}
	_, err := fit.Run(context.Background(), lineNet(t, 1, 1), d, Hook{AfterStep: func(int, float64) error { return fmt.Errorf("no") }})
	wantError(t, err, "epoch 1, step 1: no")
	_, err = fit.Run(context.Background(), lineNet(t, 1, 1), d, Hook{AfterEpoch: func(EpochStats) error { return fmt.Errorf("no") }})
	wantError(t, err, "after epoch 1: no")
}

// steps yields the same batch again and again.
type steps struct {
	x, y []float32
	n    int
}

func (d steps) Len() int { return d.n * len(d.y) }

func (d steps) Batches(uint64, int, int, int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		for range d.n {
			if !yield(d.x, d.y) {
				return
			}
		}
	}
}

// raceDetector is set where the tests are built with -race.
var raceDetector bool

// TestMemoryOfAStep does not grow with the batch: all results are preallocated, what remains is the machine's own bookkeeping.
func TestMemoryOfAStep(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector sync.Pool drops at random what it holds")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // a collection empties the pools
	perStep := func(batch int) uint64 {
		d := stripes(batch, 1)
		var now runtime.MemStats
		var total []uint64
		const warm, count = 5, 25
		mustRun(t, Fit{Loss: SoftmaxCrossEntropy{}, Batch: batch}, wideNet(t), steps{d.x, d.y, warm + count}, Hook{AfterStep: func(step int, _ float64) error {
			if runtime.ReadMemStats(&now); step >= warm {
				total = append(total, now.TotalAlloc)
			}
			return nil
		}})
		var each []uint64
		for i, t := range total[1:] {
			each = append(each, t-total[i])
		}
		slices.Sort(each) // the median: a worker that is late to its first piece takes its scratch memory in some step
		return each[len(each)/2]
	}
	small, large := perStep(8), perStep(64)
	t.Logf("%d bytes a step of 8, %d of 64", small, large)
	// One activation of this network has 8*24*24*16*4 = 295 kB a batch of 8.
	if limit := uint64(64 << 10); small > limit || large > limit {
		t.Errorf("%d bytes a step of 8, %d of 64: want less than %d", small, large, limit)
	}
}
