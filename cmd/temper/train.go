package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets/open"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// training are the flags of the verbs that train.
type training struct {
	data   string
	epochs int
	batch  int
	rate   float64
	seed   uint64
	out    string
	resume bool
	label  string
}

func (t *training) flags(cmd *cobra.Command, epochs int, rate float64) {
	f := cmd.Flags()
	f.StringVar(&t.data, "data", "mnist", "data set: mnist, a folder, a .npz or a .zip file")
	f.IntVar(&t.epochs, "epochs", epochs, "epochs")
	f.IntVar(&t.batch, "batch", 128, "batch size")
	f.Float64Var(&t.rate, "learning-rate", rate, "learning rate of Adam")
	f.Uint64Var(&t.seed, "seed", 1, "seed of weights, order and dropout")
	f.StringVarP(&t.out, "out", "o", "", "checkpoint to write (required)")
}

// check refuses flags that cannot be, before time is spent.
func (t *training) check() error {
	if t.out == "" {
		return usageError{fmt.Errorf("-o CHECKPOINT is required")}
	}
	if t.epochs < 1 || t.batch < 1 || t.rate <= 0 {
		return usageError{fmt.Errorf("--epochs %d, --batch %d and --learning-rate %g must be positive", t.epochs, t.batch, t.rate)}
	}
	f, err := os.CreateTemp(filepath.Dir(t.out), ".writable.*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", t.out, err)
	}
	f.Close()
	return os.Remove(f.Name())
}

func (t *training) fit(a *app) optim.Fit {
	return optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Solver: &optim.Adam{LearningRate: t.rate}, Batch: t.batch, Epochs: t.epochs, Seed: t.seed,
		Checkpoint: t.out, Every: 100, Progress: a.err, Label: t.label, Metrics: []optim.Metric{&optim.Accuracy{}}}
}

func (a *app) train() *cobra.Command {
	t := &training{label: "train"}
	cmd := &cobra.Command{
		Use:   "train MODEL|CHECKPOINT",
		Short: "Train a network by name, or a checkpoint further",
		Long: `Trains a reference network on a data set and writes a checkpoint that holds
everything. With --resume an interrupted training of CHECKPOINT goes on to the
same bits as if it had not stopped.

Networks: ` + strings.Join(models.Names(), ", ") + `

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper train arm-example --epochs 5 -o float.temper\n  temper train float.temper --resume -o float.temper",
		Args:    exactly(1, "a network's name or a checkpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.check(); err != nil {
				return err
			}
			train, test, err := open.Open(t.data)
			if err != nil {
				return err
			}
			fit := t.fit(a)
			var g *graph.Graph
			if strings.HasSuffix(args[0], ".temper") {
				c, err := graph.Load(args[0])
				if err != nil {
					return err
				}
				g = c.Graph
				if t.resume {
					if _, err := fit.Resume(cmd.Context(), c, train); err != nil {
						return err
					}
					return a.trained(cmd, t, g, fit, test)
				}
			} else {
				m, err := models.ByName(args[0], models.Options{Seed: t.seed, Input: train.Shape(), Classes: len(train.Classes)})
				if err != nil {
					return usageError{err}
				}
				if g, err = m.Trace(); err != nil {
					return err
				}
			}
			if _, err := fit.Run(cmd.Context(), g, train); err != nil {
				return err
			}
			return a.trained(cmd, t, g, fit, test)
		},
	}
	t.flags(cmd, 5, 0.001)
	cmd.Flags().BoolVar(&t.resume, "resume", false, "go on with an interrupted training")
	return cmd
}

// trained evaluates the network in its session and prints the result.
func (a *app) trained(cmd *cobra.Command, t *training, g *graph.Graph, fit optim.Fit, test optim.Data) error {
	m, err := optim.Evaluate(cmd.Context(), g, fit.Loss, fit.Metrics, test, t.batch)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"checkpoint": t.out, "loss": m["loss"], "accuracy": m["accuracy"]}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: test loss %.4f, accuracy %.2f %% in the training graph\n", t.out, m["loss"], 100*m["accuracy"])
	})
}
