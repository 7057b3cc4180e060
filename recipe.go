package temper

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// Recipe says which network is trained on what, how, and how it is conditioned.
type Recipe struct {
	Model string `yaml:"model"` // a name of layers/models, or a checkpoint file
	Data  string `yaml:"data"`  // mnist, or a path: see datasets/open
	Train Train  `yaml:"train"`
	Steps []Step `yaml:"steps"`
}

// Train are the settings of a training.
type Train struct {
	Epochs       int      `yaml:"epochs"`
	Batch        int      `yaml:"batch"`
	Solver       string   `yaml:"solver"` // adam, adamw, sgd, rmsprop
	LearningRate float64  `yaml:"learning-rate"`
	Momentum     float64  `yaml:"momentum"`     // of sgd
	WeightDecay  float64  `yaml:"weight-decay"` // of adamw
	Seed         uint64   `yaml:"seed"`
	Augment      *Augment `yaml:"augment"`
}

// Augment are random changes of the training images.
type Augment struct {
	Shift int     `yaml:"shift"` // pixels
	Flip  bool    `yaml:"flip"`
	Noise float64 `yaml:"noise"` // standard deviation
}

// Step is one way of conditioning the trained network; exactly one field is set.
type Step struct {
	PTQ *PTQStep `yaml:"ptq"`
	QAT *QATStep `yaml:"qat"`
}

// PTQStep is post-training quantization.
type PTQStep struct {
	Calibration     int    `yaml:"calibration"` // samples, default 200
	Observer        string `yaml:"observer"`    // min-max, moving-average, percentile, mse
	WeightBits      int    `yaml:"weight-bits"`
	PerChannelDense bool   `yaml:"per-channel-dense"`
	Rules           []Rule `yaml:"layers"`
}

// Rule overrides the settings of layers by name or kind.
type Rule struct {
	Match      string `yaml:"match"`
	WeightBits int    `yaml:"weight-bits"`
	Skip       bool   `yaml:"skip"`
}

// QATStep is quantization-aware fine-tuning.
type QATStep struct {
	PTQStep         `yaml:",inline"`
	Epochs          int     `yaml:"epochs"`        // default 1
	LearningRate    float64 `yaml:"learning-rate"` // default 0.0001
	Momentum        float32 `yaml:"momentum"`      // of the ranges
	Delay           int     `yaml:"delay"`
	Freeze          int     `yaml:"freeze"`
	FreezeBatchNorm bool    `yaml:"freeze-batch-norm"`
	Learned         bool    `yaml:"learned-step"`
}

// Default is Arm's example: the small convolutional network on MNIST, five epochs, quantized after training and with one epoch of fine-tuning.
func Default() Recipe {
	r := Recipe{Model: "arm-example", Data: "mnist", Steps: []Step{{PTQ: &PTQStep{}}, {QAT: &QATStep{}}}}
	r.defaults()
	return r
}

func (r *Recipe) defaults() {
	t := &r.Train
	set(&t.Epochs, 5)
	set(&t.Batch, 128)
	set(&t.Solver, "adam")
	set(&t.LearningRate, 0.001)
	set(&t.Seed, 1)
	for _, s := range r.Steps {
		if s.PTQ != nil {
			set(&s.PTQ.Calibration, 200)
		}
		if s.QAT != nil {
			set(&s.QAT.Calibration, 200)
			set(&s.QAT.Epochs, 1)
			set(&s.QAT.LearningRate, 0.0001)
		}
	}
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// ReadRecipe reads a recipe file. Unknown keys and wrong types are errors that name the line.
func ReadRecipe(path string) (Recipe, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Recipe{}, err
	}
	if info.Size() > 1<<20 {
		return Recipe{}, fmt.Errorf("%s has %d bytes: not a recipe", path, info.Size())
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return Recipe{}, err
	}
	r, err := ParseRecipe(data)
	if err != nil {
		return Recipe{}, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ParseRecipe reads a recipe's text.
func ParseRecipe(data []byte) (Recipe, error) {
	var r Recipe
	if err := yaml.UnmarshalWithOptions(data, &r, yaml.Strict()); err != nil {
		return r, suggest(err)
	}
	r.defaults()
	return r, r.check()
}

// suggest adds the nearest known key to the error of an unknown one.
func suggest(err error) error {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) {
		return err
	}
	key := unknown.GetToken().Value
	best, least := "", 3
	for _, k := range keys {
		if d := distance(key, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return err
	}
	return fmt.Errorf("%w\ndid you mean %q?", err, best)
}

// keys are all keys of a recipe.
var keys = []string{"model", "data", "train", "steps", "epochs", "batch", "solver", "learning-rate", "momentum", "weight-decay", "seed", "augment", "shift", "flip",
	"noise", "ptq", "qat", "calibration", "observer", "weight-bits", "per-channel-dense", "layers", "match", "skip", "delay", "freeze", "freeze-batch-norm", "learned-step"}

// distance is the number of changed, missing and extra characters (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := last
			if a[i] != b[j] {
				cost = min(last, row[j], row[j+1]) + 1
			}
			last, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

func (r Recipe) check() error {
	if r.Model == "" || r.Data == "" {
		return fmt.Errorf("recipe: model and data are required (models: %v; data: mnist or a path)", models.Names())
	}
	if filepath.Ext(r.Model) != ".temper" && !slices.Contains(models.Names(), r.Model) {
		return fmt.Errorf("recipe: model %q is neither a checkpoint (.temper) nor one of %v", r.Model, models.Names())
	}
	t := r.Train
	if t.Epochs < 0 || t.Batch < 1 || t.LearningRate <= 0 {
		return fmt.Errorf("recipe: train: epochs %d, batch %d and learning-rate %g must be positive", t.Epochs, t.Batch, t.LearningRate)
	}
	if _, err := t.solver(); err != nil {
		return fmt.Errorf("recipe: train: %w", err)
	}
	seen := map[string]bool{}
	for i, s := range r.Steps {
		if (s.PTQ == nil) == (s.QAT == nil) {
			return fmt.Errorf("recipe: step %d must be one of ptq and qat", i+1)
		}
		if seen[s.Name()] {
			return fmt.Errorf("recipe: step %s stands twice: both would write %s.tflite", s.Name(), s.Name())
		}
		seen[s.Name()] = true
		p := s.PTQ
		if s.QAT != nil {
			p = &s.QAT.PTQStep
			if s.QAT.Epochs < 0 || s.QAT.LearningRate <= 0 {
				return fmt.Errorf("recipe: qat: epochs %d and learning-rate %g must be positive", s.QAT.Epochs, s.QAT.LearningRate)
			}
		}
		if p.Calibration < 1 {
			return fmt.Errorf("recipe: %s: calibration %d: want a number of samples, 100 to 500", s.Name(), p.Calibration)
		}
		if _, err := p.observer(); err != nil {
			return fmt.Errorf("recipe: %s: %w", s.Name(), err)
		}
	}
	return nil
}

// Name is the step's name in tables and file names.
func (s Step) Name() string {
	if s.QAT != nil {
		return fakequant.QAT{}.Name()
	}
	return fakequant.PTQ{}.Name()
}

func (r Recipe) loss() graph.Loss { return optim.SoftmaxCrossEntropy{} }

func (t Train) solver() (optim.Solver, error) {
	switch t.Solver {
	case "adam":
		return &optim.Adam{LearningRate: t.LearningRate}, nil
	case "adamw":
		return optim.AdamW(t.LearningRate, t.WeightDecay), nil
	case "sgd":
		return &optim.SGD{LearningRate: t.LearningRate, Momentum: t.Momentum}, nil
	case "rmsprop":
		return &optim.RMSprop{LearningRate: t.LearningRate}, nil
	}
	return nil, fmt.Errorf("solver %q is none of adam, adamw, sgd, rmsprop", t.Solver)
}

func (t Train) augmentation() []datasets.Augmentation {
	if t.Augment == nil {
		return nil
	}
	var a []datasets.Augmentation
	if t.Augment.Shift > 0 {
		a = append(a, datasets.Shift{Pixels: t.Augment.Shift})
	}
	if t.Augment.Flip {
		a = append(a, datasets.FlipHorizontal{P: 0.5})
	}
	if t.Augment.Noise > 0 {
		a = append(a, datasets.Noise{StdDev: t.Augment.Noise})
	}
	return a
}

func (p PTQStep) observer() (fakequant.Observer, error) {
	switch p.Observer {
	case "", "min-max":
		return fakequant.MinMax{}, nil
	case "moving-average":
		return fakequant.MovingAverage{}, nil
	case "percentile":
		return fakequant.Percentile{}, nil
	case "mse":
		return fakequant.MSE{}, nil
	}
	return nil, fmt.Errorf("observer %q is none of min-max, moving-average, percentile, mse", p.Observer)
}

// calibrationSeed draws the samples; a constant, so that ptq and qat calibrate on the same.
const calibrationSeed = 1

func (p PTQStep) config(train *datasets.Set) (fakequant.Config, error) {
	o, err := p.observer()
	if err != nil {
		return fakequant.Config{}, err
	}
	c := fakequant.Config{Calibration: train.Sample(p.Calibration, calibrationSeed), Observer: o, WeightBits: p.WeightBits, PerChannelDense: p.PerChannelDense}
	for _, r := range p.Rules {
		c.Rules = append(c.Rules, fakequant.Rule{Match: r.Match, Skip: r.Skip, WeightBits: r.WeightBits})
	}
	return c, nil
}

func (s QATStep) conditioner(train *datasets.Set) (fakequant.QAT, error) {
	c, err := s.config(train)
	return fakequant.QAT{Config: c, Momentum: s.Momentum, Delay: s.Delay, Freeze: s.Freeze, FreezeBatchNorm: s.FreezeBatchNorm, Learned: s.Learned}, err
}
