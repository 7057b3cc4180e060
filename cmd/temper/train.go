package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// training are the flags of the verbs that train, and what open makes of them.
type training struct {
	temper.Train
	data, out string
	label     string

	train, test *datasets.Set
	examples    optim.Data // what is trained on: train without the validation part, augmented
	fit         optim.Fit
}

func (t *training) flags(cmd *cobra.Command, epochs int, rate float64) {
	f := cmd.Flags()
	f.StringVar(&t.data, "data", "mnist", "data set: mnist, a folder, a .npz or a .zip file")
	f.StringVarP(&t.out, "out", "o", "", "checkpoint to write (required)")
	f.IntVar(&t.Epochs, "epochs", epochs, "epochs")
	f.IntVar(&t.Batch, "batch", 128, "batch size")
	f.StringVar(&t.Solver, "solver", "adam", "adam, adamw, sgd or rmsprop")
	f.Float64Var(&t.LearningRate, "learning-rate", rate, "learning rate")
	f.Float64Var(&t.Momentum, "momentum", 0, "of sgd")
	f.BoolVar(&t.Nesterov, "nesterov", false, "of sgd")
	f.Float64Var(&t.WeightDecay, "weight-decay", 0, "of adamw (0: 0.004)")
	f.Uint64Var(&t.Seed, "seed", 1, "seed of weights, order and dropout")
	f.StringVar(&t.Schedule, "schedule", "cosine", "of the learning rate: cosine to 0 at the end, constant, step or exponential")
	f.IntVar(&t.DecayEvery, "decay-every", 0, "steps, of the schedules step and exponential (0: an epoch)")
	f.Float64Var(&t.Decay, "decay", 0, "factor for those steps (0: 0.5)")
	f.IntVar(&t.WarmUp, "warm-up", 0, "steps of a linear rise of the learning rate")
	f.Float64Var(&t.ClipNorm, "clip-norm", 0, "limit of the norm of all gradients (0: none)")
	f.Float64Var(&t.Smoothing, "label-smoothing", 0, "of the cross-entropy")
	f.Float64Var(&t.Validation, "validation", 0, "part of the training data to hold back")
	f.IntVar(&t.EarlyStopping, "early-stopping", 0, "stop after so many epochs without a lower validation loss (0: never)")
	f.BoolVar(&t.Best, "best", false, "keep the weights with the lowest validation loss")
}

// target refuses a file that cannot be written, before time is spent.
func target(out string) error {
	if out == "" {
		return usageError{fmt.Errorf("-o FILE is required")}
	}
	return atomicfile.Probe(out)
}

// open checks the flags and reads the data.
func (t *training) open(ctx context.Context, a *app) error {
	if err := t.Check(); err != nil {
		return usageError{err}
	}
	if err := target(t.out); err != nil {
		return err
	}
	var err error
	if t.train, t.test, err = temper.OpenData(ctx, t.data, a.err); err != nil {
		return err
	}
	t.fit, t.examples, err = t.Fit(t.train, t.label, t.out, a.err)
	return err
}

// hint tells how to go on with an interrupted training.
func (t *training) hint(cmd *cobra.Command, err error) error {
	var interrupted *optim.Interrupted
	if !errors.As(err, &interrupted) || interrupted.Path == "" {
		return err
	}
	again := fmt.Sprintf("temper train %s --resume -o %s", t.out, t.out)
	train, _, findErr := cmd.Root().Find([]string{"train"})
	if findErr != nil {
		return err
	}
	train.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		ours := cmd.Flags().Lookup(f.Name)
		if ours != nil && f.Name != "out" && ours.Value.String() != f.DefValue {
			again += fmt.Sprintf(" --%s=%s", f.Name, ours.Value)
		}
	})
	return fmt.Errorf("%w\nto go on: %s", err, again)
}

func (a *app) train() *cobra.Command {
	t := &training{label: "train"}
	var resume bool
	cmd := &cobra.Command{
		Use:   "train MODEL|CHECKPOINT",
		Short: "Train a network by name, or a checkpoint further",
		Long: `Trains a reference network on a data set and writes a checkpoint that holds
everything. With --resume an interrupted training of CHECKPOINT goes on to the
same bits as if it had not stopped. --epochs 0 writes the initial network.

Networks: ` + strings.Join(models.Names(), ", ") + `

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted (a checkpoint is saved).`,
		Example: "  temper train arm-example --epochs 5 -o float.temper\n  temper train float.temper --resume -o float.temper",
		Args:    exactly(1, "a network's name or a checkpoint"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return models.Names(), cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.open(cmd.Context(), a); err != nil {
				return err
			}
			c, err := t.start(args[0])
			if err != nil {
				return err
			}
			switch {
			case resume:
				_, err = t.fit.Resume(cmd.Context(), c, t.examples)
			case t.Epochs == 0:
				err = c.Save(t.out)
			default:
				_, err = t.fit.Run(cmd.Context(), c.Graph, t.examples)
			}
			if err != nil {
				return t.hint(cmd, err)
			}
			return a.trained(cmd, t, c.Graph)
		},
	}
	t.flags(cmd, 5, 0.001)
	cmd.Flags().BoolVar(&resume, "resume", false, "go on with an interrupted training")
	return cmd
}

// isCheckpoint tells a checkpoint, whatever its name, from a .tflite file and from what is no file.
func isCheckpoint(path string) bool {
	if strings.HasSuffix(path, ".temper") {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	var head [9]byte // of safetensors: a length of 8 bytes, then JSON
	_, err = io.ReadFull(f, head[:])
	return err == nil && head[8] == '{'
}

// start is the network to train: from a checkpoint with all that it holds, or by name.
func (t *training) start(arg string) (c *graph.Checkpoint, err error) {
	if !slices.Contains(models.Names(), arg) && isCheckpoint(arg) {
		if c, err = graph.Load(arg); err != nil {
			return nil, err
		}
		return c, temper.Classifies(c.Graph, t.train)
	}
	g, err := temper.Network(arg, t.Seed, t.train)
	if err != nil {
		return nil, usageError{err}
	}
	return &graph.Checkpoint{Graph: g}, temper.Classifies(g, t.train)
}

// trained evaluates the network in its session and prints the result.
func (a *app) trained(cmd *cobra.Command, t *training, g *graph.Graph) error {
	m, err := optim.Evaluate(cmd.Context(), g, t.fit.Loss, t.fit.Metrics, t.test, t.Batch)
	if err != nil {
		return err
	}
	return a.print(map[string]any{"checkpoint": t.out, "loss": m["loss"], "accuracy": m["accuracy"]}, func(w io.Writer) {
		fmt.Fprintf(w, "%s: test loss %.4f, accuracy %.2f %% in the training graph\n", t.out, m["loss"], 100*m["accuracy"])
	})
}
