package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/npu"
)

func (a *app) simulate() *cobra.Command {
	var input, output string
	var strict bool
	cmd := &cobra.Command{
		Use:   "simulate COMPILED.tflite",
		Short: "Execute a file compiled for Ethos-U, by Temper or by Vela, bit for bit",
		Long: `Operators for the NPU run in the simulator, the others in the interpreter. Vectors
are those of temper infer: arrays in0, in1, ... in, out0, out1, ... out.

The programs are checked, too: for hazards (missing waits, a block dependency too
large, memory that is read before it is written) and for what the hardware
forbids. What is found is printed on standard error.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 something was found and --strict.`,
		Example: "  temper simulate net_vela.tflite --input in.npz --output out.npz",
		Args:    exactly(1, "a compiled .tflite file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if input == "" || output == "" {
				return usageError{fmt.Errorf("--input and --output are required")}
			}
			if err := atomicfile.Probe(output); err != nil {
				return err
			}
			m, err := tflite.ReadFile(args[0])
			if err != nil {
				return err
			}
			findings, err := a.check(m)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			it, err := npu.NewSimulator(m)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			in, err := npz.Read(input)
			if err != nil {
				return err
			}
			out, n, err := inferAll(it, in)
			if err != nil {
				return fmt.Errorf("%s on %s: %w", args[0], input, err)
			}
			if err := npz.Write(output, out); err != nil {
				return err
			}
			result := map[string]any{"output": output, "vectors": n, "findings": findings}
			if err := a.print(result, func(w io.Writer) { fmt.Fprintf(w, "%s: %d vectors\n", output, n) }); err != nil {
				return err
			}
			if strict && len(findings) > 0 {
				return checkError{fmt.Errorf("%d findings in the programs of %s", len(findings), args[0])}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&input, "input", "", "vectors (required)")
	f.StringVar(&output, "output", "", "file for the results (required)")
	f.BoolVar(&strict, "strict", false, "fail with code 3 if the programs have hazards or do what the hardware forbids")
	return cmd
}

// check prints what is wrong with the programs of a file, and returns it.
func (a *app) check(m *tflite.Model) ([]string, error) {
	programs, err := npu.ReadPrograms(m)
	if err != nil {
		return nil, err
	}
	findings := []string{}
	for i, p := range programs {
		for _, f := range p.Check() {
			text := fmt.Sprintf("operator %d: %s", i, f)
			findings = append(findings, text)
			fmt.Fprintln(a.err, "found:", text)
		}
	}
	return findings, nil
}
