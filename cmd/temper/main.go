// Command temper conditions neural networks for NPUs. See temper --help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/optim"
)

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitCheck       = 3 // a check did not hold
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// app is what the verbs share.
type app struct {
	out, err io.Writer
	json     bool
}

// usageError is an error of the command line.
type usageError struct{ error }

// checkError is a check that did not hold.
type checkError struct{ error }

func execute(ctx context.Context, args []string, out, errOut io.Writer) int {
	a := &app{out: out, err: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var interrupted *optim.Interrupted
	var usage usageError
	var check checkError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &interrupted):
		fmt.Fprintln(errOut, err)
		return exitInterrupted
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(errOut, "interrupted:", err)
		return exitInterrupted
	case errors.As(err, &check):
		fmt.Fprintln(errOut, "check failed:", err)
		return exitCheck
	case errors.As(err, &usage):
		fmt.Fprintln(errOut, "usage:", err)
		return exitUsage
	}
	fmt.Fprintln(errOut, "error:", err)
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "temper",
		Short: "Train, prune, cluster, quantize and verify small neural networks for NPUs",
		Long: `Temper trains a network, prunes, clusters and quantizes it in any combination,
exports a fully int8 TFLite file, and measures the accuracy of that very file by
executing it.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a check did not hold, 130 interrupted.`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q; see temper --help", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print one JSON object on standard output; progress and messages stay on standard error")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	for _, f := range []func() *cobra.Command{
		a.run, a.train, a.calibrate, a.prune, a.cluster, a.qat, a.export, a.verify, a.infer, a.compile, a.simulate, a.inspect, a.sensitivity, a.bench,
	} {
		root.AddCommand(f())
	}
	strictCompletion(root)
	return root
}

// version is the module's version where the binary was installed by it, or the commit that it was built from.
func version() string {
	if b, ok := debug.ReadBuildInfo(); ok {
		return b.Main.Version
	}
	return "unknown"
}

// strictCompletion lets completion refuse what is no shell, as every verb refuses arguments that it does not know.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		var shells []string
		for _, s := range c.Commands() {
			shells = append(shells, s.Name())
			s.Args = exactly(0, "no arguments")
		}
		c.Example = "  temper completion bash > /etc/bash_completion.d/temper"
		c.Args = func(_ *cobra.Command, args []string) error {
			return usageError{fmt.Errorf("completion %q: want one of %s", strings.Join(args, " "), strings.Join(shells, ", "))}
		}
		c.RunE = func(*cobra.Command, []string) error { return nil }
	}
}

// exactly is cobra.ExactArgs with our error.
func exactly(n int, what string) cobra.PositionalArgs { return between(n, n, what) }

func between(lo, hi int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) < lo || len(args) > hi {
			return usageError{fmt.Errorf("want %s, got %d arguments", what, len(args))}
		}
		return nil
	}
}

// print writes the JSON object, or calls text.
func (a *app) print(v any, text func(w io.Writer)) error {
	if !a.json {
		text(a.out)
		return nil
	}
	e := json.NewEncoder(a.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
