package optim

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// stripesFit is a short training with everything that a checkpoint must keep: shuffling, moments, validation, best weights; and convNet has dropout
// and moving statistics. 44 examples make 6 steps an epoch, the last of 4.
func stripesFit(path string) Fit {
	return Fit{
		Loss: SoftmaxCrossEntropy{LabelSmoothing: 0.1}, Solver: AdamW(0.01, 0.01), Schedule: Warmup{Steps: 3, Then: Cosine{Steps: 20, End: 0.1}},
		Clip: Clip{GlobalNorm: 1}, Batch: 8, Epochs: 3, Seed: 7, Validation: stripes(20, 9), Metrics: []Metric{&AUC{}}, Best: true,
		Early: EarlyStopping{Patience: 5}, Checkpoint: path, Meta: map[string]string{"who": "test"},
	}
}

func stripesData() rows { return stripes(44, 5) }

// TestResumeIsExact stops at every step by the end of the context, goes on with a fresh solver and graph, and compares the final files.
func TestResumeIsExact(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.temper")
	want := mustRun(t, stripesFit(whole), convNet(t), stripesData())
	if want.Steps != 18 {
		t.Fatalf("%d steps, want 18", want.Steps)
	}
	for stop := 1; stop < 18; stop += 2 {
		path := filepath.Join(dir, "stopped.temper")
		ctx, cancel := context.WithCancel(context.Background())
		hook := Hook{AfterStep: func(step int, _ float64) error {
			if step == stop {
				cancel()
			}
			return nil
		}}
		_, err := stripesFit(path).Run(ctx, convNet(t), stripesData(), hook)
		var stopped *Interrupted
		if !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) || stopped.Step != stop || stopped.Path != path {
			t.Fatalf("stopped at step %d with %v", stop, err)
		}
		wantError(t, err, "interrupted after step", path)
		c := mustLoad(t, path)
		if Finished(c, 3) {
			t.Errorf("stopped at step %d and finished", stop)
		}
		got, err := stripesFit(path).Resume(context.Background(), c, stripesData())
		if err != nil {
			t.Fatal(err)
		}
		sameFile(t, whole, path)
		if len(got.Epochs) != 3 || got.Steps != 18 || got.Epochs[0].Loss != want.Epochs[0].Loss {
			t.Errorf("stopped at step %d, the history is %+v, want %+v", stop, got, want)
		}
	}
}

// TestResumeAfterFailure goes on from the last checkpoint of CheckpointEvery steps after an error, some steps back.
func TestResumeAfterFailure(t *testing.T) {
	dir := t.TempDir()
	whole, failed := filepath.Join(dir, "whole.temper"), filepath.Join(dir, "failed.temper")
	fit := stripesFit(whole)
	fit.Every = 4
	mustRun(t, fit, convNet(t), stripesData())
	fit = stripesFit(failed)
	fit.Every = 4
	_, err := fit.Run(context.Background(), convNet(t), stripesData(), Hook{BeforeStep: func(_ *graph.Graph, step int) error {
		if step == 15 {
			return errors.New("the disk is full")
		}
		return nil
	}})
	wantError(t, err, "epoch 3, step 16: the disk is full")
	c := mustLoad(t, failed)
	if !strings.Contains(c.Meta[placeKey], `"Step":12,`) {
		t.Errorf("the checkpoint is not of step 12, an end of epoch and a multiple of 4: %s", c.Meta[placeKey])
	}
	fit = stripesFit(failed)
	fit.Every = 4
	if _, err := fit.Resume(context.Background(), c, stripesData()); err != nil {
		t.Fatal(err)
	}
	sameFile(t, whole, failed)
	if c = mustLoad(t, failed); !Finished(c, 3) || Finished(c, 4) || c.Meta["who"] != "test" {
		t.Errorf("the final checkpoint says %v", c.Meta)
	}
}

// TestInterruptedValidation: Ctrl-C between the last step of an epoch and its validation lost the epoch once.
func TestInterruptedValidation(t *testing.T) {
	dir := t.TempDir()
	whole, stopped := filepath.Join(dir, "whole.temper"), filepath.Join(dir, "stopped.temper")
	mustRun(t, stripesFit(whole), convNet(t), stripesData())
	ctx, cancel := context.WithCancel(context.Background())
	_, err := stripesFit(stopped).Run(ctx, convNet(t), stripesData(), Hook{AfterStep: func(step int, _ float64) error {
		if step == 12 {
			cancel()
		}
		return nil
	}})
	var interrupted *Interrupted
	if !errors.As(err, &interrupted) || interrupted.Step != 12 {
		t.Fatalf("error %v, want an interruption after step 12", err)
	}
	if _, err := stripesFit(stopped).Resume(context.Background(), mustLoad(t, stopped), stripesData()); err != nil {
		t.Fatal(err)
	}
	sameFile(t, whole, stopped)
}

func TestInterruptedWithoutCheckpoint(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Fit{Loss: SoftmaxCrossEntropy{}}.Run(ctx, convNet(t), stripesData())
	wantError(t, err, "interrupted after step 0; there is no checkpoint")
}

// TestResumeRefuses another training than the checkpoint's, which would not go on but begin something else.
func TestResumeRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.temper")
	fit := stripesFit(path)
	fit.Epochs = 1
	mustRun(t, fit, convNet(t), stripesData())
	for _, c := range []struct {
		change func(f *Fit)
		want   string
	}{
		{func(f *Fit) { f.Solver = &SGD{Momentum: 0.9} }, "trained with solver adam rate=0.01 beta1=0.9"},
		{func(f *Fit) { f.Solver = AdamW(0.02, 0.01) }, "this run has adam rate=0.02"},
		{func(f *Fit) { f.Batch = 4 }, "batch size 8, this run has 4"},
		{func(f *Fit) { f.Seed = 8 }, "seed 7, this run has 8"},
		{func(f *Fit) { f.Loss = SoftmaxCrossEntropy{} }, "loss optim.SoftmaxCrossEntropy"},
		{func(f *Fit) { f.Schedule = nil }, "schedule optim.Warmup"},
		{func(f *Fit) { f.Clip = Clip{} }, "clip optim.Clip"},
	} {
		f := stripesFit(path)
		c.change(&f)
		_, err := f.Resume(context.Background(), mustLoad(t, path), stripesData())
		wantError(t, err, "resume: ", c.want)
	}
	_, err := stripesFit(path).Resume(context.Background(), mustLoad(t, path), stripes(45, 5))
	wantError(t, err, "number of examples 44, this run has 45")
	f := stripesFit(path)
	f.Epochs = 2 // more epochs are the same training
	if _, err := f.Resume(context.Background(), mustLoad(t, path), stripesData()); err != nil {
		t.Error(err)
	}
}

// TestResumeRefusesDamage: a checkpoint may come from anywhere.
func TestResumeRefusesDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.temper")
	mustRun(t, stripesFit(path), convNet(t), stripesData())
	place := func(key string, value any) func(c *graph.Checkpoint) {
		return func(c *graph.Checkpoint) {
			m := map[string]any{}
			if err := json.Unmarshal([]byte(c.Meta[placeKey]), &m); err != nil {
				t.Fatal(err)
			}
			m[key] = value
			js, _ := json.Marshal(m)
			c.Meta[placeKey] = string(js)
		}
	}
	for _, c := range []struct {
		damage func(c *graph.Checkpoint)
		want   string
	}{
		{func(c *graph.Checkpoint) { delete(c.Meta, placeKey) }, "not from a training run"},
		{func(c *graph.Checkpoint) { c.Meta[placeKey] = "{" }, "the checkpoint's place"},
		{place("Batch", -1), "damaged"}, // was an index out of range
		{place("Batch", 1<<60), "damaged"},
		{place("Seen", 45), "damaged"},
		{place("Epoch", 7), "damaged"},
		{place("Since", 9), "damaged"},
		{func(c *graph.Checkpoint) { c.State["solver/m/dense/kernel"] = make([]float32, 3) }, "solver/m/dense/kernel of 3 elements does not fit"},
		{func(c *graph.Checkpoint) { c.State["best/nothing"] = make([]float32, 3) }, "best/nothing of 3 elements does not fit"},
	} {
		bad := mustLoad(t, path)
		c.damage(bad)
		_, err := stripesFit(path).Resume(context.Background(), bad, stripesData())
		wantError(t, err, c.want)
	}
}

// TestThreadsDoNotMatter: the same bytes on one and on two processors. The layers are large enough to be cut into pieces.
func TestThreadsDoNotMatter(t *testing.T) {
	dir := t.TempDir()
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	var files []string
	for _, threads := range []string{"1", "2"} {
		path := filepath.Join(dir, threads)
		fit := stripesFit(path)
		fit.Batch, fit.Epochs, fit.Validation, fit.Best, fit.Early = 32, 1, nil, false, EarlyStopping{}
		mustRun(t, fit, wideNet(t), stripes(80, 2))
		files = append(files, path)
		runtime.GOMAXPROCS(2)
	}
	sameFile(t, files[0], files[1])
}

// TestUnwritableCheckpoint is found when it is first written, and names the file.
func TestUnwritableCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "x.temper")
	_, err := stripesFit(path).Run(context.Background(), convNet(t), stripesData())
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want that the folder does not exist", err)
	}
	wantError(t, err, path)
}
