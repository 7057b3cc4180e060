package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/npu"
	"github.com/temper-ml/temper/optim"
)

func (a *app) verify() *cobra.Command {
	var data, against, profile string
	var atLeast float64
	var limit int
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Measure the accuracy of a file by executing it; compare two files image by image",
		Long: `FILE is a .tflite, executed bit for bit, or a checkpoint, run as a float graph.
The NPU operators of a file compiled for Ethos-U run in the simulator.
--against compares its predictions with those of another file.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 the accuracy is below --at-least.`,
		Example: "  temper verify conditioned_models/qat.tflite\n  temper verify qat.tflite --against float.temper --at-least 0.985",
		Args:    exactly(1, "a .tflite file or a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := interp.ParseProfile(profile)
			if err != nil {
				return usageError{err}
			}
			if !(atLeast >= 0 && atLeast <= 1) || limit < 0 {
				return usageError{fmt.Errorf("--at-least %g must be a part from 0 to 1, such as 0.985, and --limit %d not negative", atLeast, limit)}
			}
			_, test, err := temper.OpenData(cmd.Context(), data, a.err)
			if err != nil {
				return err
			}
			if limit > 0 {
				test = test.Take(0, limit)
			}
			result := map[string]any{"file": args[0], "examples": test.Len()}
			classes, err := classify(cmd, args[0], p, test)
			if err != nil {
				return err
			}
			right := 0
			for i, c := range classes {
				if c == test.Label(i) {
					right++
				}
			}
			accuracy := float64(right) / float64(max(len(classes), 1))
			result["accuracy"] = accuracy
			text := fmt.Sprintf("%s: accuracy %.2f %% (%d of %d)", args[0], 100*accuracy, right, len(classes))
			if against != "" {
				others, err := classify(cmd, against, p, test)
				if err != nil {
					return err
				}
				differ := 0
				for i := range classes {
					if classes[i] != others[i] {
						differ++
					}
				}
				result["against"], result["different_predictions"] = against, differ
				text += fmt.Sprintf("; %d predictions differ from %s", differ, against)
			}
			if err := a.print(result, func(w io.Writer) { fmt.Fprintln(w, text) }); err != nil {
				return err
			}
			if accuracy < atLeast {
				return checkError{fmt.Errorf("accuracy %.4f is below %.4f", accuracy, atLeast)}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "mnist", "data set; its test part is used")
	f.StringVar(&against, "against", "", "another .tflite or checkpoint to compare with, image by image")
	f.StringVar(&profile, "profile", "tflm", "whose arithmetic: tflm or litert-ref")
	f.Float64Var(&atLeast, "at-least", 0, "fail with code 3 below this accuracy (0 to 1)")
	f.IntVar(&limit, "limit", 0, "use the first N examples only")
	return cmd
}

// classify returns the predicted class of each example, by a file or by a checkpoint's eval session.
func classify(cmd *cobra.Command, path string, p interp.Profile, test *datasets.Set) ([]int, error) {
	if !isCheckpoint(path) {
		m, err := tflite.ReadFile(path)
		if err != nil {
			return nil, err
		}
		open := func() (*interp.Interpreter, error) { return interp.New(m, p) }
		if npu.Compiled(m) {
			open = func() (*interp.Interpreter, error) { return npu.NewSimulator(m) }
		}
		classes, err := interp.ClassifyWith(cmd.Context(), open, test, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return classes, nil
	}
	c, err := graph.Load(path)
	if err != nil {
		return nil, err
	}
	s, err := graph.NewEval(c.Graph)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var classes []int
	for x := range test.Batches(0, 0, 100, 0) {
		if err := cmd.Context().Err(); err != nil {
			return nil, err
		}
		if err := s.Forward(x); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		n := len(x) / c.Graph.Inputs[0].Shape.Volume()
		y := s.Output(0)
		for i := range n {
			classes = append(classes, optim.ArgMax(y[i*len(y)/n:(i+1)*len(y)/n]))
		}
	}
	return classes, nil
}
