package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/graph"
)

func (a *app) qat() *cobra.Command {
	t, q, s := &training{label: "qat"}, &quantizing{}, temper.QATStep{}
	cmd := &cobra.Command{
		Use:   "qat CHECKPOINT",
		Short: "Fine-tune a trained network with quantization awareness (QAT)",
		Long: `Quantizes the network with ranges from calibration and goes on training it with
fake quantization in the forward pass. When it is interrupted, go on with
temper train OUT --resume -o OUT and the same training flags.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper qat float.temper --epochs 1 -o qat.temper\n  temper export qat.temper -o qat.tflite",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if s.PTQStep, err = q.step(); err != nil {
				return err
			}
			s.Epochs, s.LearningRate = t.Epochs, t.LearningRate
			if err := s.Check(); err != nil {
				return usageError{err}
			}
			if err := t.open(cmd.Context(), a); err != nil {
				return err
			}
			from, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			if err := temper.Classifies(from.Graph, t.train); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			qat, err := s.Conditioner(t.train)
			if err != nil {
				return err
			}
			if err := qat.Apply(from.Graph); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if _, err := t.fit.Run(cmd.Context(), from.Graph, t.examples); err != nil {
				return t.hint(cmd, err)
			}
			return a.trained(cmd, t, from.Graph)
		},
	}
	t.flags(cmd, 1, 0.0001)
	q.flags(cmd)
	f := cmd.Flags()
	f.Float32Var(&s.Momentum, "range-momentum", 0, "of the moving average of the ranges (0: 0.99)")
	f.IntVar(&s.Delay, "delay", 0, "steps before values are quantized")
	f.IntVar(&s.Freeze, "freeze", 0, "step from which ranges stand still; 0: never")
	f.BoolVar(&s.FreezeBatchNorm, "freeze-batch-norm", false, "use BatchNorm's moving statistics in training")
	f.BoolVar(&s.Learned, "learned-step", false, "train the ranges by gradient (LSQ)")
	return cmd
}
