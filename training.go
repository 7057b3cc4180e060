package temper

import (
	"fmt"
	"io"
	"math"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/optim"
)

// Train are the settings of a training. Zero fields have the defaults named.
type Train struct {
	Epochs       int     `yaml:"epochs" json:"epochs"`               // default 5; 0: the network as it is
	Batch        int     `yaml:"batch" json:"batch"`                 // default 128
	Solver       string  `yaml:"solver" json:"solver"`               // adam (default), adamw, sgd, rmsprop
	LearningRate float64 `yaml:"learning-rate" json:"learning-rate"` // default 0.001
	Momentum     float64 `yaml:"momentum" json:"momentum"`           // of sgd
	Nesterov     bool    `yaml:"nesterov" json:"nesterov"`           // of sgd
	WeightDecay  float64 `yaml:"weight-decay" json:"weight-decay"`   // of adamw, default 0.004
	Seed         uint64  `yaml:"seed" json:"seed"`                   // of weights, order, dropout and augmentation, default 1

	Schedule   string  `yaml:"schedule" json:"schedule"`       // of the learning rate: cosine to 0 at the end of training (default), constant, step, exponential
	DecayEvery int     `yaml:"decay-every" json:"decay-every"` // steps, of step and exponential: default an epoch
	Decay      float64 `yaml:"decay" json:"decay"`             // factor for those steps, default 0.5
	WarmUp     int     `yaml:"warm-up" json:"warm-up"`         // steps of a linear rise before the schedule
	ClipNorm   float64 `yaml:"clip-norm" json:"clip-norm"`     // limit of the norm of all gradients together
	Smoothing  float64 `yaml:"label-smoothing" json:"label-smoothing"`

	Validation    float64  `yaml:"validation" json:"validation"`         // part of the training data that is held back
	EarlyStopping int      `yaml:"early-stopping" json:"early-stopping"` // epochs without a lower validation loss
	Best          bool     `yaml:"best" json:"best"`                     // keep the weights with the lowest validation loss
	Augment       *Augment `yaml:"augment" json:"augment"`
}

// Augment are random changes of the training images.
type Augment struct {
	Shift int     `yaml:"shift" json:"shift"` // up to so many pixels each way
	Flip  bool    `yaml:"flip" json:"flip"`   // left to right, half of the time
	Crop  int     `yaml:"crop" json:"crop"`   // pad by so many pixels and cut the old size out somewhere
	Noise float64 `yaml:"noise" json:"noise"` // standard deviation
}

var (
	solvers   = []string{"adam", "adamw", "sgd", "rmsprop"}
	schedules = []string{"constant", "step", "exponential", "cosine"}
)

func (t *Train) defaults() {
	set(&t.Epochs, 5)
	set(&t.Batch, 128)
	set(&t.Solver, "adam")
	set(&t.LearningRate, 0.001)
	set(&t.Schedule, "cosine")
	set(&t.Seed, 1)
}

// Check refuses settings that cannot be; the error names the recipe's key.
func (t Train) Check() error {
	for _, x := range []float64{t.LearningRate, t.Momentum, t.WeightDecay, t.Decay, t.ClipNorm, t.Smoothing, t.Validation} {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("a setting is %g: want numbers", x)
		}
	}
	switch {
	case t.Epochs < 0 || t.Batch < 1 || t.LearningRate <= 0:
		return fmt.Errorf("epochs %d, batch %d and learning-rate %g must be positive", t.Epochs, t.Batch, t.LearningRate)
	case t.Momentum < 0 || t.Momentum >= 1 || t.Smoothing < 0 || t.Smoothing >= 1:
		return fmt.Errorf("momentum %g and label-smoothing %g must be in [0, 1)", t.Momentum, t.Smoothing)
	case (t.Momentum > 0 || t.Nesterov) && t.Solver != "sgd":
		return fmt.Errorf("momentum and nesterov belong to solver sgd, not %s", t.Solver)
	case t.Nesterov && t.Momentum == 0:
		return fmt.Errorf("nesterov is a form of momentum: set momentum, such as 0.9")
	case t.WeightDecay != 0 && t.Solver != "adamw":
		return fmt.Errorf("weight-decay belongs to solver adamw, not %s", t.Solver)
	case t.Validation < 0 || t.Validation >= 1:
		return fmt.Errorf("validation %g: want a part of the training data in [0, 1)", t.Validation)
	case (t.EarlyStopping != 0 || t.Best) && t.Validation == 0:
		return fmt.Errorf("early-stopping and best judge by validation data: set validation, such as 0.1")
	case t.WarmUp < 0 || t.DecayEvery < 0 || t.Decay < 0 || t.Decay > 1 || t.EarlyStopping < 0 || t.ClipNorm < 0 || t.WeightDecay < 0:
		return fmt.Errorf("warm-up %d, decay-every %d, decay %g, early-stopping %d, clip-norm %g and weight-decay %g must not be negative, decay at most 1",
			t.WarmUp, t.DecayEvery, t.Decay, t.EarlyStopping, t.ClipNorm, t.WeightDecay)
	case (t.Decay != 0 || t.DecayEvery != 0) && t.Schedule != "step" && t.Schedule != "exponential":
		return fmt.Errorf("decay and decay-every belong to schedules step and exponential")
	}
	if a := t.Augment; a != nil && (a.Shift < 0 || a.Crop < 0 || !(a.Noise >= 0)) {
		return fmt.Errorf("augment: shift %d, crop %d and noise %g must not be negative", a.Shift, a.Crop, a.Noise)
	}
	if _, err := t.solver(); err != nil {
		return err
	}
	_, err := t.schedule(1)
	return err
}

// Fit is the training loop with these settings over data, which is split when validation is asked for. It returns the data to train on.
func (t Train) Fit(data *datasets.Set, label, checkpoint string, progress io.Writer) (optim.Fit, optim.Data, error) {
	if err := t.Check(); err != nil {
		return optim.Fit{}, nil, err
	}
	f := optim.Fit{
		Loss: optim.SoftmaxCrossEntropy{LabelSmoothing: t.Smoothing}, Clip: optim.Clip{GlobalNorm: t.ClipNorm},
		Batch: t.Batch, Epochs: t.Epochs, Seed: t.Seed, Early: optim.EarlyStopping{Patience: t.EarlyStopping}, Best: t.Best,
		Label: label, Checkpoint: checkpoint, Every: checkpointEvery, Progress: progress, Metrics: []optim.Metric{&optim.Accuracy{}},
	}
	if t.Validation > 0 {
		rest, held := data.Split(1-t.Validation, t.Seed)
		if rest.Len() == 0 || held.Len() == 0 {
			return f, nil, fmt.Errorf("validation %g of %d examples leaves nothing on one side", t.Validation, data.Len())
		}
		data, f.Validation = rest, held
	}
	var err error
	if f.Solver, err = t.solver(); err != nil {
		return f, nil, err
	}
	if f.Schedule, err = t.schedule((data.Len() + t.Batch - 1) / t.Batch); err != nil {
		return f, nil, err
	}
	if a := t.augmentation(); len(a) > 0 {
		data = data.Augment(a...)
	}
	return f, data, nil
}

// checkpointEvery is in steps: a killed run loses a few seconds of work.
const checkpointEvery = 100

func (t Train) solver() (optim.Solver, error) {
	switch t.Solver {
	case "adam":
		return &optim.Adam{LearningRate: t.LearningRate}, nil
	case "adamw":
		return optim.AdamW(t.LearningRate, t.WeightDecay), nil
	case "sgd":
		return &optim.SGD{LearningRate: t.LearningRate, Momentum: t.Momentum, Nesterov: t.Nesterov}, nil
	case "rmsprop":
		return &optim.RMSprop{LearningRate: t.LearningRate}, nil
	}
	return nil, unknown("solver", t.Solver, solvers)
}

// schedule is the one of the recipe for epochs of so many steps.
func (t Train) schedule(epoch int) (optim.Schedule, error) {
	every, factor := t.DecayEvery, t.Decay
	set(&every, epoch)
	set(&factor, 0.5)
	var s optim.Schedule
	switch t.Schedule {
	case "", "constant":
		s = optim.Constant{}
	case "step":
		s = optim.StepDecay{Every: every, Factor: factor}
	case "exponential":
		s = optim.Exponential{Every: every, Factor: factor}
	case "cosine":
		s = optim.Cosine{Steps: max(epoch*t.Epochs-t.WarmUp, 1)}
	default:
		return nil, unknown("schedule", t.Schedule, schedules)
	}
	if t.WarmUp > 0 {
		s = optim.Warmup{Steps: t.WarmUp, Then: s}
	}
	return s, nil
}

func (t Train) augmentation() []datasets.Augmentation {
	if t.Augment == nil {
		return nil
	}
	var a []datasets.Augmentation
	if t.Augment.Shift > 0 {
		a = append(a, datasets.Shift{Pixels: t.Augment.Shift})
	}
	if t.Augment.Crop > 0 {
		a = append(a, datasets.Crop{Pad: t.Augment.Crop})
	}
	if t.Augment.Flip {
		a = append(a, datasets.FlipHorizontal{P: 0.5})
	}
	if t.Augment.Noise > 0 {
		a = append(a, datasets.Noise{StdDev: t.Augment.Noise})
	}
	return a
}
