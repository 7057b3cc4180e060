package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/open"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// quantizing are the flags of the verbs that quantize.
type quantizing struct {
	samples    int
	observer   string
	bits       int
	perChannel bool
	skip       []string
	layerBits  []string
}

func (q *quantizing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&q.samples, "calibration", 200, "samples that the ranges come from, 100 to 500")
	f.StringVar(&q.observer, "observer", "min-max", "min-max, moving-average, percentile or mse")
	f.IntVar(&q.bits, "weight-bits", 8, "bits of the weights, 2 to 8")
	f.BoolVar(&q.perChannel, "per-channel-dense", false, "one scale an output of dense layers")
	f.StringSliceVar(&q.layerBits, "layer-bits", nil, "PATTERN=BITS for layers by name or kind")
	f.StringSliceVar(&q.skip, "skip", nil, "patterns of layers to leave in float (such a network cannot be exported)")
}

func (q *quantizing) config(train *datasets.Set) (fakequant.Config, error) {
	c := fakequant.Config{WeightBits: q.bits, PerChannelDense: q.perChannel}
	if q.samples < 1 {
		return c, usageError{fmt.Errorf("--calibration %d: want a number of samples", q.samples)}
	}
	c.Calibration = train.Sample(q.samples, 1)
	observers := map[string]fakequant.Observer{"min-max": fakequant.MinMax{}, "moving-average": fakequant.MovingAverage{}, "percentile": fakequant.Percentile{}, "mse": fakequant.MSE{}}
	if c.Observer = observers[q.observer]; c.Observer == nil {
		return c, usageError{fmt.Errorf("--observer %q is none of min-max, moving-average, percentile, mse", q.observer)}
	}
	for _, p := range q.skip {
		c.Rules = append(c.Rules, fakequant.Rule{Match: p, Skip: true})
	}
	for _, p := range q.layerBits {
		pattern, bits, ok := strings.Cut(p, "=")
		n := 0
		if _, err := fmt.Sscanf(bits, "%d", &n); !ok || err != nil {
			return c, usageError{fmt.Errorf("--layer-bits %q: want PATTERN=BITS", p)}
		}
		c.Rules = append(c.Rules, fakequant.Rule{Match: pattern, WeightBits: n})
	}
	return c, nil
}

func (a *app) calibrate() *cobra.Command {
	q := &quantizing{}
	var data, out string
	cmd := &cobra.Command{
		Use:     "calibrate CHECKPOINT",
		Short:   "Quantize a trained network after training (PTQ)",
		Long:    "Puts quantizers into the network and finds their ranges on calibration samples.\n\nExit codes: 0 done, 1 failed, 2 wrong usage.",
		Example: "  temper calibrate float.temper --calibration 200 -o ptq.temper\n  temper export ptq.temper -o ptq.tflite",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{fmt.Errorf("-o CHECKPOINT is required")}
			}
			c, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			train, _, err := open.Open(data)
			if err != nil {
				return err
			}
			cfg, err := q.config(train)
			if err != nil {
				return err
			}
			if err := (fakequant.PTQ{Config: cfg}).Apply(c.Graph); err != nil {
				return err
			}
			if err := (&graph.Checkpoint{Graph: c.Graph}).Save(out); err != nil {
				return err
			}
			return a.print(map[string]any{"checkpoint": out}, func(w io.Writer) { fmt.Fprintln(w, out) })
		},
	}
	q.flags(cmd)
	cmd.Flags().StringVar(&data, "data", "mnist", "data set of the samples")
	cmd.Flags().StringVarP(&out, "out", "o", "", "checkpoint to write (required)")
	return cmd
}
