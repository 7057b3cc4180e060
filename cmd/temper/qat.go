package main

import (
	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
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
			s.Epochs, s.LearningRate = t.Epochs, t.Train.LearningRate
			return a.condition(cmd, t, s, args[0], false)
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
