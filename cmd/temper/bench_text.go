package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// text writes the tables.
func (r benchReport) text(out io.Writer, stages bool) {
	fmt.Fprintf(out, "%s, %d cores, %s, %s", r.Machine.CPU, r.Machine.Cores, r.Machine.OS, r.Machine.Go)
	for _, p := range r.Peaks {
		fmt.Fprintf(out, "; peak with %d threads %.0f GFLOPS", p.Threads, p.GFLOPS)
	}
	fmt.Fprintln(out)
	if len(r.Peer) > 0 {
		var v []string
		for _, name := range slices.Sorted(maps.Keys(r.Peer)) {
			v = append(v, name+" "+r.Peer[name])
		}
		fmt.Fprintf(out, "peer: %s\n", strings.Join(v, ", "))
	}
	if r.Run != nil {
		r.Run.text(out)
		return
	}
	fmt.Fprintf(out, "%d rounds of %d steps\n\n", r.Rounds, r.Steps)
	r.stepTable(out)
	r.partTable(out)
	r.peerTable(out)
	r.Scaling.text(out)
	if stages {
		for _, x := range r.Results {
			x.stageTables(out)
		}
	}
}

// benchTable writes rows under a head in aligned columns.
func benchTable(out io.Writer, head string, rows func(w io.Writer)) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, head)
	rows(w)
	w.Flush()
	fmt.Fprintln(out)
}

func (j benchJob) cells() string {
	return fmt.Sprintf("%s\t%s\t%d\t%d", j.Net, j.Mode, j.Batch, j.Threads)
}

const jobHead = "network\tmode\tbatch\tthreads\t"

func (r benchReport) stepTable(out io.Writer) {
	benchTable(out, jobHead+"median ms\tmin ms\tCPU ms\timages/s\tGFLOPS\tof peak\tallocations\tpeak MB", func(w io.Writer) {
		for _, x := range r.Results {
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t%.0f %%\t%.0f (%.1f kB)\t%.0f\n",
				x.cells(), x.MedianMS, x.MinMS, x.CPUMS, x.PerSecond, x.GFLOPS, 100*x.OfPeak, x.Allocs, x.AllocBytes/1000, x.PeakMB)
		}
	})
}

func (r benchReport) partTable(out io.Writer) {
	benchTable(out, jobHead+"data ms\tforward\tbackward\toptimizer\trest", func(w io.Writer) {
		for _, x := range r.Results {
			p := x.Profile
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\n", x.cells(), p.Data, p.Forward, p.Backward, p.Optimizer, p.Rest)
		}
	})
}

func (r benchReport) peerTable(out io.Writer) {
	if len(r.Results) == 0 || r.Results[0].Peer == nil {
		return
	}
	benchTable(out, jobHead+"peer median ms\tmin ms\tCPU ms\tpeak MB\tratio of medians\tof minima\tof CPU\trounds\tof memory", func(w io.Writer) {
		for _, x := range r.Results {
			p, q := x.Peer, x.Ratio
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%.0f\t%.2f\t%.2f\t%.2f\t%.2f-%.2f\t%.1f\n",
				x.cells(), p.MedianMS, p.MinMS, p.CPUMS, p.PeakMB, q.Median, q.Min, q.CPU, q.Low, q.High, q.Memory)
		}
	})
}

func (s *benchScaling) text(out io.Writer) {
	if s == nil {
		return
	}
	if len(s.Threads) > 0 {
		benchTable(out, "network\tmode\tbatch\tthreads\tspeed-up", func(w io.Writer) {
			for _, x := range s.Threads {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d -> %d\t%.2f\n", x.Net, x.Mode, x.Batch, x.From, x.To, x.Speedup)
			}
		})
	}
	if len(s.Batch) > 0 {
		benchTable(out, "network\tmode\tthreads\tbatch\tmicroseconds an image\tspeed-up", func(w io.Writer) {
			for _, x := range s.Batch {
				fmt.Fprintf(w, "%s\t%s\t%d\t%d -> %d\t%.1f -> %.1f\t%.2f\n",
					x.Net, x.Mode, x.Threads, x.From, x.To, x.MicrosPerImage[0], x.MicrosPerImage[1], x.Speedup)
			}
		})
	}
}

// stageTables list the stages of a network, and their sums by Kind.
func (x benchResult) stageTables(out io.Writer) {
	fmt.Fprintf(out, "%s\n", x.benchJob)
	row := func(w io.Writer, name, kinds string, s benchStage) {
		rate := ""
		if s.GFLOPS > 0 {
			rate = fmt.Sprintf("%.0f", s.GFLOPS)
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%.2f\t%s\n", name, kinds, s.Forward, s.Backward, rate)
	}
	benchTable(out, "stage\tkinds\tforward ms\tbackward\tGFLOPS", func(w io.Writer) {
		for _, s := range x.Profile.Stages {
			row(w, s.Name, s.Kinds, s)
		}
	})
	benchTable(out, "kinds\tstages\tforward ms\tbackward\tGFLOPS", func(w io.Writer) {
		for _, s := range x.Profile.Kinds {
			n := 0
			for _, t := range x.Profile.Stages {
				if t.Kinds == s.Kinds {
					n++
				}
			}
			row(w, s.Kinds, fmt.Sprint(n), s)
		}
	})
}
