package fakequant

import (
	"fmt"
	"iter"

	"github.com/temper-ml/temper/graph"
)

// Data is what calibration reads, such as a datasets.Set: batches of inputs (and targets, which are ignored).
type Data interface {
	Len() int
	Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32]
}

// Config says how a network is quantized. The zero value, with Calibration set, is the usual int8 scheme.
type Config struct {
	Calibration Data     // 100 to 500 representative samples
	Observer    Observer // how a range follows from the samples; default MinMax

	WeightBits      int  // 2 to 8, default 8; fewer bits use fewer codes of the int8 file
	PerChannelDense bool // one scale an output of a Dense layer. Runtimes before TFLM PR #2673 (2024) refuse it
	FoldBatchNorm   bool // fold every BatchNorm into kernel and bias now, with its moving statistics

	Rules []Rule // the first that matches a layer counts
}

func (c Config) check(g *graph.Graph) error {
	if c.Calibration == nil || c.Calibration.Len() == 0 {
		return fmt.Errorf("calibration data is missing: give 100 to 500 representative samples")
	}
	if err := checkObserver(c.Observer); err != nil {
		return err
	}
	bits := []int{c.WeightBits}
	for _, r := range c.Rules {
		bits = append(bits, r.WeightBits)
		if err := g.CheckPattern(r.Match, g.Heads()); err != nil {
			return err
		}
	}
	for _, b := range bits {
		if b != 0 && (b < 2 || b > 8) {
			return fmt.Errorf("weight bits %d: an int8 file holds 2 to 8", b)
		}
	}
	return nil
}
