package optim

import (
	"context"
	"fmt"
	"io"
	"iter"

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
	Epoch              int                `json:"epoch"` // from 1
	Loss               float64            `json:"loss"`
	Accuracy           float64            `json:"accuracy"`
	Validation         map[string]float64 `json:"validation"` // "loss" and the metrics; nil without validation data
	Seconds            float64            `json:"seconds"`
	ExamplesPerSeconds float64            `json:"examples_per_second"`
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

// Fit is the training loop. Zero fields have defaults; Loss is required. A Fit may run again, with the same or another graph: every Run starts
// its Solver afresh.
type Fit struct {
	Loss     graph.Loss
	Solver   Solver   // default Adam
	Schedule Schedule // default Constant
	Clip     Clip
	Batch    int    // default 32
	Epochs   int    // default 1
	Seed     uint64 // of the order of the examples; 0: as stored

	Session []graph.Option // of the training session, such as graph.Timed

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

// Resume goes on from a checkpoint of the same Fit, to the same bits as if it had not stopped. The graph is that of the checkpoint. What decides the
// steps must be as it was: loss, solver, schedule, clip, batch size, seed, and the number of examples; Epochs may have grown.
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

// Steps is how many steps a training on data has, if nothing ends it early.
func (f Fit) Steps(data Data) int {
	f.defaults()
	return f.Epochs * ((data.Len() + f.Batch - 1) / f.Batch)
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
