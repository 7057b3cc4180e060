package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
)

func (a *app) prune() *cobra.Command {
	t, s := &training{label: "prune"}, temper.PruneStep{}
	var skip, only []string
	var resume bool
	cmd := &cobra.Command{
		Use:   "prune CHECKPOINT",
		Short: "Make weights of a trained network zero, and train it on",
		Long: `Zeroes the weights of least magnitude, more and more of them as the schedule
says, and trains what is left. --epochs 0 does it at once, without training.
The zeros are promised: export fails if the int8 file has fewer. An interrupted
training goes on with --resume.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper prune float.temper --sparsity 0.8 -o prune.temper\n  temper prune float.temper --nm 2:4 -o prune.temper\n  temper cluster prune.temper -o pc.temper",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Epochs, s.LearningRate = t.Epochs, t.Train.LearningRate
			var err error
			if s.Rules, err = pruneRules(skip, only); err != nil {
				return err
			}
			if t.Best || t.EarlyStopping > 0 {
				return usageError{fmt.Errorf("--best and --early-stopping could end before the schedule does: leave them out")}
			}
			return a.condition(cmd, t, s, args[0], resume)
		},
	}
	d := temper.DefaultPrune()
	t.flags(cmd, d.Epochs, d.LearningRate)
	f := cmd.Flags()
	f.Float64Var(&s.Sparsity, "sparsity", d.Sparsity, "part of the weights that becomes zero")
	f.StringVar(&s.Schedule, "sparsity-schedule", d.Schedule, "polynomial or constant")
	f.Float64Var(&s.Initial, "initial", d.Initial, "sparsity at the begin of a polynomial schedule")
	f.Float64Var(&s.Power, "power", 0, "of the polynomial schedule (0: 3)")
	f.IntVar(&s.Begin, "begin", 0, "first step of the schedule")
	f.IntVar(&s.End, "end", 0, "last step of the schedule (0: half of the training; -1: a constant one never ends)")
	f.IntVar(&s.Frequency, "frequency", 0, "steps between updates of the masks (0: 100, fewer in a short training)")
	f.BoolVar(&s.Global, "global", false, "one threshold for all layers together")
	f.StringVar(&s.NM, "nm", "", "zeros of every so many weights along the input channels, such as 2:4")
	f.StringVar(&s.Block, "block", "", "zeros in blocks of input by output channels, such as 1x8")
	f.StringVar(&s.Pooling, "pooling", "", "how blocks are ranked: avg (default) or max")
	f.StringSliceVar(&skip, "skip", nil, "patterns of layers, by name or kind, to leave alone")
	f.StringSliceVar(&only, "layer", nil, "PATTERN or PATTERN=SPARSITY, PATTERN=2:4 for layers by name or kind, also those left alone by default")
	f.BoolVar(&resume, "resume", false, "go on with the interrupted training of CHECKPOINT, with the same flags")
	return cmd
}

// pruneRules are the rules of the flags; the first that matches a layer counts.
func pruneRules(skip, layers []string) ([]temper.PruneRule, error) {
	var rules []temper.PruneRule
	for _, p := range skip {
		rules = append(rules, temper.PruneRule{Match: p, Skip: true})
	}
	for _, p := range layers {
		pattern, value, given := strings.Cut(p, "=")
		r := temper.PruneRule{Match: pattern}
		if strings.Contains(value, ":") {
			r.NM = value
		} else if n, err := fmt.Sscan(value, &r.Sparsity); given && (n != 1 || err != nil) {
			return nil, usageError{fmt.Errorf("--layer %q: want PATTERN, PATTERN=SPARSITY or PATTERN=ZEROS:WEIGHTS", p)}
		}
		rules = append(rules, r)
	}
	return rules, nil
}
