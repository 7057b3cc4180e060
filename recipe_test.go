package temper

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/optim"
)

func TestRecipeErrors(t *testing.T) {
	const head = "model: arm-example\ndata: mnist\n"
	for _, c := range []struct{ text, want string }{
		{"", "model and data are required"},
		{"data: mnist\n", "model and data are required"},
		{"model: arm-exampel\ndata: mnist\n", `did you mean "arm-example"`},
		{head + "trian: {}\n", `did you mean "train"`},
		{head + "train: {epochs: many}\n", "[3:17]"},
		{head + "train: {epochs: -1}\n", "epochs -1"},
		{head + "train: {epochs: 1.5}\n", "[3:17] epochs 1.5: want a whole number"},
		{head + "train: {epochs: many}\n", "many: want a whole number"},
		{head + "train: {nesterov: 3}\n", "3: want true or false"},
		{head + "train: {seed: -1}\n", "[3:15] -1: want a whole number, not negative"},
		{head + "train: {learning-rate: .nan}\n", "NaN"},
		{head + "train: {solver: sgd, nesterov: true}\n", "set momentum"},
		{head + "zebra: 1\n", "keys here are model, data, train, name, steps, results"},
		{head + "train: {steps: 1}\n", "keys here are epochs, batch, "}, // "steps" is a key elsewhere
		{head + "steps: [{qat: {layers: [{bits: 4}]}}]\n", "keys here are match, weight-bits, "},
		{head + "steps: [{qat: {freeze: 5, learned-step: true}}]\n", "learned-step trains them"},
		{head + "---\nmodel: ds-cnn\n", "[4:6] a second document"},
		{head + "train: {solver: adm}\n", `did you mean "adam"`},
		{head + "train: {momentum: 0.9}\n", "belong to solver sgd"},
		{head + "train: {weight-decay: 0.1}\n", "belongs to solver adamw"},
		{head + "train: {best: true}\n", "set validation"},
		{head + "train: {validation: 1}\n", "validation 1"},
		{head + "train: {schedule: linear}\n", `schedule "linear" is none of`},
		{head + "train: {decay: 0.5}\n", "schedules step and exponential"},
		{head + "train: {augment: {shift: -1}}\n", "shift -1"},
		{head + "steps: [ptq, ptq]\n", "ptq stands twice"},
		{head + "steps: [{}]\n", "step 1: a step is one of filters, prune, cluster, ptq, qat, and this is 0 of them"},
		{head + "steps: [{ptq: {}, qat: {}}]\n", "this is 2 of them"},
		{head + "steps: [prun]\n", "[3:9] step \"prun\" is none of filters, prune, cluster, ptq, qat; did you mean \"prune\"?"},
		{head + "results: {a: [prune, qatt]}\n", "[3:22] step \"qatt\""},
		{head + "steps: [ptq, qat]\n", "ptq and qat exclude each other: a network is quantized once; two results from one training are results: {ptq: [ptq], qat: [qat]}"},
		{head + "steps: [cluster, prune, qat]\n", "prune comes before cluster: behind a codebook"},
		{head + "steps: [qat, cluster, prune]\n", "the order is prune, cluster, qat"},
		{head + "steps: [prune, filters]\n", "filters comes before prune"},
		{head + "steps: [prune, prune]\n", "prune stands twice"},
		{head + "name: x\n", "name \"x\" is that of the result of steps"},
		{head + "name: a/b\nsteps: [ptq]\n", "a name is that of a file"},
		{head + "name: float\nsteps: [ptq]\n", "two results are called float"},
		{head + "steps: [prune]\nresults: {prune: [prune]}\n", "two results are called prune"},
		{head + "results: {a: [prune], a: [ptq]}\n", "[3:23]"},
		{head + "results: {a: [{prune: {sparsty: 0.5}}]}\n", `did you mean "sparsity"`},
		{head + "results: {a: [{prune: {end: 1.5}}]}\n", "[3:29] end 1.5: want a whole number"},
		{head + "results: [prune]\n", "sequence was used where mapping is expected"},
		{head + "steps: [{prune: {sparsity: 1}}]\n", "sparsity 1 must be in [0, 1)"},
		{head + "steps: [{prune: {sparsity: -0.1}}]\n", "must be in [0, 1)"},
		{head + "steps: [{prune: {schedule: polynomal}}]\n", `did you mean "polynomial"`},
		{head + "steps: [{prune: {begin: 20, end: 10}}]\n", "begin 20, end 10"},
		{head + "steps: [{prune: {nm: 4:2}}]\n", `nm "4:2": want zeros:weights`},
		{head + "steps: [{prune: {block: 8}}]\n", `block "8": want input x output channels`},
		{head + "steps: [{prune: {layers: [{match: dense, nm: half}]}}]\n", `layers "dense": nm "half"`},
		{head + "steps: [{prune: {epochs: -1}}]\n", "epochs -1"},
		{head + "steps: [{cluster: {codes: 1}}]\n", "codes 1"},
		{head + "steps: [{cluster: {grid: int4}}]\n", `did you mean "int8"`},
		{head + "steps: [{cluster: {init: kmeans}}]\n", "none of linear, random, density, k-means++"},
		{head + "steps: [{cluster: {gradient: max}}]\n", "gradient"},
		{head + "steps: [{cluster: {layers: [{match: dense, codes: 300}]}}]\n", "codes 300"},
		{head + "steps: [{filters: {ratio: 1}}]\n", "ratio 1"},
		{head + "steps: [{filters: {norm: l3}}]\n", "norm"},
		{head + "steps: [{qat: {epochs: 0}}]\n", "without training is ptq"},
		{head + "steps: [{ptq: {calibration: -5}}]\n", "calibration -5"},
		{head + "steps: [{ptq: {observer: mode}}]\n", `observer "mode"`},
		{head + "steps: [{ptq: {weight-bits: 9}}]\n", "weight-bits 9"},
		{head + "steps: [{ptq: {layers: [{match: dense, weight-bits: 1}]}}]\n", "weight-bits 1"},
		{head + "steps: [{qat: {epochs: -1}}]\n", "epochs -1"},
		{head + "steps: [{qat: {delay: -1}}]\n", "delay -1"},
	} {
		if _, err := ParseRecipe([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("recipe\n%serror %v, want %q in it", c.text, err, c.want)
		}
	}
}

// TestReadme: the recipe of the README is one.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, recipe, _ := strings.Cut(string(text), "```yaml\n")
	recipe, _, _ = strings.Cut(recipe, "```")
	r, err := ParseRecipe([]byte(recipe))
	if err != nil {
		t.Fatal(err)
	}
	var chains []string
	for _, c := range r.chains() {
		chains = append(chains, c.Name)
	}
	if got := strings.Join(chains, " "); got != "pcqat ptq small" {
		t.Errorf("results %s", got)
	}
}

// TestRecipeDefaults: what a recipe leaves out is as in the default recipe, and a zero that it says stays.
func TestRecipeDefaults(t *testing.T) {
	r, err := ParseRecipe([]byte("model: arm-example\ndata: mnist\nsteps: [prune, qat]\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.identity()
	if err != nil {
		t.Fatal(err)
	}
	standard, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := standard.identity(); err != nil || a != b || len(r.Steps) != 2 || r.Steps[1].QAT.Calibration != 200 {
		t.Errorf("recipe %s, default %s, %v", a, b, err)
	}
	if r, err = ParseRecipe([]byte("model: arm-example\ndata: mnist\ntrain: {epochs: 0}\n")); err != nil || r.Train.Epochs != 0 || r.Train.Batch != 128 {
		t.Errorf("%+v, %v", r.Train, err)
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add([]byte("model: arm-example\ndata: mnist\ntrain: {epochs: 1, augment: {shift: 2}}\nsteps: [ptq, {qat: {layers: [{match: a}]}}]\n"))
	f.Add([]byte("model: [\n"))
	f.Add([]byte("&a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseRecipe(data); err == nil && r.Model == "" {
			t.Error("a recipe without a model")
		}
	})
}

// stripes is a small data set file: two classes of 8x8 images.
func stripes(t *testing.T) string {
	t.Helper()
	const n = 300
	pixels, labels := make([]uint8, n*64), make([]uint8, n)
	for i := range n {
		labels[i] = uint8(i % 2)
		for k := range 64 {
			at := k % 8
			if labels[i] == 1 {
				at = k / 8
			}
			pixels[i*64+k] = uint8((at + i) % 2 * (100 + i%100))
		}
	}
	x, y := &npz.Array{Shape: []int{n, 8, 8}, Data: pixels}, &npz.Array{Shape: []int{n}, Data: labels}
	path := filepath.Join(t.TempDir(), "stripes.npz")
	if err := npz.Write(path, map[string]*npz.Array{"x_train": x, "y_train": y, "x_test": x, "y_test": y}); err != nil {
		t.Fatal(err)
	}
	return path
}

// stopAfter ends a context when the progress has said a word.
type stopAfter struct {
	word string
	stop func()
}

const never = "no progress says this"

func (s *stopAfter) Write(p []byte) (int, error) {
	if strings.Contains(string(p), s.word) {
		s.stop()
	}
	return len(p), nil
}

// TestInterruptedRun: a run that is interrupted in the middle of its trainings, given again, ends with the same files as one that was not. Stages that several
// results share are trained once.
func TestInterruptedRun(t *testing.T) {
	r, err := ParseRecipe([]byte("model: arm-example\ndata: " + stripes(t) + `
train: {epochs: 3, batch: 32}
results:
  ptq: [{ptq: {calibration: 50}}]
  prune: [{prune: {sparsity: 0.6, epochs: 4, layers: &all [{match: "*"}]}}]
  pqat: [{prune: {sparsity: 0.6, epochs: 4, layers: *all}}, {qat: {calibration: 50, epochs: 2}}]
  pcqat: [{prune: {sparsity: 0.6, epochs: 4, layers: *all}}, {cluster: {codes: 8}}, {qat: {calibration: 50}}]
`))
	if err != nil {
		t.Fatal(err)
	}
	whole, parts := t.TempDir(), t.TempDir()
	results, err := Run(context.Background(), r, Options{Out: whole})
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"train 2/3", "prune 1/4", "pqat 1/2", "prune-cluster 1/1", never} {
		ctx, stop := context.WithCancel(context.Background())
		again, err := Run(ctx, r, Options{Out: parts, Progress: &stopAfter{word, stop}})
		stop()
		if word == never {
			if err != nil {
				t.Fatal(err)
			}
			sameResults(t, again, results)
			break
		}
		var interrupted *optim.Interrupted
		if !errors.As(err, &interrupted) || interrupted.Path == "" {
			t.Fatalf("stopped at %s: %v", word, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(whole, "*.t*"))
	if err != nil || len(files) != 4+5 { // float, prune, prune-cluster, pqat, pcqat are trained
		t.Errorf("%q, %v", files, err)
	}
	for _, file := range files {
		a, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(parts, filepath.Base(file))); err != nil || string(a) != string(b) {
			t.Errorf("%s differs after interruptions (%v)", filepath.Base(file), err)
		}
	}
}

// sameResults: tables that differ in times and folders only, learning curves included.
func sameResults(t *testing.T, got, want []Result) {
	t.Helper()
	for i, r := range got {
		w := want[i]
		if r.Name != w.Name || r.Accuracy != w.Accuracy || r.Gzip != w.Gzip || r.Zeros != w.Zeros || r.Codes != w.Codes || len(r.Stages) != len(w.Stages) {
			t.Errorf("%+v after interruptions, without %+v", r, w)
			continue
		}
		for k := range r.Stages {
			if len(r.Stages[k].Epochs) != len(w.Stages[k].Epochs) || r.Stages[k].Epochs[0].Loss != w.Stages[k].Epochs[0].Loss {
				t.Errorf("%s: %+v after interruptions, without %+v", r.Name, r.Stages[k], w.Stages[k])
			}
		}
	}
}

// TestConditionedModels: networks with BatchNorm, depthwise layers and residuals keep 2:4 through training, and lose filters.
func TestConditionedModels(t *testing.T) {
	data := stripes(t)
	for _, model := range []string{"ds-cnn", "resnet-8"} {
		t.Run(model, func(t *testing.T) {
			t.Parallel()
			r, err := ParseRecipe([]byte("model: " + model + "\ndata: " + data + `
train: {epochs: 1, batch: 50}
results:
  whole: [{ptq: {calibration: 50}}]
  pairs: [{prune: {nm: 2:4, epochs: 1}}, {qat: {calibration: 50}}]
  fewer: [{filters: {ratio: 0.3, epochs: 1}}, {prune: {sparsity: 0.5, epochs: 1}}, {cluster: {codes: 16}}, {ptq: {calibration: 50}}]
`))
			if err != nil {
				t.Fatal(err)
			}
			results, err := Run(context.Background(), r, Options{Out: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			kept := 0
			for _, row := range results[2].Audit {
				if row.Promise == "" {
					continue
				}
				kept++
				if row.InFour < 2 {
					t.Errorf("%s has %d zeros in each four weights", row.Tensor, row.InFour)
				}
			}
			if kept < 4 {
				t.Errorf("2:4 in %d layers only", kept)
			}
			if whole, fewer := results[1], results[3]; float64(fewer.Bytes) > 0.8*float64(whole.Bytes) || fewer.Zeros < 0.4 || fewer.Codes > 16 {
				t.Errorf("without a third of its filters, half of the weights zero: %d of %d bytes, %.2f zeros, %d codes", fewer.Bytes, whole.Bytes, fewer.Zeros, fewer.Codes)
			}
		})
	}
}
