package fakequant

import (
	"fmt"
	"iter"
	"path"
	"slices"

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

// Rule overrides the configuration for layers by name.
type Rule struct {
	Match           string // a path.Match pattern of the layer path, such as "conv2d_1" or "block*/conv2d"; or of the kind, such as "Dense"
	Skip            bool   // leave the layer's kernel and output in float; such a network cannot be exported as int8
	WeightBits      int    // 0: as in the Config
	PerChannelDense bool
}

func (c Config) check(g *graph.Graph) error {
	if c.Calibration == nil || c.Calibration.Len() == 0 {
		return fmt.Errorf("calibration data is missing: give 100 to 500 representative samples")
	}
	bits := []int{c.WeightBits}
	for _, r := range c.Rules {
		bits = append(bits, r.WeightBits)
		if _, err := path.Match(r.Match, "x"); err != nil || r.Match == "" {
			return fmt.Errorf("rule pattern %q: want a layer path with * and ?, or a Kind", r.Match)
		}
		matched := slices.ContainsFunc(g.Ops, func(o *graph.Op) bool { return r.matches(o) })
		if !matched {
			return fmt.Errorf("rule pattern %q matches no layer of %s", r.Match, g.Name)
		}
	}
	for _, b := range bits {
		if b != 0 && (b < 2 || b > 8) {
			return fmt.Errorf("weight bits %d: an int8 file holds 2 to 8", b)
		}
	}
	return nil
}

// rule returns what holds for one Op.
func (c Config) rule(o *graph.Op) Rule {
	found := Rule{}
	for _, r := range c.Rules {
		if r.matches(o) {
			found = r
			break
		}
	}
	if found.WeightBits == 0 {
		found.WeightBits = c.WeightBits
	}
	if found.WeightBits == 0 {
		found.WeightBits = 8
	}
	found.PerChannelDense = found.PerChannelDense || c.PerChannelDense
	return found
}

// matches compares the pattern with the Kind, the Op's name and the path of its layer (the name without its last element).
func (r Rule) matches(o *graph.Op) bool {
	for _, name := range []string{graph.KindName(o.Kind), o.Name, path.Dir(o.Name)} {
		if ok, _ := path.Match(r.Match, name); ok {
			return true
		}
	}
	return false
}
