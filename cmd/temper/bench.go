package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/internal/compute"
	"github.com/temper-ml/temper/layers"
)

// benchOptions are the flags of bench.
type benchOptions struct {
	nets, modes    []string
	batch, threads []int
	rounds, steps  int
	peer           string // a Python, or "" without
	peerFiles      string
	plot           string
	stages         bool
	run            bool
	epochs         int
}

func (a *app) bench() *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure training, alone or beside TensorFlow",
		Long: `Trains networks in rounds of some steps and prints the time of a step, where it
goes, and the memory. A step is all that training does for a batch: shuffled
data, forward, backward, optimizer, accuracy. Every measurement is made in a
process of its own. Networks for images of one channel train on MNIST, others on
random images of their own shape; NAME@HxWxC gives a network another input.

With --peer, TensorFlow trains the same network on the same data, a round of one
and a round of the other in turn. The ratios are its time divided by ours: of the
medians and of the minima of all steps, of the CPU time, and the range of the
rounds' ratios. PYTHON needs the packages of requirements.txt, which --peer-files
writes with the scripts. With --run, the whole of temper run is measured beside
two Python scripts that do the same work, from start to files.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.`,
		Example: `  temper bench
  temper bench --model arm-example,resnet-8 --mode qat --batch 8,32,128 --threads 1,2
  temper bench --peer-files peer && python3 -m venv peer/venv && peer/venv/bin/pip install -r peer/requirements.txt
  temper bench --peer peer/venv/bin/python --plot bench.svg
  temper bench --peer peer/venv/bin/python --run`,
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.run && !cmd.Flags().Changed("rounds") {
				o.rounds = 1
			}
			if err := o.check(); err != nil {
				return err
			}
			return a.benchmark(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringSliceVar(&o.nets, "model", []string{"arm-example", "ds-cnn", "resnet-8"}, "networks, NAME or NAME@HxWxC")
	f.StringSliceVar(&o.modes, "mode", benchModeNames(), "ways of training")
	f.IntSliceVar(&o.batch, "batch", []int{128}, "batch sizes")
	f.IntSliceVar(&o.threads, "threads", []int{runtime.GOMAXPROCS(0)}, "numbers of threads")
	f.IntVar(&o.rounds, "rounds", 10, "rounds of each measurement (with --run 1)")
	f.IntVar(&o.steps, "steps", 15, "steps of a round")
	f.BoolVar(&o.stages, "stages", false, "print the time of every stage of every network too")
	f.StringVar(&o.peer, "peer", "", "measure TensorFlow beside Temper with this Python")
	f.StringVar(&o.peerFiles, "peer-files", "", "write the peer's scripts and requirements.txt to a folder, and do nothing else")
	f.StringVar(&o.plot, "plot", "", "write a picture of the step times (SVG)")
	f.BoolVar(&o.run, "run", false, "measure the whole of temper run instead of steps")
	f.IntVar(&o.epochs, "epochs", 5, "epochs of float training with --run")
	cmd.AddCommand(a.benchServe())
	return cmd
}

func (o benchOptions) check() error {
	if o.rounds < 1 || o.steps < 1 || o.epochs < 1 {
		return usageError{fmt.Errorf("--rounds %d, --steps %d and --epochs %d must be positive", o.rounds, o.steps, o.epochs)}
	}
	for _, l := range []struct {
		flag string
		n    []int
	}{{"batch", o.batch}, {"threads", o.threads}} {
		if len(l.n) == 0 {
			return usageError{fmt.Errorf("--%s: want at least one number", l.flag)}
		}
		for _, n := range l.n {
			if n < 1 {
				return usageError{fmt.Errorf("--%s %d must be positive", l.flag, n)}
			}
		}
	}
	for _, m := range o.modes {
		if _, err := benchModeOf(m); err != nil {
			return err
		}
	}
	if len(o.nets) == 0 || len(o.modes) == 0 {
		return usageError{errors.New("--model and --mode: want at least one name")}
	}
	if o.run && o.plot != "" {
		return usageError{errors.New("--plot draws steps: leave it out with --run")}
	}
	if o.plot != "" {
		return atomicfile.Probe(o.plot)
	}
	return nil
}

// benchMachine is where the numbers come from.
type benchMachine struct {
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
	OS    string `json:"os"`
	Go    string `json:"go"`
}

func thisMachine() benchMachine {
	return benchMachine{cpuName(), runtime.NumCPU(), runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
}

// benchReport is all that bench found: the JSON object.
type benchReport struct {
	Machine benchMachine      `json:"machine"`
	Rounds  int               `json:"rounds"`
	Steps   int               `json:"steps,omitempty"`
	Peer    map[string]string `json:"peer,omitempty"` // versions
	Peaks   []benchPeak       `json:"peak,omitempty"`
	Results []benchResult     `json:"results,omitempty"`
	Scaling *benchScaling     `json:"scaling,omitempty"`
	Run     *benchWhole       `json:"run,omitempty"`
}

// benchPeak is the measured peak of fused multiply-adds.
type benchPeak struct {
	Threads int     `json:"threads"`
	GFLOPS  float64 `json:"gflops"`
}

func (a *app) benchmark(ctx context.Context, o benchOptions) error {
	if o.peerFiles != "" {
		if err := writePeer(o.peerFiles); err != nil {
			return err
		}
		fmt.Fprintf(a.err, "wrote %s; next: %s\n", o.peerFiles, howToInstall(o.peerFiles))
		return nil
	}
	dir, err := os.MkdirTemp("", "temper-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bencher{app: a, benchOptions: o, dir: dir, report: benchReport{Machine: thisMachine(), Rounds: o.rounds}}
	if o.peer != "" {
		if err := writePeer(filepath.Join(dir, "peer")); err != nil {
			return err
		}
	}
	if o.run {
		err = b.whole(ctx)
	} else {
		err = b.all(ctx)
	}
	if err != nil {
		return err
	}
	if o.plot != "" {
		if err := atomicfile.WriteBytes(o.plot, []byte(plotSVG(b.report))); err != nil {
			return err
		}
	}
	return a.print(b.report, func(w io.Writer) { b.report.text(w, o.stages) })
}

// bencher makes the measurements.
type bencher struct {
	*app
	benchOptions
	dir    string
	report benchReport
}

// all measures every network in every way.
func (b *bencher) all(ctx context.Context) error {
	b.report.Steps = b.steps
	peaks := map[int]float64{}
	for _, t := range b.threads {
		peaks[t] = compute.PeakGFLOPS(t)
		b.report.Peaks = append(b.report.Peaks, benchPeak{t, peaks[t]})
	}
	for _, spec := range b.nets {
		net, err := newBenchNet(spec)
		if err != nil {
			return err
		}
		largest := 0
		for _, n := range b.batch {
			largest = max(largest, n)
		}
		data, err := net.write(b.dir, largest)
		if err != nil {
			return err
		}
		macs, err := net.macs()
		if err != nil {
			return err
		}
		for _, job := range b.jobs(spec) {
			r, err := b.measure(ctx, job, data)
			if err != nil {
				return err
			}
			r.MACs = macs
			r.GFLOPS = 6 * float64(macs) * float64(job.Batch) / r.MedianMS / 1e6
			r.OfPeak = r.GFLOPS / peaks[job.Threads]
			b.report.Results = append(b.report.Results, r)
			fmt.Fprintf(b.err, "%s: %s\n", job, r.brief())
		}
		if err := os.Remove(data); err != nil {
			return err
		}
	}
	b.report.Scaling = scaling(b.report.Results)
	return nil
}

// jobs are the measurements of a network.
func (b *bencher) jobs(net string) []benchJob {
	var jobs []benchJob
	for _, mode := range b.modes {
		for _, batch := range b.batch {
			for _, threads := range b.threads {
				jobs = append(jobs, benchJob{net, mode, batch, threads})
			}
		}
	}
	return jobs
}

// macs are the multiply-accumulates of one example.
func (n benchNet) macs() (int, error) {
	g, err := n.graph()
	if err != nil {
		return 0, err
	}
	return layers.Summary(g).MACs, nil
}

// measure starts both sides and lets them train in turn.
func (b *bencher) measure(ctx context.Context, job benchJob, data string) (r benchResult, err error) {
	r.benchJob = job
	argv, err := ourselves(append([]string{"bench", "serve"}, job.arguments(data)...)...)
	if err != nil {
		return r, err
	}
	ours, err := startTrainer(ctx, "temper, "+job.String(), argv, os.Environ())
	if err != nil {
		return r, err
	}
	defer ours.close()
	sides := []*trainer{ours}
	if b.peer != "" {
		peer, err := b.startPeer(ctx, job, data)
		if err != nil {
			return r, err
		}
		defer peer.close()
		if p, q := ours.ready.Parameters, peer.ready.Parameters; p != q {
			return r, fmt.Errorf("%s: %d trainable parameters here, %d on the peer's side: not the same network", job, p, q)
		}
		sides = append(sides, peer)
		b.report.Peer = peer.ready.Versions
	}
	blocks := make([][]benchBlock, len(sides))
	for round := range b.rounds {
		for i := range sides {
			k := (i + round) % len(sides) // who was first is second in the next round
			block, err := sides[k].block(ctx, strconv.Itoa(b.steps), b.steps)
			if err != nil {
				return r, err
			}
			blocks[k] = append(blocks[k], block)
		}
	}
	r.Parameters = ours.ready.Parameters
	r.benchSide = side(blocks[0], job.Batch, ours.ready.BaseMB)
	r.allocations(blocks[0], b.steps)
	if len(sides) > 1 {
		p := side(blocks[1], job.Batch, sides[1].ready.BaseMB)
		r.Peer, r.Ratio = &p, ratios(r.benchSide, p)
	}
	r.Profile, err = b.profile(ctx, ours)
	return r, err
}

// profile makes three rounds with the clock on, and keeps the fastest: where other programs interfere, the parts of the others mislead.
func (b *bencher) profile(ctx context.Context, ours *trainer) (best *benchProfile, err error) {
	least := math.Inf(1)
	for range 3 {
		block, err := ours.block(ctx, fmt.Sprintf("%d profile", b.steps), b.steps)
		if err != nil {
			return nil, err
		}
		if m := median(block.MS); m < least && block.Profile != nil {
			least, best = m, block.Profile
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%s: no profile in the answer", ours.who)
	}
	return best, nil
}

// startPeer starts peer.py. A Python without the packages is an error that says what to do.
func (b *bencher) startPeer(ctx context.Context, job benchJob, data string) (*trainer, error) {
	t, err := startTrainer(ctx, "peer, "+job.String(), peerArguments(b.peer, filepath.Join(b.dir, "peer"), "peer.py", job.arguments(data)...), peerEnvironment())
	if err != nil && strings.Contains(err.Error(), missingPackage) {
		return nil, fmt.Errorf("%w\n%s lacks what requirements.txt names: %s", err, b.peer, howToInstall("peer"))
	}
	return t, err
}
