package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/npu"
)

func (a *app) inspect() *cobra.Command {
	var data string
	var samples int
	var dump bool
	cmd := &cobra.Command{
		Use:   "inspect FILE [CHECKPOINT]",
		Short: "Show a checkpoint or a .tflite file; compare a file layer by layer with a checkpoint",
		Long: `A checkpoint is shown as a table of layers (--dump: as the graph's text), a
.tflite as text. A file compiled for Ethos-U is shown with its programs, as Arm's
names of commands and fields, and with what is wrong with them. With a .tflite and a checkpoint, every layer's int8 values are
compared with the checkpoint's on samples: signal to quantization noise,
largest error in steps of the scale, saturated values.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Example: "  temper inspect float.temper\n  temper inspect qat.tflite\n  temper inspect ptq.tflite float.temper --samples 50",
		Args:    between(1, 2, "a file, and a checkpoint to compare with"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return a.compareLayers(cmd.Context(), args[0], args[1], data, samples)
			}
			if isCheckpoint(args[0]) {
				c, err := graph.Load(args[0])
				if err != nil {
					return err
				}
				s := layers.Summary(c.Graph)
				return a.print(map[string]any{"summary": s, "graph": c.Graph.String(), "meta": c.Meta}, func(w io.Writer) {
					if dump {
						fmt.Fprint(w, c.Graph)
						return
					}
					fmt.Fprint(w, s)
				})
			}
			m, err := tflite.ReadFile(args[0])
			if err != nil {
				return err
			}
			if npu.Compiled(m) {
				return a.inspectCompiled(m)
			}
			if a.json {
				return a.print(m, nil)
			}
			return tflite.Dump(a.out, m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "mnist", "data set of the samples")
	f.IntVar(&samples, "samples", 100, "test examples to compare on")
	f.BoolVar(&dump, "dump", false, "print a checkpoint's graph as text")
	return cmd
}

// inspectCompiled shows a file and the programs in it.
func (a *app) inspectCompiled(m *tflite.Model) error {
	programs, err := npu.ReadPrograms(m)
	if err != nil {
		return err
	}
	type described struct {
		Operator int      `json:"operator"`
		Target   string   `json:"target"`
		Commands []string `json:"commands"`
		Findings []string `json:"findings"`
	}
	var list []described
	for _, i := range slices.Sorted(maps.Keys(programs)) {
		p := programs[i]
		d := described{Operator: i, Target: p.Target.Name, Findings: []string{}}
		for _, c := range p.Commands {
			d.Commands = append(d.Commands, c.String())
		}
		for _, f := range p.Check() {
			d.Findings = append(d.Findings, f.String())
		}
		list = append(list, d)
	}
	if a.json {
		return a.print(map[string]any{"model": m, "programs": list}, nil)
	}
	if err := tflite.Dump(a.out, m); err != nil {
		return err
	}
	for _, d := range list {
		fmt.Fprintf(a.out, "\noperator %d: %s", d.Operator, programs[d.Operator])
		for _, f := range d.Findings {
			fmt.Fprintln(a.out, "wrong:", f)
		}
		if len(d.Findings) == 0 {
			fmt.Fprintln(a.out, "no hazards, nothing that the hardware forbids")
		}
	}
	return nil
}

func (a *app) compareLayers(ctx context.Context, file, checkpoint, data string, samples int) error {
	if samples < 1 {
		return usageError{fmt.Errorf("--samples %d must be positive", samples)}
	}
	m, err := tflite.ReadFile(file)
	if err != nil {
		return err
	}
	c, err := graph.Load(checkpoint)
	if err != nil {
		return err
	}
	_, test, err := temper.OpenData(ctx, data, a.err)
	if err != nil {
		return err
	}
	rows, err := temper.CompareLayers(c.Graph, m, test.Take(0, samples))
	if err != nil {
		return err
	}
	return a.print(map[string]any{"file": file, "checkpoint": checkpoint, "layers": rows}, func(out io.Writer) {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "value\tSQNR dB\tlargest error, LSB\tof the layer alone, LSB\tsaturated")
		for _, r := range rows {
			fmt.Fprintf(w, "%s\t%.1f\t%.2f\t%.2f\t%.3f %%\n", r.Name, r.SQNR, r.MaxLSB, r.LayerLSB, 100*r.Saturated)
		}
		w.Flush()
	})
}
