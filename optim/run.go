package optim

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/temper-ml/temper/graph"
)

// run is a training run in progress: what a checkpoint must hold.
type run struct {
	Fit
	g       *graph.Graph
	data    Data
	hooks   []Hook
	session *graph.Session
	history *History
	update  *update // nil until the first step

	step     int     // steps done
	epoch    int     // epochs done
	batch    int     // batches of this epoch done
	loss     float64 // of the last step
	lossSum  float64
	right    int
	seen     int
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
	if rate := f.Solver.Rate(); !(rate > 0) || math.IsInf(rate, 1) {
		return nil, fmt.Errorf("fit: learning rate %g must be positive", rate)
	}
	if data == nil || data.Len() == 0 {
		return nil, fmt.Errorf("fit: no training data")
	}
	if (f.Best || f.Early.Patience > 0) && f.Validation == nil {
		return nil, fmt.Errorf("fit: the best epoch and early stopping need validation data")
	}
	s, err := graph.NewTrain(g, f.Loss, f.Session...)
	if err != nil {
		return nil, err
	}
	clear(f.Solver.State()) // of an earlier run with the same Fit
	return &run{Fit: *f, g: g, data: data, hooks: hooks, session: s, history: &History{}, bestLoss: math.Inf(1)}, nil
}

func (r *run) train(ctx context.Context) (*History, error) {
	for !r.finished() {
		if err := r.runEpoch(ctx); err != nil {
			return r.history, err
		}
		if r.finished() {
			break
		}
		if err := r.save(); err != nil {
			return r.history, err
		}
	}
	// The last epoch and the return to the best weights are one save, so that a checkpoint with all epochs done always holds the final weights.
	for _, v := range r.g.Vars {
		if x := r.best[v.Name]; r.Best && x != nil {
			copy(v.Data, x)
		}
	}
	return r.history, r.save()
}

// finished tells whether all epochs are done, or early stopping ended them.
func (r *run) finished() bool { return r.epoch >= r.Epochs || r.stopped() }

// stopped tells whether early stopping ended the run.
func (r *run) stopped() bool { return r.Early.Patience > 0 && r.since >= r.Early.Patience }

// interrupted saves the checkpoint and returns the error of a run whose context ended.
func (r *run) interrupted(ctx context.Context) error {
	if err := r.save(); err != nil {
		return err
	}
	return &Interrupted{r.Checkpoint, r.step, ctx.Err()}
}

// runEpoch runs the rest of the current epoch.
func (r *run) runEpoch(ctx context.Context) error {
	bar := newBar(r.Progress, fmt.Sprintf("%s %d/%d", r.Label, r.epoch+1, r.Epochs), r.data.Len(), r.seen)
	defer bar.done()
	begin, before := time.Now(), r.seen
	for x, y := range r.data.Batches(r.Seed, r.epoch, r.Batch, r.batch) {
		if ctx.Err() != nil {
			return r.interrupted(ctx)
		}
		n, err := r.one(x, y)
		if err != nil {
			return fmt.Errorf("epoch %d, step %d: %w", r.epoch+1, r.step+1, err)
		}
		bar.add(n, r.lossSum/float64(r.seen), float64(r.right)/float64(r.seen), isClassifier(r.Loss))
		if err := r.afterStep(); err != nil {
			return fmt.Errorf("epoch %d, step %d: %w", r.epoch+1, r.step, err)
		}
	}
	if r.seen == 0 {
		return fmt.Errorf("epoch %d: the training data yielded no batch", r.epoch+1)
	}
	bar.done()
	return r.endEpoch(ctx, time.Since(begin).Seconds(), r.seen-before)
}

// one does a step on n examples.
func (r *run) one(x, y []float32) (n int, err error) {
	for _, h := range r.hooks {
		if h.BeforeStep != nil {
			if err := h.BeforeStep(r.g, r.step); err != nil {
				return 0, err
			}
		}
	}
	if err := checkTargets(r.Loss, y, r.g.Outputs[0].Shape.Volume()); err != nil {
		return 0, err
	}
	loss, err := r.session.Step(y, x)
	if err != nil {
		return 0, err
	}
	grads := r.session.Grads()
	r.Clip.apply(grads)
	rate := r.Solver.Rate() * r.Schedule.At(r.step)
	r.move(grads, rate)
	n = len(x) / r.g.Inputs[0].Shape.Volume()
	r.step++
	r.batch++
	r.seen += n
	r.loss = loss
	r.lossSum += loss * float64(n)
	if isClassifier(r.Loss) {
		r.right += correct(r.session.Prediction(), y, n)
	}
	return n, nil
}

// move makes the solver's step. A solver of somebody else gets one Var after the other.
func (r *run) move(grads [][]float32, rate float64) {
	if p, ok := r.Solver.(pass); ok {
		if r.update == nil { // now, not before a checkpoint has set the moments
			r.update = newUpdate(p, r.session.Params())
		}
		r.update.step(grads, rate, r.step+1)
		return
	}
	for i, v := range r.session.Params() {
		r.Solver.Step(v, grads[i], rate, r.step+1)
	}
}

// afterStep tells the hooks, and saves every so often.
func (r *run) afterStep() error {
	for _, h := range r.hooks {
		if h.AfterStep != nil {
			if err := h.AfterStep(r.step, r.loss); err != nil {
				return err
			}
		}
	}
	if r.Every > 0 && r.step%r.Every == 0 {
		return r.save()
	}
	return nil
}

// endEpoch validates and writes the line of the history. seconds were spent on n examples of the epoch in this sitting.
func (r *run) endEpoch(ctx context.Context, seconds float64, n int) error {
	e := EpochStats{Epoch: r.epoch + 1, Loss: r.lossSum / float64(r.seen), Seconds: seconds}
	if isClassifier(r.Loss) {
		e.Accuracy = float64(r.right) / float64(r.seen)
	}
	if seconds > 0 {
		e.ExamplesPerSeconds = float64(n) / seconds
	}
	if r.Validation != nil {
		var err error
		e.Validation, err = Evaluate(ctx, r.g, r.Loss, r.Metrics, r.Validation, r.Batch)
		if ctx.Err() != nil {
			return r.interrupted(ctx) // with all steps of the epoch done: the resumed run validates
		}
		if err != nil {
			return fmt.Errorf("validation after epoch %d: %w", e.Epoch, err)
		}
		r.judge(e.Validation["loss"])
	}
	r.history.Epochs = append(r.history.Epochs, e)
	r.epoch++
	r.batch, r.lossSum, r.right, r.seen = 0, 0, 0, 0
	r.history.Steps = r.step
	report(r.Progress, r.Label, e, r.Epochs, isClassifier(r.Loss))
	for _, h := range r.hooks {
		if h.AfterEpoch != nil {
			if err := h.AfterEpoch(e); err != nil {
				return fmt.Errorf("after epoch %d: %w", e.Epoch, err)
			}
		}
	}
	return nil
}

// judge keeps the best weights and counts the epochs since.
func (r *run) judge(loss float64) {
	if loss >= r.bestLoss-r.Early.MinDelta {
		r.since++
		return
	}
	r.bestLoss, r.since = loss, 0
	if !r.Best {
		return
	}
	r.best = map[string][]float32{}
	for _, v := range r.g.Vars {
		r.best[v.Name] = append([]float32{}, v.Data...)
	}
}
