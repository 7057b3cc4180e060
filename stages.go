package temper

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/optim"
)

// runner does the stages of a recipe.
type runner struct {
	r           Recipe
	o           Options
	train, test *datasets.Set
	base        *made            // the float network
	done        map[string]*made // stages, by identity
	results     []Result
}

// made is what a stage ends with, and the trainings up to there. Nobody changes its graph.
type made struct {
	graph  *graph.Graph
	stages []Stage
}

const (
	trainLabel = "train"
	recipeKey  = "recipe"
)

func (u *runner) say(format string, args ...any) {
	if u.o.Progress != nil {
		fmt.Fprintf(u.o.Progress, format, args...)
	}
}

// float trains the network of the recipe.
func (u *runner) float(ctx context.Context) error {
	begin := time.Now()
	identity, err := u.r.identity()
	if err != nil {
		return err
	}
	path := filepath.Join(u.o.Out, floatName+checkpointExt)
	m, err := u.trained(ctx, training{Train: u.r.Train, label: trainLabel, path: path, identity: identity}, u.network)
	if err != nil {
		return err
	}
	u.base = m
	e, err := optim.Evaluate(ctx, m.graph, nil, []optim.Metric{&optim.Accuracy{}}, u.test, u.r.Train.Batch)
	if err != nil {
		return err
	}
	return u.add(Result{Name: floatName, File: path, Accuracy: e["accuracy"], Stages: m.stages, float: m.graph, graph: m.graph}, begin)
}

// network is the recipe's model: a name, or a checkpoint.
func (u *runner) network() (*graph.Graph, error) {
	g, err := Network(u.r.Model, u.r.Train.Seed, u.train)
	if err != nil {
		return nil, err
	}
	return g, Classifies(g, u.train)
}

// training is one of a run: the float network's, or that behind a conditioner.
type training struct {
	Train
	label, path string
	identity    string // of what is trained, and how
	before      []Stage
	hooks       func(steps int) ([]optim.Hook, error)
}

// trained trains what start returns, or goes on with the checkpoint at the same path if it has the same identity.
func (u *runner) trained(ctx context.Context, t training, start func() (*graph.Graph, error)) (*made, error) {
	fit, data, err := t.Fit(u.train, t.label, t.path, u.o.Progress)
	if err != nil {
		return nil, err
	}
	fit.Meta = map[string]string{recipeKey: t.identity}
	var hooks []optim.Hook
	if t.hooks != nil {
		if hooks, err = t.hooks(fit.Steps(data)); err != nil {
			return nil, err
		}
	}
	ends := func(g *graph.Graph, h *optim.History, err error) (*made, error) {
		if err != nil {
			return nil, err
		}
		return &made{g, append(slices.Clip(t.before), Stage{t.label, t.path, h.Epochs})}, nil
	}
	if c, err := graph.Load(t.path); err == nil && c.Meta[recipeKey] == t.identity {
		if optim.Finished(c, fit.Epochs) {
			u.say("%s: %s is trained already\n", t.label, t.path)
			h, err := optim.Recorded(c)
			return ends(c.Graph, h, err)
		}
		u.say("%s: going on with %s\n", t.label, t.path)
		h, err := fit.Resume(ctx, c, data, hooks...)
		return ends(c.Graph, h, err)
	}
	g, err := start()
	if err != nil {
		return nil, err
	}
	if t.Epochs == 0 {
		return &made{graph: g}, (&graph.Checkpoint{Graph: g}).Save(t.path)
	}
	h, err := fit.Run(ctx, g, data, hooks...)
	return ends(g, h, err)
}

// chain conditions the float network in the ways of a chain, and writes and measures the file.
func (u *runner) chain(ctx context.Context, c NamedSteps, stages []stage) error {
	begin := time.Now()
	m := u.base
	for _, s := range stages {
		next, err := u.stage(ctx, m, s)
		if err != nil {
			return err
		}
		m = next
	}
	file, audit, err := export.Audited(m.graph, export.Options{AllowBrokenPromises: u.o.AllowBrokenPromises})
	if err != nil {
		return err
	}
	path := filepath.Join(u.o.Out, c.Name+fileExt)
	if err := file.WriteFile(path); err != nil {
		return err
	}
	accuracy, err := FileAccuracy(ctx, path, u.test, u.o.Progress)
	if err != nil {
		return err
	}
	r := Result{Name: c.Name, Chain: names(c.Steps), File: path, Accuracy: accuracy, Stages: m.stages, Audit: audit, float: u.base.graph, graph: m.graph}
	if err := r.weigh(); err != nil {
		return err
	}
	return u.add(r, begin)
}

// stage does one step on what the stages before it made, if no result before has done the same.
func (u *runner) stage(ctx context.Context, from *made, s stage) (*made, error) {
	if m := u.done[s.identity]; m != nil {
		return m, nil
	}
	m, err := u.condition(ctx, from, s)
	if err != nil {
		return nil, err
	}
	u.done[s.identity] = m
	return m, nil
}

func (u *runner) condition(ctx context.Context, from *made, s stage) (*made, error) {
	if s.file == "" {
		c, err := s.step.Conditioner(u.train, 0)
		if err != nil {
			return nil, err
		}
		if err := u.describe(s.label, c, from.graph); err != nil {
			return nil, err
		}
		u.say("%s: %s without training\n", s.label, c.Name())
		g := from.graph.Clone()
		return &made{g, from.stages}, Chain{c}.AtOnce(g)
	}
	t := training{Train: u.r.Train, label: s.label, path: filepath.Join(u.o.Out, s.file), identity: s.identity, before: from.stages}
	t.Epochs, t.LearningRate = s.step.tuning().Epochs, s.step.tuning().LearningRate
	var chain Chain
	t.hooks = func(steps int) ([]optim.Hook, error) {
		c, err := s.step.Conditioner(u.train, steps)
		if err != nil {
			return nil, err
		}
		chain = Chain{c}
		return chain.Hooks(), chain.Fits(steps)
	}
	if _, ok := s.step.(*PruneStep); ok {
		t.Best, t.EarlyStopping = false, 0 // the best epoch may be one before the schedule's end
	}
	return u.trained(ctx, t, func() (*graph.Graph, error) {
		if err := u.describe(s.label, chain[0], from.graph); err != nil {
			return nil, err
		}
		g := from.graph.Clone()
		return g, chain.Apply(g)
	})
}

func (u *runner) describe(label string, c Conditioner, g *graph.Graph) error {
	text, err := Describe(c, g)
	if text != "" {
		u.say("%s:\n%s", label, text)
	}
	return err
}
