package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
)

func (a *app) cluster() *cobra.Command {
	t, s := &training{label: "cluster"}, temper.ClusterStep{}
	var skip, layers []string
	var preserve bool
	cmd := &cobra.Command{
		Use:   "cluster CHECKPOINT",
		Short: "Give each layer of a trained network a codebook, and train it on",
		Long: `Lets the weights of a layer have few distinct values, and trains these. On the
int8 grid they are codes of the file, shared by all channels, each of which has
its own scale. Zeros of a pruned network stay. The number of codes is promised:
export fails if the int8 file has more. --epochs 0 clusters without training.
When it is interrupted, go on with temper train OUT --resume -o OUT and the same
training flags.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper cluster float.temper --codes 16 -o cluster.temper\n  temper qat cluster.temper -o cqat.temper",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s.Epochs, s.LearningRate = t.Epochs, t.Train.LearningRate
			var err error
			if s.Rules, err = clusterRules(skip, layers); err != nil {
				return err
			}
			if cmd.Flags().Changed("preserve-sparsity") {
				s.PreserveSparsity = &preserve
			}
			return a.condition(cmd, t, s, args[0], false)
		},
	}
	d := temper.DefaultCluster()
	t.flags(cmd, d.Epochs, d.LearningRate)
	f := cmd.Flags()
	f.IntVar(&s.Codes, "codes", d.Codes, "distinct values of a layer, zero included")
	f.StringVar(&s.Grid, "grid", d.Grid, "int8, or float as in TFMOT")
	f.StringVar(&s.Init, "init", d.Init, "first values: linear, random, density or k-means++")
	f.BoolVar(&s.PerChannel, "per-channel", false, "a codebook an output channel; costs much on an NPU")
	f.BoolVar(&preserve, "preserve-sparsity", false, "keep zeros zero and nothing else (default: where layers were pruned)")
	f.StringVar(&s.Gradient, "gradient", d.Gradient, "of a value over its weights: sum or mean")
	f.StringSliceVar(&skip, "skip", nil, "patterns of layers, by name or kind, to leave alone")
	f.StringSliceVar(&layers, "layer", nil, "PATTERN or PATTERN=CODES for layers by name or kind, also those left alone by default")
	return cmd
}

// clusterRules are the rules of the flags; the first that matches a layer counts.
func clusterRules(skip, layers []string) ([]temper.ClusterRule, error) {
	var rules []temper.ClusterRule
	for _, p := range skip {
		rules = append(rules, temper.ClusterRule{Match: p, Skip: true})
	}
	for _, p := range layers {
		pattern, codes, given := strings.Cut(p, "=")
		r := temper.ClusterRule{Match: pattern}
		var err error
		if given {
			if r.Codes, err = strconv.Atoi(codes); err != nil {
				return nil, usageError{fmt.Errorf("--layer %q: want PATTERN or PATTERN=CODES", p)}
			}
		}
		rules = append(rules, r)
	}
	return rules, nil
}
