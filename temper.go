// Package temper conditions neural networks for NPUs: it trains a network, prunes, clusters and quantizes it in any combination, exports it as a
// fully int8 TFLite file, and measures the accuracy of that file by executing it bit for bit.
//
// A Recipe says what is done; Run does it. A Chain is the same for programs: conditioners in order. The parts are packages of their own: layers
// (writing networks), optim (training), sparsity, clustering and fakequant (conditioners), export (the file), export/interp (its meaning).
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
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/layers/models"
)

// Options of a run that are not part of the recipe.
type Options struct {
	Out      string    // folder for the results, made if missing; default conditioned_models
	Progress io.Writer // default none

	AllowBrokenPromises bool // write files whose weights are not what pruning or clustering promised, too
}

// Run does what a recipe says: trains the network (or goes on where an earlier run of the same recipe was stopped), conditions it in each of the
// recipe's ways, and writes float.temper, a .tflite for each, and results.json and report.html into the folder. A stage that several results begin with is trained
// once. When ctx ends, it returns an *optim.Interrupted.
func Run(ctx context.Context, r Recipe, o Options) ([]Result, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	if o.Out == "" {
		o.Out = "conditioned_models"
	}
	stages, err := r.stages()
	if err != nil {
		return nil, err
	}
	if err := writable(o.Out, stages); err != nil {
		return nil, err
	}
	train, test, err := OpenData(ctx, r.Data, o.Progress)
	if err != nil {
		return nil, err
	}
	run := &runner{r: r, o: o, train: train, test: test, done: map[string]*made{}}
	if err := run.float(ctx); err != nil {
		return run.results, err
	}
	for _, c := range r.chains() {
		if err := run.chain(ctx, c, stages[c.Name]); err != nil {
			return run.results, fmt.Errorf("result %s: %w", c.Name, err)
		}
	}
	return run.results, run.page()
}

// writable makes the folder and proves that the files of a recipe can be made in it, before hours of training.
func writable(dir string, stages map[string][]stage) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("output folder: %w", err)
	}
	files := []string{resultsFile, ReportFile, floatName + checkpointExt}
	for name, chain := range stages {
		files = append(files, name+fileExt)
		for _, s := range chain {
			if s.file != "" {
				files = append(files, s.file)
			}
		}
	}
	for _, f := range files {
		if err := atomicfile.Probe(filepath.Join(dir, f)); err != nil {
			return err
		}
	}
	return nil
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

// What files are called.
const (
	checkpointExt = ".temper"
	fileExt       = ".tflite"
	floatName     = "float" // of the network before it is conditioned
	resultsFile   = "results.json"
)

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
