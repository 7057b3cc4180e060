package optim

import (
	"context"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/temper-ml/temper/graph"
)

// Data is what a network is trained on, such as a datasets.Set.
type Data interface {
	Len() int
	// Batches yields the examples of an epoch, size at a time (the last batch may be shorter) from batch number start on, in an order that
	// seed and epoch decide; seed 0 is the stored order. x and y are valid until the next batch.
	Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32]
}

// Hook is called around training steps; nil functions are left out. Conditioners change Vars in BeforeStep.
type Hook struct {
	BeforeStep func(g *graph.Graph, step int) error
	AfterStep  func(step int, loss float64) error
	AfterEpoch func(e EpochStats) error
}

// EpochStats is one line of the history.
type EpochStats struct {
	Epoch              int // from 1
	Loss, Accuracy     float64
	Validation         map[string]float64 // "loss" and the metrics; nil without validation data
	Seconds            float64
	ExamplesPerSeconds float64
}

// History is what a training run reports.
type History struct {
	Epochs []EpochStats
	Steps  int // of all sittings
}

// EarlyStopping ends training when the validation loss has not fallen by MinDelta for Patience epochs.
type EarlyStopping struct {
	Patience int
	MinDelta float64
}

// Fit is the training loop. Zero fields have defaults; Loss is required.
type Fit struct {
	Loss     graph.Loss
	Solver   Solver   // default Adam
	Schedule Schedule // default Constant
	Clip     Clip
	Batch    int // default 32
	Epochs   int // default 1
	Seed     uint64

	Validation Data
	Metrics    []Metric
	Early      EarlyStopping
	Best       bool // end with the weights of the epoch with the lowest validation loss

	Checkpoint string            // file to save to: after each epoch, every CheckpointEvery steps, and when interrupted
	Every      int               // steps between checkpoints; 0: epochs only
	Meta       map[string]string // kept in the checkpoint for the caller

	Progress io.Writer // bars on a terminal, lines elsewhere; nil: silent
	Label    string    // of the progress
}

// Interrupted is the error of a run whose context ended: everything is in the checkpoint.
type Interrupted struct {
	Path string // of the checkpoint, "" when Fit has none
	Step int
	Err  error
}

func (e *Interrupted) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("interrupted after step %d; there is no checkpoint", e.Step)
	}
	return fmt.Sprintf("interrupted after step %d; checkpoint %s", e.Step, e.Path)
}

func (e *Interrupted) Unwrap() error { return e.Err }

// Run trains g from the start.
func (f Fit) Run(ctx context.Context, g *graph.Graph, data Data, hooks ...Hook) (*History, error) {
	f.defaults()
	r, err := f.newRun(g, data, hooks)
	if err != nil {
		return nil, err
	}
	defer r.session.Close()
	return r.train(ctx)
}

// Resume goes on from a checkpoint of the same Fit, to the same bits as if it had not stopped. The graph is that of the checkpoint.
func (f Fit) Resume(ctx context.Context, c *graph.Checkpoint, data Data, hooks ...Hook) (*History, error) {
	f.defaults()
	r, err := f.newRun(c.Graph, data, hooks)
	if err != nil {
		return nil, err
	}
	defer r.session.Close()
	if err := r.restore(c); err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	return r.train(ctx)
}

func (f *Fit) defaults() {
	if f.Solver == nil {
		f.Solver = &Adam{}
	}
	if f.Schedule == nil {
		f.Schedule = Constant{}
	}
	if f.Batch == 0 {
		f.Batch = 32
	}
	if f.Epochs == 0 {
		f.Epochs = 1
	}
	if f.Label == "" {
		f.Label = "train"
	}
}

// run is a training run in progress: what a checkpoint must hold.
type run struct {
	Fit
	g       *graph.Graph
	data    Data
	hooks   []Hook
	session *graph.Session
	history *History

	step     int // steps done
	epoch    int // epochs done
	batch    int // batches of this epoch done
	lossSum  float64
	right    int
	seen     int
	seconds  float64 // of this epoch
	bestLoss float64
	since    int // epochs since the best
	best     map[string][]float32
}

func (f *Fit) newRun(g *graph.Graph, data Data, hooks []Hook) (*run, error) {
	if f.Loss == nil {
		return nil, fmt.Errorf("fit: no loss")
	}
	if f.Batch < 0 || f.Epochs < 0 {
		return nil, fmt.Errorf("fit: batch %d and epochs %d must be positive", f.Batch, f.Epochs)
	}
	if data == nil || data.Len() == 0 {
		return nil, fmt.Errorf("fit: no training data")
	}
	if (f.Best || f.Early.Patience > 0) && f.Validation == nil {
		return nil, fmt.Errorf("fit: the best epoch and early stopping need validation data")
	}
	s, err := graph.NewTrain(g, f.Loss)
	if err != nil {
		return nil, err
	}
	return &run{Fit: *f, g: g, data: data, hooks: hooks, session: s, history: &History{}, bestLoss: math.Inf(1)}, nil
}

func (r *run) train(ctx context.Context) (*History, error) {
	for r.epoch < r.Epochs {
		stop, err := r.runEpoch(ctx)
		if err != nil {
			return r.history, err
		}
		if stop {
			break
		}
	}
	if r.Best && r.best != nil {
		for _, v := range r.g.Vars {
			if x := r.best[v.Name]; x != nil {
				copy(v.Data, x)
			}
		}
	}
	return r.history, r.save()
}

// runEpoch runs the rest of the current epoch.
func (r *run) runEpoch(ctx context.Context) (stop bool, err error) {
	bar := newBar(r.Progress, fmt.Sprintf("%s %d/%d", r.Label, r.epoch+1, r.Epochs), r.data.Len(), r.seen)
	defer bar.done()
	begin := time.Now()
	before := r.seconds
	for x, y := range r.data.Batches(r.Seed, r.epoch, r.Batch, r.batch) {
		if ctx.Err() != nil {
			r.seconds = before + time.Since(begin).Seconds()
			if err := r.save(); err != nil {
				return true, err
			}
			return true, &Interrupted{r.Checkpoint, r.step, ctx.Err()}
		}
		n, err := r.one(x, y)
		if err != nil {
			return true, fmt.Errorf("epoch %d, step %d: %w", r.epoch+1, r.step+1, err)
		}
		bar.add(n, r.lossSum/float64(r.seen), float64(r.right)/float64(r.seen), r.isClassifier())
		if r.Every > 0 && r.step%r.Every == 0 {
			if err := r.save(); err != nil {
				return true, err
			}
		}
	}
	r.seconds = before + time.Since(begin).Seconds()
	bar.done()
	return r.endEpoch(ctx)
}

// one does a step.
func (r *run) one(x, y []float32) (int, error) {
	for _, h := range r.hooks {
		if h.BeforeStep != nil {
			if err := h.BeforeStep(r.g, r.step); err != nil {
				return 0, err
			}
		}
	}
	loss, err := r.session.Step(y, x)
	if err != nil {
		return 0, err
	}
	grads := r.session.Grads()
	r.Clip.apply(grads)
	rate := r.Solver.Rate() * r.Schedule.At(r.step)
	for i, v := range r.session.Params() {
		r.Solver.Step(v, grads[i], rate, r.step+1)
	}
	n := len(x) / r.g.Inputs[0].Shape.Volume()
	r.step++
	r.batch++
	r.seen += n
	r.lossSum += loss * float64(n)
	if r.isClassifier() {
		pred := r.session.Prediction()
		c := len(pred) / n
		for i := range n {
			if ArgMax(pred[i*c:(i+1)*c]) == int(y[i]) {
				r.right++
			}
		}
	}
	for _, h := range r.hooks {
		if h.AfterStep != nil {
			if err := h.AfterStep(r.step, loss); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

func (r *run) isClassifier() bool {
	_, ok := r.Loss.(SoftmaxCrossEntropy)
	return ok
}

func (r *run) endEpoch(ctx context.Context) (stop bool, err error) {
	e := EpochStats{Epoch: r.epoch + 1, Loss: r.lossSum / float64(max(r.seen, 1)), Seconds: r.seconds}
	if r.isClassifier() {
		e.Accuracy = float64(r.right) / float64(max(r.seen, 1))
	}
	if r.seconds > 0 {
		e.ExamplesPerSeconds = float64(r.seen) / r.seconds
	}
	if r.Validation != nil {
		if e.Validation, err = Evaluate(ctx, r.g, r.Loss, r.Metrics, r.Validation, r.Batch); err != nil {
			return true, fmt.Errorf("validation after epoch %d: %w", e.Epoch, err)
		}
		stop = r.judge(e.Validation["loss"])
	}
	r.history.Epochs = append(r.history.Epochs, e)
	r.epoch++
	r.batch, r.lossSum, r.right, r.seen, r.seconds = 0, 0, 0, 0, 0
	r.history.Steps = r.step
	report(r.Progress, r.Label, e, r.Epochs, r.isClassifier())
	for _, h := range r.hooks {
		if h.AfterEpoch != nil {
			if err := h.AfterEpoch(e); err != nil {
				return true, err
			}
		}
	}
	return stop, r.save()
}

// judge keeps the best weights and tells whether to stop early.
func (r *run) judge(loss float64) bool {
	if loss < r.bestLoss-r.Early.MinDelta {
		r.bestLoss, r.since = loss, 0
		if r.Best {
			r.best = map[string][]float32{}
			for _, v := range r.g.Vars {
				r.best[v.Name] = append([]float32{}, v.Data...)
			}
		}
		return false
	}
	r.since++
	return r.Early.Patience > 0 && r.since >= r.Early.Patience
}

// Evaluate runs an eval session over data and returns the loss and the metrics by name.
func Evaluate(ctx context.Context, g *graph.Graph, loss graph.Loss, metrics []Metric, data Data, batch int) (map[string]float64, error) {
	s, err := graph.NewEval(g)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for _, m := range metrics {
		m.Reset()
	}
	result := map[string]float64{}
	sum, seen := 0.0, 0
	for x, y := range data.Batches(0, 0, batch, 0) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.Forward(x); err != nil {
			return nil, err
		}
		n := len(x) / g.Inputs[0].Shape.Volume()
		pred := s.Output(0)
		if loss != nil {
			sum += loss.Forward(s.Logits(loss), y, n) * float64(n)
		}
		for _, m := range metrics {
			m.Update(pred, y, n)
		}
		seen += n
	}
	if loss != nil {
		result["loss"] = sum / float64(max(seen, 1))
	}
	for _, m := range metrics {
		result[m.Name()] = m.Result()
	}
	return result, nil
}
