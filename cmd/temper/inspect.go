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
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/npu"
)

func (a *app) inspect() *cobra.Command {
	var data string
	var samples int
	var dump bool
	var cost costFlags
	cmd := &cobra.Command{
		Use:   "inspect FILE [FILE2]",
		Short: "Show a checkpoint or a .tflite file and its weights; compare a file with another, or layer by layer with a checkpoint",
		Long: `A checkpoint is shown as a table of layers (--dump: as the graph's text), a
.tflite as text, whoever wrote it, with a count of its weights: zeros, the
pattern of zeros (2:4: two of every four along the input channels), distinct
codes, and the entropy of the codes in bits a weight and in bytes, which is what a
coder that looks at one weight at a time needs at the least. A file compiled for
Ethos-U is shown with its programs, as Arm's names of commands and fields, and
with what is wrong with them; with --cycles, what they cost instead: cycles by
unit and which bound holds (estimates of a model, not measurements), flash, SRAM in
use, bytes of weights original, padded and encoded. --explain traces the formula.

With two .tflite files the counts stand side by side, "first -> second". With a
.tflite and a checkpoint, every layer's int8 values are compared with the
checkpoint's on samples: signal to quantization noise, largest error in steps of
the scale, saturated values.

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Example: "  temper inspect float.temper\n  temper inspect qat.tflite\n  temper inspect prune.tflite pqat.tflite\n  temper inspect ptq.tflite float.temper --samples 50\n  temper inspect net_vela.tflite --cycles",
		Args:    between(1, 2, "a file, and perhaps a second one or a checkpoint to compare with"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := cost.check(); err != nil {
				return err
			}
			if cost.cycles {
				return a.costs(args, &cost)
			}
			if len(args) == 2 && !isCheckpoint(args[0]) && !isCheckpoint(args[1]) {
				return a.compareWeights(args[0], args[1])
			}
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
			rows := export.Audit(m)
			if a.json {
				return a.print(summarize(m, rows), nil)
			}
			if err := tflite.Dump(a.out, m); err != nil {
				return err
			}
			fmt.Fprintln(a.out)
			auditTable(a.out, rows)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&data, "data", "mnist", "data set of the samples")
	f.IntVar(&samples, "samples", 100, "test examples to compare on")
	f.BoolVar(&dump, "dump", false, "print a checkpoint's graph as text")
	cost.register(cmd)
	return cmd
}

// fileSummary is a .tflite without the contents of its constants.
type fileSummary struct {
	Description string            `json:"description"`
	Subgraphs   []subgraphSummary `json:"subgraphs"`
	Weights     []export.AuditRow `json:"weights"`
}

type subgraphSummary struct {
	Name      string            `json:"name"`
	Inputs    []int             `json:"inputs"` // indices of tensors
	Outputs   []int             `json:"outputs"`
	Operators []operatorSummary `json:"operators"`
	Tensors   []tensorSummary   `json:"tensors"`
}

type operatorSummary struct {
	Operator string `json:"operator"`
	Version  int    `json:"version"`
	Inputs   []int  `json:"inputs"`
	Outputs  []int  `json:"outputs"`
	Options  any    `json:"options,omitempty"`
}

type tensorSummary struct {
	Name          string        `json:"name"`
	Type          string        `json:"type"`
	Shape         []int         `json:"shape"`
	ConstantBytes int           `json:"constant_bytes,omitempty"`
	Quantization  *quant.Params `json:"quantization,omitempty"`
}

func summarize(m *tflite.Model, rows []export.AuditRow) fileSummary {
	f := fileSummary{Description: m.Description, Weights: rows}
	for _, g := range m.Subgraphs {
		s := subgraphSummary{Name: g.Name, Inputs: g.Inputs, Outputs: g.Outputs}
		for _, o := range g.Operators {
			name := o.Code.String()
			if o.Code == tflite.CUSTOM {
				name += " " + o.Custom
			}
			s.Operators = append(s.Operators, operatorSummary{name, o.Version, o.Inputs, o.Outputs, o.Options})
		}
		for _, t := range g.Tensors {
			s.Tensors = append(s.Tensors, tensorSummary{t.Name, t.Type.String(), t.Shape, len(t.Data), t.Quant})
		}
		f.Subgraphs = append(f.Subgraphs, s)
	}
	return f
}

func (a *app) compareWeights(first, second string) error {
	var rows [2][]export.AuditRow
	for i, path := range []string{first, second} {
		m, err := tflite.ReadFile(path)
		if err != nil {
			return err
		}
		rows[i] = export.Audit(m)
	}
	pairs := pairAudits(rows[0], rows[1])
	return a.print(map[string]any{"first": first, "second": second, "weights": pairs}, func(w io.Writer) {
		comparisonTable(w, pairs, rows[0], rows[1])
	})
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
		return a.print(map[string]any{"model": summarize(m, export.Audit(m)), "programs": list}, nil)
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
