package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A measurement is made by a process of its own: this binary for Temper, peer/peer.py for TensorFlow. Both are started with
//
//	NETWORK MODE BATCH THREADS DATA.npz
//
// and speak one protocol, a JSON object a line on standard output. When the network has made a few steps to warm up they say {"ready": true, ...},
// or {"error": "..."}. Each line "N" on standard input asks for a block of N training steps, answered by a benchBlock; "N profile" asks Temper to
// tell where the time goes. They end when standard input does.

// benchReady is the first line.
type benchReady struct {
	Ready      bool              `json:"ready"`
	Error      string            `json:"error,omitempty"`
	Parameters int               `json:"parameters"` // trainable ones of the network, without those that the mode adds
	Versions   map[string]string `json:"versions,omitempty"`
	BaseMB     float64           `json:"base_mb"` // resident before the data was read and the network made: the runtime and its libraries
}

// benchBlock is the answer to a request.
type benchBlock struct {
	Error      string        `json:"error,omitempty"`
	MS         []float64     `json:"ms"`     // wall time of each step
	CPUMS      float64       `json:"cpu_ms"` // of the process, all steps together
	PeakMB     float64       `json:"peak_mb"`
	Allocs     float64       `json:"allocations"` // of all steps together
	AllocBytes float64       `json:"allocated_bytes"`
	Profile    *benchProfile `json:"profile,omitempty"`
}

// benchJob is what a process trains.
type benchJob struct {
	Net     string `json:"net"`
	Mode    string `json:"mode"`
	Batch   int    `json:"batch"`
	Threads int    `json:"threads"`
}

func (j benchJob) String() string {
	return fmt.Sprintf("%s %s, batch %d, %d threads", j.Net, j.Mode, j.Batch, j.Threads)
}

// arguments are those of the process. The network's name goes without the shape: the data has it.
func (j benchJob) arguments(data string) []string {
	name, _, _ := strings.Cut(j.Net, "@")
	return []string{name, j.Mode, strconv.Itoa(j.Batch), strconv.Itoa(j.Threads), data}
}

// trainer is a process that makes steps on request.
type trainer struct {
	who   string
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	said  *tail
	ready benchReady
}

// startTrainer starts a process and waits until it is ready.
func startTrainer(ctx context.Context, who string, argv, env []string) (*trainer, error) {
	t := &trainer{who: who, cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), said: &tail{}}
	t.cmd.Env, t.cmd.Stderr = env, t.said
	var err error
	if t.in, err = t.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.out = bufio.NewReader(out)
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s cannot be started: %w", who, err)
	}
	if err := t.read(&t.ready); err != nil {
		defer t.close()
		return nil, t.explain(ctx, err)
	}
	if t.ready.Error != "" || !t.ready.Ready {
		t.close()
		return nil, fmt.Errorf("%s: %s", who, t.ready.Error)
	}
	return t, nil
}

// block makes a block of steps.
func (t *trainer) block(ctx context.Context, request string, steps int) (b benchBlock, err error) {
	if _, err = fmt.Fprintln(t.in, request); err == nil {
		err = t.read(&b)
	}
	switch {
	case err != nil:
		return b, t.explain(ctx, err)
	case b.Error != "":
		return b, fmt.Errorf("%s: %s", t.who, b.Error)
	case len(b.MS) != steps:
		return b, fmt.Errorf("%s: asked for %d steps, answered %d", t.who, steps, len(b.MS))
	}
	return b, nil
}

// close ends the process, if it has not ended: by the end of its input, or after a while by force.
func (t *trainer) close() error {
	if t.cmd.ProcessState != nil {
		return nil
	}
	t.in.Close()
	defer time.AfterFunc(10*time.Second, func() { t.cmd.Process.Kill() }).Stop()
	return t.cmd.Wait()
}

func (t *trainer) read(v any) error {
	line, err := t.out.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%q is no line of the protocol: %w", strings.TrimSpace(string(line)), err)
	}
	return nil
}

// explain adds what the process said on standard error.
func (t *trainer) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		if err = t.close(); err == nil {
			err = errors.New("it ended without an answer")
		}
	}
	if said := t.said.String(); said != "" {
		return fmt.Errorf("%s: %w; it said:\n%s", t.who, err, said)
	}
	return fmt.Errorf("%s: %w", t.who, err)
}

// tail keeps the end of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - 4096; n > 0 {
		t.b = slices.Delete(t.b, 0, n)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// ourselves is the command line that starts this binary again.
func ourselves(arguments ...string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("this program's file: %w", err)
	}
	return append([]string{self}, arguments...), nil
}

// peerEnvironment is ours without the variables that force a kernel of OpenBLAS, which would slow NumPy down.
func peerEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "OPENBLAS_CORETYPE=") || strings.HasPrefix(v, "OPENBLAS_L2_SIZE=")
	})
}

// peerArguments is the command line of a script of the peer.
func peerArguments(python, dir, script string, arguments ...string) []string {
	return append([]string{python, filepath.Join(dir, script)}, arguments...)
}
