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
		{head + "zebra: 1\n", "keys here are model, data, train, steps"},
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
		{head + "steps: [ptq, ptq]\n", "step ptq stands twice"},
		{head + "steps: [{}]\n", "step 1 must be one of"},
		{head + "steps: [{ptq: {}, qat: {}}]\n", "step 1 must be one of"},
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

// TestRecipeDefaults: what a recipe leaves out is as in the default recipe, and a zero that it says stays.
func TestRecipeDefaults(t *testing.T) {
	r, err := ParseRecipe([]byte("model: arm-example\ndata: mnist\nsteps: [ptq, qat]\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := r.identity()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := Default().identity(); err != nil || a != b || len(r.Steps) != 2 || r.Steps[1].QAT.Calibration != 200 {
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

// TestInterruptedRun: a run that is interrupted between its epochs, given again, ends with the same files as one that was not.
func TestInterruptedRun(t *testing.T) {
	r, err := ParseRecipe([]byte("model: arm-example\ndata: " + stripes(t) + "\ntrain: {epochs: 3, batch: 32}\nsteps: [{ptq: {calibration: 50}}, {qat: {calibration: 50, epochs: 2}}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	whole, parts := t.TempDir(), t.TempDir()
	if _, err := Run(context.Background(), r, Options{Out: whole}); err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"train 2/3", "qat 1/2", never} {
		ctx, stop := context.WithCancel(context.Background())
		_, err := Run(ctx, r, Options{Out: parts, Progress: &stopAfter{word, stop}})
		stop()
		if word == never {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		var interrupted *optim.Interrupted
		if !errors.As(err, &interrupted) || interrupted.Path == "" {
			t.Fatalf("stopped at %s: %v", word, err)
		}
	}
	for _, name := range []string{"float.temper", "ptq.tflite", "qat.temper", "qat.tflite"} {
		a, err := os.ReadFile(filepath.Join(whole, name))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(parts, name)); err != nil || string(a) != string(b) {
			t.Errorf("%s differs after interruptions (%v)", name, err)
		}
	}
}
