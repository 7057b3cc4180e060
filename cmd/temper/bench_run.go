package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/temper-ml/temper"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/datasets/npz"
)

// benchWhole compares whole runs: Arm's example, float training, PTQ, and QAT, from the start of the processes to verified files.
type benchWhole struct {
	Threads int            `json:"threads"`
	Epochs  int            `json:"epochs"` // of float training
	Rounds  []benchRun     `json:"rounds"`
	Seconds float64        `json:"seconds"` // the medians
	Peer    float64        `json:"peer_seconds,omitempty"`
	Ratio   float64        `json:"ratio,omitempty"`
	PeakMB  float64        `json:"peak_mb"`
	PeerMB  float64        `json:"peer_peak_mb,omitempty"`
	Files   []benchRunFile `json:"files"` // of the last round
}

// benchRun is one round.
type benchRun struct {
	Seconds    float64            `json:"seconds"`
	CPUSeconds float64            `json:"cpu_seconds"`
	PeerPTQ    float64            `json:"peer_ptq_seconds,omitempty"`
	PeerQAT    float64            `json:"peer_qat_seconds,omitempty"`
	PeerCPU    float64            `json:"peer_cpu_seconds,omitempty"`
	Parts      map[string]float64 `json:"peer_parts,omitempty"` // what the peer's seconds went into, as ptq train
}

// benchRunFile is a file that one side wrote.
type benchRunFile struct {
	Side     string  `json:"side"`
	Step     string  `json:"step"`
	Accuracy float64 `json:"accuracy"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds,omitempty"`
}

// whole measures whole runs.
func (b *bencher) whole(ctx context.Context) error {
	w := &benchWhole{Threads: b.threads[0], Epochs: b.epochs}
	data := filepath.Join(b.dir, "mnist.npz")
	if b.peer != "" {
		if err := writeMNIST(data); err != nil {
			return err
		}
	}
	var ours, peers []float64
	for round := range b.rounds {
		w.Files = nil
		r, err := b.wholeOurs(ctx, w, filepath.Join(b.dir, fmt.Sprint("temper", round)))
		if err != nil {
			return err
		}
		fmt.Fprintf(b.err, "temper run: %.1f s\n", r.Seconds)
		ours = append(ours, r.Seconds)
		if b.peer != "" {
			if err := b.wholePeer(ctx, w, &r, data, filepath.Join(b.dir, fmt.Sprint("peer", round))); err != nil {
				return err
			}
			fmt.Fprintf(b.err, "the peer: %.1f s\n", r.PeerPTQ+r.PeerQAT)
			peers = append(peers, r.PeerPTQ+r.PeerQAT)
		}
		w.Rounds = append(w.Rounds, r)
	}
	w.Seconds = median(ours)
	if peers != nil {
		w.Peer = median(peers)
		w.Ratio = w.Peer / w.Seconds
	}
	b.report.Run = w
	return nil
}

// wholeOurs runs temper run.
func (b *bencher) wholeOurs(ctx context.Context, w *benchWhole, out string) (r benchRun, err error) {
	args := []string{"run", "--json", "--out", out}
	if w.Epochs != temper.Default().Train.Epochs {
		recipe := filepath.Join(b.dir, "recipe.yaml")
		text := fmt.Sprintf("model: arm-example\ndata: mnist\ntrain: {epochs: %d}\nsteps: [ptq, qat]\n", w.Epochs)
		if err := os.WriteFile(recipe, []byte(text), 0o644); err != nil {
			return r, err
		}
		args = append(args, recipe)
	}
	argv, err := ourselves(args...)
	if err != nil {
		return r, err
	}
	var answer struct{ Results []temper.Result }
	p, err := timed(ctx, argv, append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(w.Threads)), &answer)
	if err != nil {
		return r, fmt.Errorf("temper run: %w", err)
	}
	for _, x := range answer.Results {
		w.Files = append(w.Files, benchRunFile{"temper", x.Step, x.Accuracy, x.Bytes, x.Seconds})
	}
	w.PeakMB = max(w.PeakMB, p.peakMB)
	return benchRun{Seconds: p.seconds, CPUSeconds: p.cpu}, nil
}

// wholePeer runs the peer's two scripts.
func (b *bencher) wholePeer(ctx context.Context, w *benchWhole, r *benchRun, data, out string) error {
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	r.Parts = map[string]float64{}
	for _, s := range []struct {
		step    string
		seconds *float64
	}{{"ptq", &r.PeerPTQ}, {"qat", &r.PeerQAT}} {
		argv := peerArguments(b.peer, filepath.Join(b.dir, "peer"), "run.py", s.step, data, out,
			"--epochs", strconv.Itoa(w.Epochs), "--threads", strconv.Itoa(w.Threads))
		var answer struct {
			Accuracy float64
			Float    float64 `json:"float_accuracy"`
			Bytes    int64
			Seconds  map[string]float64
		}
		p, err := timed(ctx, argv, peerEnvironment(), &answer)
		if err != nil {
			err = fmt.Errorf("the peer's %s: %w", s.step, err)
			if strings.Contains(err.Error(), missingPackage) {
				err = fmt.Errorf("%w\n%s lacks what requirements.txt names: %s", err, b.peer, howToInstall("peer"))
			}
			return err
		}
		*s.seconds = p.seconds
		r.PeerCPU += p.cpu
		w.PeerMB = max(w.PeerMB, p.peakMB)
		for part, t := range answer.Seconds {
			r.Parts[s.step+" "+part] = t
		}
		if s.step == "ptq" {
			w.Files = append(w.Files, benchRunFile{Side: "peer", Step: "float", Accuracy: answer.Float})
		}
		w.Files = append(w.Files, benchRunFile{"peer", s.step, answer.Accuracy, answer.Bytes, p.seconds})
	}
	return nil
}

// timedProcess is what a process needed.
type timedProcess struct{ seconds, cpu, peakMB float64 }

// timed runs a process to its end and decodes the last line, or the object, that it writes.
func timed(ctx context.Context, argv, env []string, answer any) (timedProcess, error) {
	var out bytes.Buffer
	said := &tail{}
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, &out, said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return timedProcess{}, err
	}
	peak := watchPeakMB(cmd.Process)
	err := cmd.Wait()
	t := timedProcess{seconds: time.Since(begin).Seconds(), peakMB: peak(cmd.ProcessState)}
	if ctx.Err() != nil {
		return t, ctx.Err()
	}
	if err != nil {
		return t, fmt.Errorf("%w; it said:\n%s", err, said)
	}
	t.cpu = (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	if err := json.Unmarshal(out.Bytes(), answer); err != nil {
		return t, fmt.Errorf("its answer is no JSON object: %w", err)
	}
	return t, nil
}

// writeMNIST writes the arrays that run.py reads.
func writeMNIST(path string) error {
	digits, err := mnist.Load()
	if err != nil {
		return err
	}
	arrays := map[string]*npz.Array{}
	for name, s := range map[string]*datasets.Set{"train": digits.Train, "test": digits.Test} {
		x, y := bytesOf(s)
		arrays["x_"+name] = &npz.Array{Shape: append([]int{s.Len()}, s.Shape()...), Data: x}
		arrays["y_"+name] = &npz.Array{Shape: []int{s.Len()}, Data: y}
	}
	return npz.Write(path, arrays)
}

func (w *benchWhole) text(out io.Writer) {
	fmt.Fprintf(out, "float %d epochs, PTQ, QAT 1 epoch, files written and verified on all test images; %d threads\n\n", w.Epochs, w.Threads)
	benchTable(out, "side\tstep\taccuracy\tbytes\tseconds", func(t io.Writer) {
		for _, f := range w.Files {
			fmt.Fprintf(t, "%s\t%s\t%.2f %%\t%d\t%.1f\n", f.Side, f.Step, 100*f.Accuracy, f.Bytes, f.Seconds)
		}
	})
	fmt.Fprintf(out, "temper run: %.1f s from start to files, at most %.0f MB\n", w.Seconds, w.PeakMB)
	if w.Peer > 0 {
		fmt.Fprintf(out, "the peer's two scripts: %.1f s, at most %.0f MB\nratio %.2f\n", w.Peer, w.PeerMB, w.Ratio)
	}
}
