package optim

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/temper-ml/temper/graph"
)

// place is where a run stands, as kept in the checkpoint's metadata. Floats go through JSON exactly.
type place struct {
	Step, Epoch, Batch int
	Seen, Right        int
	LossSum            float64
	BestLoss           *float64 // nil: none yet
	Since              int
	Solver             string
	BatchSize          int
	Seed               uint64
	Examples           int
	History            []EpochStats
}

const (
	placeKey     = "fit"
	solverPrefix = "solver/"
	bestPrefix   = "best/"
)

// save writes the checkpoint, if Fit has one.
func (r *run) save() error {
	if r.Checkpoint == "" {
		return nil
	}
	p := place{
		Step: r.step, Epoch: r.epoch, Batch: r.batch, Seen: r.seen, Right: r.right, LossSum: r.lossSum, Since: r.since,
		Solver: r.Solver.Describe(), BatchSize: r.Batch, Seed: r.Seed, Examples: r.data.Len(),
	}
	for _, e := range r.history.Epochs {
		e.Seconds, e.ExamplesPerSeconds = 0, 0 // equal runs give equal checkpoints
		p.History = append(p.History, e)
	}
	if r.Validation != nil && r.bestLoss < 1e300 {
		p.BestLoss = &r.bestLoss
	}
	js, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", r.Checkpoint, err)
	}
	c := &graph.Checkpoint{Graph: r.g, State: map[string][]float32{}, Meta: map[string]string{placeKey: string(js)}}
	maps.Copy(c.Meta, r.Meta)
	for k, x := range r.Solver.State() {
		c.State[solverPrefix+k] = x
	}
	for k, x := range r.best {
		c.State[bestPrefix+k] = x
	}
	return c.Save(r.Checkpoint)
}

// restore sets the run to where the checkpoint stands.
func (r *run) restore(c *graph.Checkpoint) error {
	var p place
	text, ok := c.Meta[placeKey]
	if !ok {
		return fmt.Errorf("the checkpoint is not from a training run")
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return fmt.Errorf("the checkpoint's place: %w", err)
	}
	for _, d := range []struct{ what, file, now string }{
		{"solver", p.Solver, r.Solver.Describe()},
		{"batch size", fmt.Sprint(p.BatchSize), fmt.Sprint(r.Batch)},
		{"seed", fmt.Sprint(p.Seed), fmt.Sprint(r.Seed)},
		{"number of examples", fmt.Sprint(p.Examples), fmt.Sprint(r.data.Len())},
	} {
		if d.file != d.now {
			return fmt.Errorf("the checkpoint was trained with %s %s, this run has %s", d.what, d.file, d.now)
		}
	}
	r.step, r.epoch, r.batch, r.seen, r.right, r.lossSum, r.since = p.Step, p.Epoch, p.Batch, p.Seen, p.Right, p.LossSum, p.Since
	r.history.Epochs, r.history.Steps = p.History, p.Step
	if p.BestLoss != nil {
		r.bestLoss = *p.BestLoss
	}
	for k, x := range c.State {
		if name, ok := strings.CutPrefix(k, solverPrefix); ok {
			r.Solver.State()[name] = x
		}
		if name, ok := strings.CutPrefix(k, bestPrefix); ok {
			if r.best == nil {
				r.best = map[string][]float32{}
			}
			r.best[name] = x
		}
	}
	return nil
}

// Finished tells whether a checkpoint's training had reached that number of epochs.
func Finished(c *graph.Checkpoint, epochs int) bool {
	var p place
	return json.Unmarshal([]byte(c.Meta[placeKey]), &p) == nil && p.Epoch >= epochs
}
