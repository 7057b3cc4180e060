package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
)

func (a *app) sensitivity() *cobra.Command {
	l := temper.Ladder{}
	var data, picture, recipe string
	var points float64
	var try []string
	cmd := &cobra.Command{
		Use:   "sensitivity CHECKPOINT",
		Short: "Measure what each layer costs when it alone is pruned, clustered or quantized to fewer bits",
		Long: `Goes through the layers of a trained float network. Each alone is pruned, clustered
on the int8 grid and quantized to fewer bits, in steps, without training; every
int8 file is executed on examples drawn from the training data (the test data
stays unseen). The table says how many points of accuracy each setting costs, which
layers to leave alone, how far the others go, and what all of that costs together.
Training after conditioning wins much of it back.

--recipe writes the advice as a recipe for temper run.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: `  temper sensitivity float.temper
  temper sensitivity float.temper --sparsity 0.7,0.8,0.9 --codes 16,8 --bits 4 --plot sensitivity.svg --recipe advice.yaml
  temper run advice.yaml`,
		Args: exactly(1, "a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !(points > 0) {
				return usageError{fmt.Errorf("--tolerance %g must be positive: accuracy on examples moves by chance", points)}
			}
			l.Tolerance, l.Progress = points/100, a.err
			if err := only(&l, try); err != nil {
				return err
			}
			if err := l.Check(); err != nil {
				return usageError{err}
			}
			for _, path := range []string{picture, recipe} {
				if path == "" {
					continue
				}
				if err := atomicfile.Probe(path); err != nil {
					return err
				}
			}
			c, err := graph.Load(args[0])
			if err != nil {
				return err
			}
			train, _, err := temper.OpenData(cmd.Context(), data, a.err)
			if err != nil {
				return err
			}
			s, err := l.Sensitivity(cmd.Context(), c.Graph, train)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if picture != "" {
				if err := atomicfile.WriteBytes(picture, []byte(sensitivitySVG(s))); err != nil {
					return err
				}
			}
			if recipe != "" {
				text, err := s.Recipe(args[0], data)
				if err != nil {
					return err
				}
				if err := atomicfile.WriteBytes(recipe, []byte(text)); err != nil {
					return err
				}
			}
			return a.print(s, func(w io.Writer) { sensitivityText(w, s) })
		},
	}
	f := cmd.Flags()
	f.Float64SliceVar(&l.Sparsities, "sparsity", []float64{0.5, 0.6, 0.7, 0.8, 0.9}, "parts of the weights that are made zero")
	f.IntSliceVar(&l.Codes, "codes", []int{64, 32, 16, 8, 4}, "numbers of clusters")
	f.IntSliceVar(&l.Bits, "bits", []int{6, 5, 4, 3, 2}, "bits of a weight")
	f.StringSliceVar(&try, "try", tries, "what to do to the layers")
	f.StringVar(&data, "data", "mnist", "data set; examples of its training part are used")
	f.IntVar(&l.Examples, "examples", 2000, "training examples to measure accuracy on, at most half of them")
	f.IntVar(&l.Calibration, "calibration", 100, "other training examples, for the ranges")
	f.Float64Var(&points, "tolerance", 0.5, "points of accuracy that a layer may cost")
	f.StringVar(&picture, "plot", "", "write a picture of the table (SVG)")
	f.StringVar(&recipe, "recipe", "", "write the advice as a recipe for temper run (YAML)")
	return cmd
}

// tries are the flags of the ladders.
var tries = []string{"sparsity", "codes", "bits"}

// only leaves out the ladders that are not named.
func only(l *temper.Ladder, try []string) error {
	for _, name := range try {
		if !slices.Contains(tries, name) {
			return usageError{fmt.Errorf("--try %q is none of %s", name, strings.Join(tries, ", "))}
		}
	}
	if !slices.Contains(try, "sparsity") {
		l.Sparsities = []float64{}
	}
	if !slices.Contains(try, "codes") {
		l.Codes = []int{}
	}
	if !slices.Contains(try, "bits") {
		l.Bits = []int{}
	}
	return nil
}

// sensitivityText prints the costs, what is advised, and what that costs together.
func sensitivityText(out io.Writer, s *temper.Sensitivities) {
	fmt.Fprintf(out, "points of accuracy lost; all layers as they are: %.2f %% of %d training examples (in brackets: over %.4g)\n\n", 100*s.Accuracy, s.Examples, 100*s.Tolerance)
	for _, t := range ladders(s) {
		w := tabwriter.NewWriter(out, 0, 0, 1, ' ', tabwriter.AlignRight)
		fmt.Fprintf(w, "%s", t.name)
		for _, r := range t.rungs(s.Layers[0]) {
			fmt.Fprintf(w, "\t %g ", r.Setting)
		}
		fmt.Fprintln(w, "\tweights\t  layer")
		for _, l := range s.Layers {
			for _, r := range t.rungs(l) {
				fmt.Fprintf(w, "\t%s", cell(r, s.Tolerance))
			}
			fmt.Fprintf(w, "\t%d\t  %s\n", l.Weights, l.Layer)
		}
		w.Flush()
		fmt.Fprintln(out)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "layer\tadvice\t")
	for _, l := range s.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Layer, advised(l), l.Advice.Reason)
	}
	w.Flush()
	if len(s.Together) > 0 {
		fmt.Fprintln(out, "\nall of it at once, without training")
	}
	for _, t := range s.Together {
		fmt.Fprintf(out, "  %-21s %.2f %%\n", t.What, 100*t.Accuracy)
	}
}

// ladder is one of the three, for printing.
type ladder struct {
	name  string
	rungs func(temper.LayerSensitivity) []temper.Rung
}

// ladders are those that were climbed.
func ladders(s *temper.Sensitivities) []ladder {
	var all []ladder
	for _, l := range []ladder{
		{"sparsity", func(l temper.LayerSensitivity) []temper.Rung { return l.Sparsity }},
		{"clusters", func(l temper.LayerSensitivity) []temper.Rung { return l.Codes }},
		{"bits", func(l temper.LayerSensitivity) []temper.Rung { return l.Bits }},
	} {
		if len(s.Layers) > 0 && len(l.rungs(s.Layers[0])) > 0 {
			all = append(all, l)
		}
	}
	return all
}

// cell is what a setting costs, in points.
func cell(r temper.Rung, tolerance float64) string {
	switch {
	case !r.Possible:
		return "- "
	case r.Over(tolerance):
		return fmt.Sprintf("(%.2f)", 100*r.Loss)
	}
	return fmt.Sprintf("%.2f ", 100*r.Loss+0)
}

// advised is the advice in words.
func advised(l temper.LayerSensitivity) string {
	var words []string
	if l.Advice.Sparsity > 0 {
		words = append(words, fmt.Sprintf("sparsity %g", l.Advice.Sparsity))
	}
	if l.Advice.Codes > 0 {
		words = append(words, fmt.Sprintf("%d clusters", l.Advice.Codes))
	}
	if l.Advice.LeaveAlone() {
		words = append(words, "leave alone")
	}
	if len(l.Bits) > 0 {
		words = append(words, fmt.Sprintf("%d bits", l.Advice.Bits))
	}
	return strings.Join(words, ", ")
}
