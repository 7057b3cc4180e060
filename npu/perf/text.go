package perf

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/temper-ml/temper/npu/isa"
)

// WriteTable writes a report's operations as a table.
func (r *Report) WriteTable(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s, %s, %s. Cycles are estimates of a model, not measurements.\n", r.Target, r.System, r.Mode)
	fmt.Fprintf(tw, "op\tlayer\tkind\toutput\tblock\tMACs\tcycles\tNPU\t%s\t%s\tbound\tMAC use\tstalled\tSRAM\toriginal\tpadded\tencoded\tentropy\t\n", r.Memories[0], r.Memories[1])
	for _, x := range r.Rows {
		if x.Output == nil {
			fmt.Fprintf(tw, "%d\t\t%s\t%d bytes\t\t\t%d\t\t\t\t%s\t\t\t%d\t\t\t\t\t\n", x.Index, x.Kind, x.Bytes, x.Cycles, x.Bound, x.SRAM)
			continue
		}
		fmt.Fprintf(tw, "%d\t%d\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\t%.0f %%\t%d\t%d\t", x.Index, x.Layer, x.Kind, shapeText(x.Output), shapeText(x.Block), x.MACs, x.Cycles,
			x.NPU, x.Memory[0], x.Memory[1], x.Bound, 100*x.Use, x.Stalled, x.SRAM)
		for _, v := range x.Weights {
			fmt.Fprintf(tw, "%d\t%d\t%d\t%d\t", v.Original, v.Padded, v.Encoded, v.Entropy)
		}
		fmt.Fprintln(tw, strings.Repeat("\t", 4-4*len(x.Weights)))
	}
	return tw.Flush()
}

func shapeText(s []int) string { return fmt.Sprintf("%dx%dx%d", s[0], s[1], s[2]) }

// WriteTotals writes the sums of reports beside each other.
func WriteTotals(w io.Writer, names []string, list []*Report) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(list) > 1 {
		fmt.Fprintf(tw, "\t%s\n", strings.Join(names, "\t"))
	}
	line := func(name string, of func(*Report) string) {
		fmt.Fprint(tw, name)
		for _, r := range list {
			fmt.Fprint(tw, "\t", of(r))
		}
		fmt.Fprintln(tw)
	}
	number := func(name string, of func(*Report) int64) {
		line(name, func(r *Report) string { return fmt.Sprint(of(r)) })
	}
	line("target", func(r *Report) string { return r.Target + ", " + r.Mode })
	number("estimated cycles", func(r *Report) int64 { return r.Cycles })
	line("estimated inferences/s", func(r *Report) string { return fmt.Sprintf("%.1f at %.0f MHz", r.PerSecond(), r.Clock/1e6) })
	number("  of kernels", func(r *Report) int64 { return r.Kernels })
	number("  kernels wait for transfers", func(r *Report) int64 { return r.Stalled })
	number("  transfers behind kernels", func(r *Report) int64 { return r.Hidden })
	number("  sum of the NPU", func(r *Report) int64 { return r.NPU })
	for i := range 2 {
		line(fmt.Sprintf("  sum of AXI%d", i), func(r *Report) string { return fmt.Sprintf("%d (%s)", r.Memory[i], r.Memories[i]) })
	}
	number("MACs", func(r *Report) int64 { return r.MACs })
	line("flash, bytes", func(r *Report) string {
		return fmt.Sprintf("%d: constants %d, command stream %d", r.Flash, r.Constants, r.Stream)
	})
	line("arena, bytes", func(r *Report) string {
		if r.Fast > 0 {
			return fmt.Sprintf("%d, fast memory %d (in use at most %d)", r.Arena, r.Fast, r.PeakInUse)
		}
		return fmt.Sprintf("%d (in use at most %d)", r.Arena, r.PeakInUse)
	})
	line("weights, bytes", func(r *Report) string {
		return fmt.Sprintf("%d original, %d padded, %d encoded; entropy bound %d (estimate); scales %d", r.Weights.Original, r.Weights.Padded, r.Weights.Encoded, r.Weights.Entropy, r.Weights.Scales)
	})
	number("bricks without channels, largest", func(r *Report) int64 { return int64(r.BrickWaste) })
	return tw.Flush()
}

// ExplainAll writes how the estimates of all kernels come about.
func (m *Machine) ExplainAll(w io.Writer, ops []isa.Operation) {
	for _, s := range m.Run(ops) {
		if o := &ops[s.Index]; o.Kernel != nil {
			m.Explain(w, o, &s)
		}
	}
}

// Explain writes how the estimate of a kernel comes about.
func (m *Machine) Explain(w io.Writer, o *isa.Operation, s *Step) {
	c, k := &s.Cost, o.Kernel
	g, b := &c.Stages, &c.Bytes
	say := func(format string, args ...any) { fmt.Fprintf(w, "  "+format+"\n", args...) }
	fmt.Fprintf(w, "operation %d, %s: output %dx%dx%d in blocks of %dx%dx%d\n", s.Index, kindName(o), k.OFM.Height, k.OFM.Width, k.OFM.Depth, k.BlockH, k.BlockW, k.BlockD)
	say("%.3f blocks, in whole micro-blocks of %v", c.Blocks, m.Target.OFMBlock)
	if o.Kind == isa.Elementwise {
		say("output stage: %.4g cycles an element, %.4g a block", g.PerOutput, g.Output)
		say("commands: (the slower of input %d and output %d + %.4g) / 4 = %.4g a block", g.IFM, g.OFM, g.Output, g.Command)
		say("NPU: the slower for all elements = %d", c.NPU)
	} else {
		say("multipliers: %.4g cycles a block", g.MAC)
		say("output stage: %.4g cycles an element; %.4g a block (at least 10 bytes of scale a channel)", g.PerOutput, g.Output)
		say("commands: (|output %d - input %d|, if there is more than one block, + %.4g + %.4g) / 4 = %.4g a block", g.OFM, g.IFM, g.MAC, g.Output, g.Command)
		say("NPU: blocks x the slowest, + once the other stage, + the first input %d, + the last output %d = %d", g.IFM, g.OFM, c.NPU)
	}
	regions := func(region int) string { return m.System.Port[m.Area(region)].Name }
	say("input: %d bytes with short bursts, from %s", b.IFM, regions(k.IFM.Region))
	if k.HasIFM2 {
		say("second input: %d bytes, from %s", b.IFM2, regions(k.IFM2.Region))
	}
	say("output: %d bytes with short bursts, to %s", b.OFM, regions(k.OFM.Region))
	if b.Refetch > 0 {
		say("weights and scales: read %d times, %d and %d bytes, from %s and %s", b.Refetch, b.Weights, b.Scales, regions(k.WeightRegion), regions(k.ScaleRegion))
	}
	for i := range 2 {
		if c.Memory[i] > 0 {
			say("%s: bytes / %.4g bytes a cycle = %d", m.System.Port[i].Name, m.bandwidth(i), c.Memory[i])
		}
	}
	say("total: the largest, %d, bound by %s", c.Total(), m.bound(c))
}
