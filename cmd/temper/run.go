package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/optim"
)

func (a *app) run() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "run [RECIPE.yaml]",
		Short: "Do everything a recipe says; the default is Arm's example on MNIST",
		Long: `Trains the recipe's network, conditions it, writes the files and ends with a
table. The accuracy of an int8 file is measured over the whole test set by
executing the file. A run that was stopped goes on where it was when the same
command is given again.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper run\n  temper run digits.yaml --out build/digits",
		Args:    between(0, 1, "at most one recipe file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := temper.Default()
			if len(args) > 0 {
				var err error
				if r, err = temper.ReadRecipe(args[0]); err != nil {
					return err
				}
			}
			results, err := temper.Run(cmd.Context(), r, temper.Options{Out: out, Progress: a.err})
			if interrupted := (*optim.Interrupted)(nil); errors.As(err, &interrupted) && interrupted.Path != "" {
				return fmt.Errorf("%w\nto go on, give the same command again", err)
			}
			if err != nil {
				return err
			}
			return a.print(map[string]any{"model": r.Model, "data": r.Data, "results": results}, func(w io.Writer) { table(w, results) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "conditioned_models", "folder for the results")
	return cmd
}

// table prints the results.
func table(out io.Writer, results []temper.Result) {
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(w, "\nstep\taccuracy\tbytes\tseconds\tfile")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%.2f %%\t%d\t%.1f\t%s\n", r.Name, 100*r.Accuracy, r.Bytes, r.Seconds, r.File)
	}
	w.Flush()
}
