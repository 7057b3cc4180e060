package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/graph"
)

func (a *app) export() *cobra.Command {
	var out string
	var o export.Options
	cmd := &cobra.Command{
		Use:     "export CHECKPOINT",
		Short:   "Write a quantized network as an int8 TFLite file",
		Long:    "Writes a fully int8 .tflite with static batch 1.\n\nExit codes: 0 done, 1 failed, 2 wrong usage.",
		Example: "  temper export qat.temper -o qat.tflite\n  temper export qat.temper --float-input --float-output -o qat_float_io.tflite",
		Args:    exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := target(out); err != nil {
				return err
			}
			c, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			m, err := export.TFLite(c.Graph, o)
			if err != nil {
				return err
			}
			if err := m.WriteFile(out); err != nil {
				return err
			}
			info, err := os.Stat(out)
			if err != nil {
				return err
			}
			return a.print(map[string]any{"file": out, "bytes": info.Size(), "operators": len(m.Subgraphs[0].Operators)}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d operators, %d bytes\n", out, len(m.Subgraphs[0].Operators), info.Size())
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "file to write (required)")
	f.BoolVar(&o.FloatInput, "float-input", false, "take float32 and quantize in the file")
	f.BoolVar(&o.FloatOutput, "float-output", false, "return float32")
	return cmd
}
