package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
)

// step is a conditioner's settings.
type step interface {
	Check() error
	Conditioner(train *datasets.Set, steps int) (temper.Conditioner, error)
}

// condition applies a step to a checkpoint, trains (no epochs: goes to the end of the schedule at once), and writes the checkpoint. With resume, the training of the
// checkpoint goes on.
func (a *app) condition(cmd *cobra.Command, t *training, s step, path string, resume bool) error {
	if err := s.Check(); err != nil {
		return usageError{err}
	}
	if err := t.open(cmd.Context(), a); err != nil {
		return err
	}
	from, err := graph.Load(path)
	if err != nil {
		return err
	}
	if err := temper.Classifies(from.Graph, t.train); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	steps := 0
	if t.Epochs > 0 {
		steps = t.fit.Steps(t.examples)
	}
	c, err := s.Conditioner(t.train, steps)
	if err != nil {
		return usageError{err}
	}
	if err := t.apply(cmd.Context(), a, temper.Chain{c}, from, steps, resume); err != nil {
		return t.hint(cmd, fmt.Errorf("%s: %w", path, err))
	}
	return a.trained(cmd, t, from.Graph)
}

// apply applies and trains.
func (t *training) apply(ctx context.Context, a *app, chain temper.Chain, from *graph.Checkpoint, steps int, resume bool) error {
	if steps > 0 {
		if err := chain.Fits(steps); err != nil {
			return err
		}
	}
	if resume {
		_, err := t.fit.Resume(ctx, from, t.examples, chain.Hooks()...)
		return err
	}
	text, err := temper.Describe(chain[0], from.Graph)
	if err != nil {
		return err
	}
	fmt.Fprint(a.err, text)
	if steps == 0 {
		if err := chain.AtOnce(from.Graph); err != nil {
			return err
		}
		return (&graph.Checkpoint{Graph: from.Graph}).Save(t.out)
	}
	if err := chain.Apply(from.Graph); err != nil {
		return err
	}
	_, err = t.fit.Run(ctx, from.Graph, t.examples, chain.Hooks()...)
	return err
}
