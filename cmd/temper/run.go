package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/optim"
)

func (a *app) run() *cobra.Command {
	var o temper.Options
	var named []string
	cmd := &cobra.Command{
		Use:   "run [RECIPE.yaml]",
		Short: "Do everything a recipe says; the default conditions Arm's example on MNIST in all ways",
		Long: `Trains the recipe's network, conditions it, writes the files and ends with a
table; report.html beside the files shows training, weights and every layer. The
accuracy of an int8 file is measured over the whole test set by executing it. A run that was stopped goes on where it was when the same
command is given again; what several results begin with is trained once.

Named recipes, all of Arm's example network on MNIST, 5 epochs:
` + temper.RecipeTable() + `
The table's columns: zeros are the part of all weights; codes the most distinct
codes of a layer that was pruned or clustered (of any layer, if none was);
entropy what an ideal coder of single weights needs, in bytes.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a file would break a promise, 130
interrupted (a checkpoint is saved).`,
		Example: "  temper run\n  temper run --recipe pcqat\n  temper run --recipe prune,pqat --out build/pruned\n  temper run digits.yaml --out build/digits",
		Args:    between(0, 1, "at most one recipe file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := chosen(args, named)
			if err != nil {
				return err
			}
			o.Progress = a.err
			results, err := temper.Run(cmd.Context(), r, o)
			if interrupted := (*optim.Interrupted)(nil); errors.As(err, &interrupted) && interrupted.Path != "" {
				return fmt.Errorf("%w\nto go on, give the same command again", err)
			}
			if broken := (*export.BrokenPromises)(nil); errors.As(err, &broken) {
				return checkError{err}
			}
			if err != nil {
				return err
			}
			page := filepath.Join(o.Out, temper.ReportFile)
			return a.print(map[string]any{"model": r.Model, "data": r.Data, "results": results, "report": page}, func(w io.Writer) {
				table(w, results)
				fmt.Fprintf(w, "\n%s shows training, weights and layers\n", page)
			})
		},
	}
	cmd.Flags().StringVar(&o.Out, "out", "conditioned_models", "folder for the results")
	cmd.Flags().BoolVar(&o.AllowBrokenPromises, "allow-broken-promises", false, "write files even if their weights are not what pruning or clustering promised")
	cmd.Flags().StringSliceVar(&named, "recipe", nil, "named recipes instead of a file")
	return cmd
}

// chosen is the recipe of a file or of names, or the default.
func chosen(args, named []string) (temper.Recipe, error) {
	switch {
	case len(args) > 0 && len(named) > 0:
		return temper.Recipe{}, usageError{fmt.Errorf("a recipe file and --recipe exclude each other")}
	case len(args) > 0:
		return temper.ReadRecipe(args[0])
	case len(named) > 0:
		r, err := temper.NamedRecipe(named...)
		if err != nil {
			return r, usageError{err}
		}
		return r, nil
	}
	return temper.Default()
}

// table prints the results.
func table(out io.Writer, results []temper.Result) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\nstep\taccuracy\tbytes\tgzip\tzeros\tcodes\tentropy\tseconds\tfile")
	for _, r := range results {
		weights := "\t\t\t"
		if r.Gzip > 0 {
			weights = fmt.Sprintf("%d\t%.1f %%\t%d\t%d", r.Gzip, 100*r.Zeros, r.Codes, r.EntropyBytes)
		}
		fmt.Fprintf(w, "%s\t%.2f %%\t%d\t%s\t%.1f\t%s\n", r.Name, 100*r.Accuracy, r.Bytes, weights, r.Seconds, r.File)
	}
	w.Flush()
}
