package optim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
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
	Loss               string
	Schedule, Clip     string
	Stopped            bool // early
	History            []EpochStats
}

const (
	placeKey     = "fit"
	solverPrefix = "solver/"
	bestPrefix   = "best/"
)

// save writes the checkpoint, if Fit has one. Numbers that are not finite do not replace a good checkpoint.
func (r *run) save() error {
	if r.Checkpoint == "" {
		return nil
	}
	for _, v := range r.g.Vars {
		if slices.ContainsFunc(v.Data, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }) {
			return fmt.Errorf("after step %d the var %s holds NaN or Inf: lower the learning rate or clip the gradients; checkpoint %s is left as it was",
				r.step, v.Name, r.Checkpoint)
		}
	}
	p := place{
		Step: r.step, Epoch: r.epoch, Batch: r.batch, Seen: r.seen, Right: r.right, LossSum: r.lossSum, Since: r.since,
		Solver: r.Solver.Describe(), BatchSize: r.Batch, Seed: r.Seed, Examples: r.data.Len(),
		Loss: describe(r.Loss), Schedule: describe(r.Schedule), Clip: describe(r.Clip), Stopped: r.stopped(),
	}
	for _, e := range r.history.Epochs {
		e.Seconds, e.ExamplesPerSeconds = 0, 0 // equal runs give equal checkpoints
		p.History = append(p.History, e)
	}
	if !math.IsInf(r.bestLoss, 1) {
		p.BestLoss = &r.bestLoss
	}
	js, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", r.Checkpoint, err)
	}
	c := &graph.Checkpoint{Graph: r.g, State: map[string][]float32{}, Meta: map[string]string{}}
	maps.Copy(c.Meta, r.Meta)
	c.Meta[placeKey] = string(js)
	for k, x := range r.Solver.State() {
		c.State[solverPrefix+k] = x
	}
	for k, x := range r.best {
		c.State[bestPrefix+k] = x
	}
	return c.Save(r.Checkpoint)
}

// describe names a type with its settings. What JSON cannot carry is named by its type alone.
func describe(x any) string {
	js, err := json.Marshal(x)
	if err != nil {
		js = nil
	}
	return fmt.Sprintf("%T%s", x, js)
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
		{"loss", p.Loss, describe(r.Loss)},
		{"schedule", p.Schedule, describe(r.Schedule)},
		{"clip", p.Clip, describe(r.Clip)},
	} {
		if d.file != d.now {
			return fmt.Errorf("the checkpoint was trained with %s %s, this run has %s: resume with the same, or train on from its weights as a new training", d.what, d.file, d.now)
		}
	}
	if err := p.check(); err != nil {
		return err
	}
	r.step, r.epoch, r.batch, r.seen, r.right, r.lossSum, r.since = p.Step, p.Epoch, p.Batch, p.Seen, p.Right, p.LossSum, p.Since
	r.history.Epochs, r.history.Steps = p.History, p.Step
	if p.BestLoss != nil {
		r.bestLoss = *p.BestLoss
	}
	return r.restoreState(c)
}

// check refuses a place that no run can have reached.
func (p *place) check() error {
	batches := (p.Examples + p.BatchSize - 1) / p.BatchSize
	if p.Batch < 0 || p.Batch > batches || p.Epoch < 0 || p.Since < 0 || p.Since > p.Epoch || p.Step < p.Batch || p.Seen < 0 || p.Seen > p.Examples ||
		p.Right < 0 || p.Right > p.Seen || len(p.History) != p.Epoch {
		return fmt.Errorf("the checkpoint's place is damaged: step %d, epoch %d with %d in the history, batch %d of %d, %d of %d examples right of %d",
			p.Step, p.Epoch, len(p.History), p.Batch, batches, p.Right, p.Seen, p.Examples)
	}
	return nil
}

// restoreState takes the arrays of the checkpoint, each as long as its Var.
func (r *run) restoreState(c *graph.Checkpoint) error {
	r.best = map[string][]float32{}
	for k, x := range c.State {
		kind, key, _ := strings.Cut(k, "/")
		to, name := r.best, key
		switch kind + "/" {
		case bestPrefix:
		case solverPrefix:
			to = r.Solver.State()
			_, name, _ = strings.Cut(key, "/")
		default:
			continue // somebody else's
		}
		if v := r.g.Var(name); v == nil || len(v.Data) != len(x) {
			return fmt.Errorf("the checkpoint's array %s of %d elements does not fit the graph", k, len(x))
		}
		to[key] = x
	}
	return nil
}

// Finished tells whether a checkpoint's training had reached that number of epochs, or had stopped early; it then holds the final weights.
func Finished(c *graph.Checkpoint, epochs int) bool {
	var p place
	return json.Unmarshal([]byte(c.Meta[placeKey]), &p) == nil && (p.Epoch >= epochs || p.Stopped)
}
