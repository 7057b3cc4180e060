// Package temper conditions neural networks for NPUs: it trains a network, quantizes it after training and with quantization-aware training,
// exports it as a fully int8 TFLite file, and measures the accuracy of that file by executing it bit for bit.
//
// A Recipe says what is done; Run does it. The parts are packages of their own: layers (writing networks), optim (training), fakequant
// (quantization), export (the file), export/interp (its meaning).
package temper

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// Result is a line of the table: one stage, measured.
type Result struct {
	Step     string  `json:"step"`
	File     string  `json:"file"`
	Accuracy float64 `json:"accuracy"` // over the whole test set; of an int8 stage by executing the file
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
}

// Options of a run that are not part of the recipe.
type Options struct {
	Out      string    // folder for the results, made if missing; default conditioned_models
	Progress io.Writer // default none
}

// Run does what a recipe says: trains the network (or goes on where an earlier run of the same recipe was stopped), conditions it in each of the
// recipe's ways, and writes float.temper, a .tflite for each, and results.json into the folder. When ctx ends, it returns an *optim.Interrupted.
func Run(ctx context.Context, r Recipe, o Options) ([]Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if o.Out == "" {
		o.Out = "conditioned_models"
	}
	if err := writable(o.Out, r); err != nil {
		return nil, err
	}
	train, test, err := OpenData(ctx, r.Data, o.Progress)
	if err != nil {
		return nil, err
	}
	run := &runner{r: r, o: o, train: train, test: test}
	base, err := run.float(ctx)
	if err != nil {
		return run.results, err
	}
	for _, s := range r.Steps {
		if err := run.step(ctx, base, s); err != nil {
			return run.results, fmt.Errorf("step %s: %w", s.Name(), err)
		}
	}
	return run.results, nil
}

// writable makes the folder and proves that the files of a recipe can be made in it, before hours of training.
func writable(dir string, r Recipe) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	files := []string{"results.json", "float.temper"}
	for _, s := range r.Steps {
		files = append(files, s.Name()+".tflite")
		if s.QAT != nil {
			files = append(files, s.Name()+checkpointExt)
		}
	}
	for _, f := range files {
		if err := atomicfile.Probe(filepath.Join(dir, f)); err != nil {
			return err
		}
	}
	return nil
}

type runner struct {
	r           Recipe
	o           Options
	train, test *datasets.Set
	results     []Result
}

// identity is what a checkpoint must have been trained from to be gone on with: the recipe up to the steps, and the contents of the files it names.
func (r Recipe) identity() (string, error) {
	id := struct {
		Model, Data string
		Train       Train
	}{r.Model, r.Data, r.Train}
	if filepath.Ext(r.Model) == checkpointExt {
		data, err := os.ReadFile(r.Model)
		if err != nil {
			return "", err
		}
		id.Model = fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	}
	js, err := json.Marshal(id)
	return string(js), err
}

// checkpointExt is the extension of checkpoint files.
const checkpointExt = ".temper"

const recipeKey = "recipe"

// fit is the training of the recipe, with its own checkpoint, and the data that it trains on.
func (u *runner) fit(label, file string, t Train, identity string) (optim.Fit, optim.Data, error) {
	f, data, err := t.Fit(u.train, label, filepath.Join(u.o.Out, file), u.o.Progress)
	f.Meta = map[string]string{recipeKey: identity}
	return f, data, err
}

// trained trains g, or goes on with the checkpoint of the same name if it has the same identity. It returns the trained graph.
func (u *runner) trained(ctx context.Context, fit optim.Fit, data optim.Data, identity string, start func() (*graph.Graph, error)) (*graph.Graph, error) {
	if c, err := graph.Load(fit.Checkpoint); err == nil && c.Meta[recipeKey] == identity {
		if optim.Finished(c, fit.Epochs) {
			u.say("%s: %s is trained already\n", fit.Label, fit.Checkpoint)
			return c.Graph, nil
		}
		u.say("%s: going on with %s\n", fit.Label, fit.Checkpoint)
		_, err := fit.Resume(ctx, c, data)
		return c.Graph, err
	}
	g, err := start()
	if err != nil {
		return nil, err
	}
	if u.r.Train.Epochs == 0 && fit.Label == trainLabel {
		return g, (&graph.Checkpoint{Graph: g}).Save(fit.Checkpoint)
	}
	_, err = fit.Run(ctx, g, data)
	return g, err
}

const trainLabel = "train"

func (u *runner) say(format string, args ...any) {
	if u.o.Progress != nil {
		fmt.Fprintf(u.o.Progress, format, args...)
	}
}

// float trains the network of the recipe.
func (u *runner) float(ctx context.Context) (*graph.Graph, error) {
	begin := time.Now()
	identity, err := u.r.identity()
	if err != nil {
		return nil, err
	}
	fit, data, err := u.fit(trainLabel, "float.temper", u.r.Train, identity)
	if err != nil {
		return nil, err
	}
	g, err := u.trained(ctx, fit, data, identity, u.network)
	if err != nil {
		return nil, err
	}
	m, err := optim.Evaluate(ctx, g, nil, []optim.Metric{&optim.Accuracy{}}, u.test, fit.Batch)
	if err != nil {
		return nil, err
	}
	return g, u.add("float", fit.Checkpoint, m["accuracy"], begin)
}

// network is the recipe's model: a name, or a checkpoint.
func (u *runner) network() (*graph.Graph, error) {
	g, err := Network(u.r.Model, u.r.Train.Seed, u.train)
	if err != nil {
		return nil, err
	}
	return g, Classifies(g, u.train)
}

// Network is a checkpoint's graph, or a reference network by name with the input and the classes of the data.
func Network(model string, seed uint64, data *datasets.Set) (*graph.Graph, error) {
	if filepath.Ext(model) == checkpointExt {
		c, err := graph.Load(model)
		if err != nil {
			return nil, err
		}
		return c.Graph, nil
	}
	m, err := models.ByName(model, models.Options{Seed: seed, Input: data.Shape(), Classes: len(data.Classes)})
	if err != nil {
		return nil, err
	}
	return m.Trace()
}

// step conditions a copy of the trained network and writes the file.
func (u *runner) step(ctx context.Context, base *graph.Graph, s Step) error {
	begin := time.Now()
	g := base.Clone()
	path := filepath.Join(u.o.Out, s.Name()+".tflite")
	switch {
	case s.PTQ != nil:
		q, err := s.PTQ.Conditioner(u.train)
		if err != nil {
			return err
		}
		if err := q.Apply(g); err != nil {
			return err
		}
	case s.QAT != nil:
		var err error
		if g, err = u.qat(ctx, g, *s.QAT); err != nil {
			return err
		}
	}
	file, err := export.TFLite(g, export.Options{})
	if err != nil {
		return err
	}
	if err := file.WriteFile(path); err != nil {
		return err
	}
	accuracy, err := FileAccuracy(ctx, path, u.test, u.o.Progress)
	if err != nil {
		return err
	}
	return u.add(s.Name(), path, accuracy, begin)
}

func (u *runner) qat(ctx context.Context, g *graph.Graph, s QATStep) (*graph.Graph, error) {
	q, err := s.Conditioner(u.train)
	if err != nil {
		return nil, err
	}
	t := u.r.Train
	t.Epochs, t.LearningRate = s.Epochs, s.LearningRate
	js, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	identity, err := u.r.identity()
	if err != nil {
		return nil, err
	}
	identity += string(js)
	fit, data, err := u.fit("qat", "qat.temper", t, identity)
	if err != nil {
		return nil, err
	}
	return u.trained(ctx, fit, data, identity, func() (*graph.Graph, error) { return g, q.Apply(g) })
}

// add appends a line of the table, and writes results.json anew.
func (u *runner) add(step, path string, accuracy float64, begin time.Time) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	u.results = append(u.results, Result{step, path, accuracy, info.Size(), time.Since(begin).Seconds()})
	js, err := json.MarshalIndent(u.results, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteBytes(filepath.Join(u.o.Out, "results.json"), append(js, '\n'))
}

// FileAccuracy reads a .tflite file back and executes it on every example of a data set.
func FileAccuracy(ctx context.Context, path string, data *datasets.Set, progress io.Writer) (float64, error) {
	m, err := tflite.ReadFile(path)
	if err != nil {
		return 0, err
	}
	last := time.Now()
	a, err := interp.Accuracy(ctx, m, interp.TFLM, data, func(done int) {
		if progress != nil && time.Since(last) > 10*time.Second {
			last = time.Now()
			fmt.Fprintf(progress, "verify %s  %d/%d\n", filepath.Base(path), done, data.Len())
		}
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// Classifies compares the input and the output of a network with the examples and classes of a data set.
func Classifies(g *graph.Graph, data *datasets.Set) error {
	in := g.Input()
	if in == nil || len(g.Outputs) != 1 {
		return fmt.Errorf("network %s has %d inputs and %d outputs, a data set feeds 1 and labels 1", g.Name, len(g.Inputs), len(g.Outputs))
	}
	if got, want := in.Shape[1:], data.Shape(); !slices.Equal(got, want) {
		return fmt.Errorf("network %s takes examples of shape %v, those of %s have %v", g.Name, []int(got), data.Name, want)
	}
	if n := g.Outputs[0].Shape.Volume(); n != len(data.Classes) {
		return fmt.Errorf("network %s has %d outputs, data set %s has %d classes: take a classifier with as many outputs", g.Name, n, data.Name, len(data.Classes))
	}
	return nil
}
