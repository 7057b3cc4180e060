package main

import (
	"errors"
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
		Use:   "export CHECKPOINT",
		Short: "Write a quantized network as an int8 TFLite file",
		Long: `Writes a fully int8 .tflite with static batch 1, and counts its weights: zeros,
distinct codes, and the bits that a weight takes at the least (the entropy of its
codes). What pruning and clustering promised of a layer must be in the file.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the file would break a promise.`,
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
			m, rows, err := export.Audited(c.Graph, o)
			if broken := (*export.BrokenPromises)(nil); errors.As(err, &broken) {
				return checkError{err}
			}
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
			operators := len(m.Subgraphs[0].Operators)
			return a.print(map[string]any{"file": out, "bytes": info.Size(), "operators": operators, "weights": rows}, func(w io.Writer) {
				fmt.Fprintf(w, "%s: %d operators, %d bytes\n\n", out, operators, info.Size())
				auditTable(w, rows)
			})
		},
	}
	f := cmd.Flags()
	f.StringVarP(&out, "out", "o", "", "file to write (required)")
	f.BoolVar(&o.FloatInput, "float-input", false, "take float32 and quantize in the file")
	f.BoolVar(&o.FloatOutput, "float-output", false, "return float32")
	f.BoolVar(&o.AllowBrokenPromises, "allow-broken-promises", false, "write the file even if its weights are not what pruning or clustering promised")
	return cmd
}
