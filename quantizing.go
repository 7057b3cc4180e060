package temper

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/fakequant"
)

// PTQStep is post-training quantization. Zero fields have the defaults named.
type PTQStep struct {
	Calibration     int    `yaml:"calibration" json:"calibration"` // samples of the training data, default 200
	Observer        string `yaml:"observer" json:"observer"`       // min-max (default), moving-average, percentile, mse
	WeightBits      int    `yaml:"weight-bits" json:"weight-bits"` // 2 to 8 (default)
	PerChannelDense bool   `yaml:"per-channel-dense" json:"per-channel-dense"`
	Rules           []Rule `yaml:"layers" json:"layers"`
}

// Rule overrides the settings of layers by path, pattern or Kind.
type Rule struct {
	Match           string `yaml:"match" json:"match"`
	WeightBits      int    `yaml:"weight-bits" json:"weight-bits"`
	PerChannelDense bool   `yaml:"per-channel-dense" json:"per-channel-dense"`
	Skip            bool   `yaml:"skip" json:"skip"`
}

// QATStep is quantization-aware fine-tuning. Zero fields have the defaults named.
type QATStep struct {
	PTQStep         `yaml:",inline"`
	Epochs          int     `yaml:"epochs" json:"epochs"`                       // default 1
	LearningRate    float64 `yaml:"learning-rate" json:"learning-rate"`         // default 0.0001
	Momentum        float32 `yaml:"momentum" json:"momentum"`                   // of the ranges' moving average, default 0.99
	Delay           int     `yaml:"delay" json:"delay"`                         // steps before values are quantized
	Freeze          int     `yaml:"freeze" json:"freeze"`                       // step from which ranges stand still; 0: never
	FreezeBatchNorm bool    `yaml:"freeze-batch-norm" json:"freeze-batch-norm"` // use BatchNorm's moving statistics in training
	Learned         bool    `yaml:"learned-step" json:"learned-step"`           // train the ranges by gradient (LSQ)
}

var observers = []string{"min-max", "moving-average", "percentile", "mse"}

// calibrationSeed draws the samples; a constant, so that ptq and qat calibrate on the same.
const calibrationSeed = 1

func (p *PTQStep) defaults() { set(&p.Calibration, 200) }

func (s *QATStep) defaults() {
	s.PTQStep.defaults()
	set(&s.Epochs, 1)
	set(&s.LearningRate, 0.0001)
}

// Check refuses settings that cannot be; the error names the recipe's key.
func (p PTQStep) Check() error {
	if p.Calibration < 1 {
		return fmt.Errorf("calibration %d: want a number of samples, 100 to 500", p.Calibration)
	}
	for _, bits := range append([]int{p.WeightBits}, ruleBits(p.Rules)...) {
		if bits != 0 && (bits < 2 || bits > 8) {
			return fmt.Errorf("weight-bits %d: an int8 file holds 2 to 8", bits)
		}
	}
	_, err := p.observer()
	return err
}

func ruleBits(rules []Rule) []int {
	var bits []int
	for _, r := range rules {
		bits = append(bits, r.WeightBits)
	}
	return bits
}

// Check refuses settings that cannot be; the error names the recipe's key.
func (s QATStep) Check() error {
	switch {
	case s.Epochs < 1 || !(s.LearningRate > 0) || math.IsInf(s.LearningRate, 0):
		return fmt.Errorf("epochs %d and learning-rate %g must be positive numbers", s.Epochs, s.LearningRate)
	case !(s.Momentum >= 0 && s.Momentum < 1):
		return fmt.Errorf("momentum %g must be in [0, 1)", s.Momentum)
	case s.Delay < 0 || s.Freeze < 0:
		return fmt.Errorf("delay %d and freeze %d are steps, they must not be negative", s.Delay, s.Freeze)
	case s.Learned && (s.Momentum != 0 || s.Freeze != 0):
		return fmt.Errorf("momentum and freeze belong to ranges that follow the data, learned-step trains them")
	}
	return s.PTQStep.Check()
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
	return nil, unknown("observer", p.Observer, observers)
}

func (p PTQStep) config(train *datasets.Set) (fakequant.Config, error) {
	o, err := p.observer()
	if err != nil {
		return fakequant.Config{}, err
	}
	c := fakequant.Config{Calibration: train.Sample(p.Calibration, calibrationSeed), Observer: o, WeightBits: p.WeightBits, PerChannelDense: p.PerChannelDense}
	for _, r := range p.Rules {
		c.Rules = append(c.Rules, fakequant.Rule{Match: r.Match, Skip: r.Skip, WeightBits: r.WeightBits, PerChannelDense: r.PerChannelDense})
	}
	return c, nil
}

// Conditioner is the step with samples of the training data.
func (p PTQStep) Conditioner(train *datasets.Set) (fakequant.PTQ, error) {
	if err := p.Check(); err != nil {
		return fakequant.PTQ{}, err
	}
	c, err := p.config(train)
	return fakequant.PTQ{Config: c}, err
}

// Conditioner is the step with samples of the training data.
func (s QATStep) Conditioner(train *datasets.Set) (fakequant.QAT, error) {
	if err := s.Check(); err != nil {
		return fakequant.QAT{}, err
	}
	c, err := s.config(train)
	return fakequant.QAT{Config: c, Momentum: s.Momentum, Delay: s.Delay, Freeze: s.Freeze, FreezeBatchNorm: s.FreezeBatchNorm, Learned: s.Learned}, err
}
