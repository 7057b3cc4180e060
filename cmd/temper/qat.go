package main

import (
	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets/open"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

func (a *app) qat() *cobra.Command {
	t, q, c := &training{label: "qat"}, &quantizing{}, fakequant.QAT{}
	cmd := &cobra.Command{
		Use:   "qat CHECKPOINT",
		Short: "Fine-tune a trained network with quantization awareness (QAT)",
		Long: `Quantizes the network with ranges from calibration and goes on training it with
fake quantization in the forward pass.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved;
go on with temper train CHECKPOINT --resume and the same flags).`,
		Example: "  temper qat float.temper --epochs 1 -o qat.temper\n  temper export qat.temper -o qat.tflite",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(); err != nil {
				return err
			}
			from, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			train, test, err := open.Open(t.data)
			if err != nil {
				return err
			}
			if c.Config, err = q.config(train); err != nil {
				return err
			}
			if err := c.Apply(from.Graph); err != nil {
				return err
			}
			fit := t.fit(a)
			if _, err := fit.Run(cmd.Context(), from.Graph, train); err != nil {
				return err
			}
			return a.trained(cmd, t, from.Graph, fit, test)
		},
	}
	t.flags(cmd, 1, 0.0001)
	q.flags(cmd)
	f := cmd.Flags()
	f.Float32Var(&c.Momentum, "momentum", 0.99, "of the moving average of the ranges")
	f.IntVar(&c.Delay, "delay", 0, "steps before values are quantized")
	f.IntVar(&c.Freeze, "freeze", 0, "step from which ranges stand still; 0: never")
	f.BoolVar(&c.FreezeBatchNorm, "freeze-batch-norm", false, "use BatchNorm's moving statistics in training")
	f.BoolVar(&c.Learned, "learned-step", false, "train the ranges by gradient (LSQ)")
	return cmd
}
