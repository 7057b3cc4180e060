package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/npu"
	"github.com/temper-ml/temper/npu/arch"
)

func (a *app) compile() *cobra.Command {
	var output string
	var o npu.Options
	cmd := &cobra.Command{
		Use:   "compile FILE.tflite",
		Short: "Compile a fully int8 .tflite file for Ethos-U55 or U65",
		Long: `Operators that the NPU has become programs, custom operators ethos-u as Vela writes
them; the others stay on the CPU as they are, each with its reason. Before the file is
written the compiled model has been executed in the simulator: its results are the
interpreter's on random inputs, byte for byte, and its programs have no hazards.

Targets: ` + strings.Join(arch.Targets(), ", ") + `
System configurations and memory modes are those of Arm's vela.ini, by name.
Feature maps lie in memory whole (no cascades), weights are read from where they are.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 an operator stays on the CPU and --require-npu.`,
		Example: "  temper compile qat.tflite --target ethos-u55-128 --output qat_npu.tflite",
		Args:    exactly(1, "an int8 .tflite file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output == "" {
				return usageError{fmt.Errorf("--output is required")}
			}
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			if err := atomicfile.Probe(output); err != nil {
				return err
			}
			m, err := tflite.ReadFile(args[0])
			if err != nil {
				return err
			}
			c, err := npu.Compile(m, o)
			if npu.StaysOnCPU(err) {
				return checkError{fmt.Errorf("%s: %w", args[0], err)}
			}
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if err := c.Model.WriteFile(output); err != nil {
				return err
			}
			for _, x := range c.Report.CPU {
				fmt.Fprintf(a.err, "operator %d (%s, output %s) stays on the CPU: %s\n", x.Index, x.Operator, x.Output, x.Reason)
			}
			result := struct {
				Output string `json:"output"`
				npu.Report
			}{output, c.Report}
			return a.print(result, func(w io.Writer) { compiledText(w, output, &c.Report) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&output, "output", "", "the compiled file (required)")
	f.StringVar(&o.Target, "target", "ethos-u55-128", "the hardware")
	f.StringVar(&o.MemoryMode, "memory-mode", "", "where things lie (default Shared_Sram for U55, Dedicated_Sram_384KB for U65)")
	f.StringVar(&o.SystemConfig, "system-config", "", "clock and memories (default Ethos_U55_High_End_Embedded, Ethos_U65_Client_Server)")
	f.BoolVar(&o.RequireNPU, "require-npu", false, "fail with code 3 if an operator would stay on the CPU")
	return cmd
}

func compiledText(w io.Writer, output string, r *npu.Report) {
	fmt.Fprintf(w, "%s: for %s, %s, %s\n", output, r.Target, r.SystemConfig, r.MemoryMode)
	fmt.Fprintf(w, "operators on the NPU %d, on the CPU %d\n", r.NPUOperators, r.CPUOperators)
	fmt.Fprintf(w, "flash %d bytes, SRAM %d bytes, arena %d bytes, about %d cycles (an estimate)\n", r.Flash, r.SRAM, r.Arena, r.Cycles)
	fmt.Fprintf(w, "weights: %d bytes, %d with padding, %d encoded\n", r.Weights.Original, r.Weights.Padded, r.Weights.Encoded)
}
