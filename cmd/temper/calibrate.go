package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/graph"
)

// quantizing are the flags of the verbs that quantize.
type quantizing struct {
	temper.PTQStep
	skip, layerBits []string
}

func (q *quantizing) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.IntVar(&q.Calibration, "calibration", 200, "samples that the ranges come from, 100 to 500")
	f.StringVar(&q.Observer, "observer", "min-max", "how a range follows from the samples: min-max, moving-average, percentile or mse")
	f.IntVar(&q.WeightBits, "weight-bits", 8, "bits of the weights, 2 to 8")
	f.BoolVar(&q.PerChannelDense, "per-channel-dense", false, "one scale an output of dense layers")
	f.StringSliceVar(&q.layerBits, "layer-bits", nil, "PATTERN=BITS for layers by name or kind")
	f.StringSliceVar(&q.skip, "skip", nil, "patterns of layers to leave in float (such a network cannot be exported)")
}

// step is what the flags say.
func (q *quantizing) step() (temper.PTQStep, error) {
	s := q.PTQStep
	for _, p := range q.skip {
		s.Rules = append(s.Rules, temper.Rule{Match: p, Skip: true})
	}
	for _, p := range q.layerBits {
		pattern, bits, ok := strings.Cut(p, "=")
		n, err := strconv.Atoi(bits)
		if !ok || err != nil {
			return s, usageError{fmt.Errorf("--layer-bits %q: want PATTERN=BITS", p)}
		}
		s.Rules = append(s.Rules, temper.Rule{Match: pattern, WeightBits: n})
	}
	if err := s.Check(); err != nil {
		return s, usageError{err}
	}
	return s, nil
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
			s, err := q.step()
			if err != nil {
				return err
			}
			if err := target(out); err != nil {
				return err
			}
			c, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			train, _, err := temper.OpenData(cmd.Context(), data, a.err)
			if err != nil {
				return err
			}
			ptq, err := s.Conditioner(train, 0)
			if err != nil {
				return err
			}
			if err := ptq.Apply(c.Graph); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
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
