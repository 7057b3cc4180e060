package fakequant

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// PTQ is post-training quantization: quantizers with ranges from calibration, no training. Dense layers with one scale take their BatchNorm
// into the weights first; convolutions keep it until export, where it becomes part of the scales.
type PTQ struct {
	Config
}

// Apply quantizes g in place. On an error g is unchanged.
func (p PTQ) Apply(g *graph.Graph) error {
	return apply(g, p.Config, training{}, nil)
}

// Name is the conditioner's name in tables and recipes.
func (PTQ) Name() string { return "ptq" }

// QAT is quantization-aware training: the quantizers of PTQ, with ranges that start from calibration and then follow the data. Training goes on
// after Apply, in the same graph.
type QAT struct {
	Config
	Momentum        float32 // of the moving average of the ranges; default 0.99
	Delay           int     // training steps before values are quantized; ranges are observed from the start
	Freeze          int     // training step from which ranges stand still; 0: never
	FreezeBatchNorm bool    // use the moving statistics of BatchNorm in training
	Learned         bool    // train the ranges by gradient (LSQ) instead of observing them
}

// Apply quantizes g in place. On an error g is unchanged.
func (q QAT) Apply(g *graph.Graph) error {
	if q.Learned && (q.Momentum != 0 || q.Freeze != 0) {
		return fmt.Errorf("qat: momentum and freeze are of ranges that follow the data; learned ones are trained by gradient")
	}
	if q.Momentum == 0 {
		q.Momentum = 0.99
	}
	if q.Momentum < 0 || q.Momentum >= 1 {
		return fmt.Errorf("qat: momentum %g must be in [0, 1)", q.Momentum)
	}
	if q.Delay < 0 || q.Freeze < 0 {
		return fmt.Errorf("qat: delay %d and freeze %d are numbers of steps", q.Delay, q.Freeze)
	}
	return apply(g, q.Config, training{q.Momentum, q.Delay, q.Freeze, q.Learned}, func(g *graph.Graph) {
		if q.FreezeBatchNorm {
			freezeBatchNorms(g)
		}
	})
}

// Name is the conditioner's name in tables and recipes.
func (QAT) Name() string { return "qat" }

func apply(g *graph.Graph, cfg Config, train training, after func(*graph.Graph)) error {
	name := "ptq"
	if train.momentum > 0 {
		name = "qat"
	}
	work := g.Clone()
	if err := cfg.check(work); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := foldBatchNorms(work, cfg.foldable); err != nil {
		return fmt.Errorf("%s: folding BatchNorm: %w", name, err)
	}
	float := work.Clone()
	sites, err := place(work, cfg, train)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := calibrate(float, sites, cfg.Calibration, cfg.Observer); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if after != nil {
		after(work)
	}
	work.RemoveDead()
	if err := work.Check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	*g = *work
	return nil
}
