package perf

import (
	"fmt"

	"github.com/temper-ml/temper/npu/isa"
)

// Program is what a report is about.
type Program struct {
	Ops         []isa.Operation
	Constants   []byte
	Stream      int // bytes of the command stream
	Arena, Fast int // bytes; Fast is 0 where region 2 is the arena
	Outputs     []isa.Span
}

// Row is an operation in a report. Cycles are estimates.
type Row struct {
	Index   int       `json:"operation"`
	Layer   int       `json:"layer"`
	Kind    string    `json:"kind"`
	Output  []int     `json:"output,omitempty"` // H, W, C
	Block   []int     `json:"block,omitempty"`
	MACs    int64     `json:"macs"`
	Cycles  int64     `json:"cycles"`
	NPU     int64     `json:"npu"`
	Memory  [2]int64  `json:"memory"`
	Bound   string    `json:"bound"`   // npu or the name of a memory
	Use     float64   `json:"use"`     // of the multipliers, while the operation runs
	Bytes   int64     `json:"bytes"`   // of a transfer
	Start   int64     `json:"start"`   // cycle
	Stalled int64     `json:"stalled"` // cycles of waiting for transfers
	SRAM    int       `json:"sram"`    // bytes in use
	Waste   int       `json:"brick_waste"`
	Weights []Weights `json:"weights,omitempty"` // none or one
}

// Report explains a program: all cycles are estimates of the model, bytes are facts unless they say that they are estimates.
type Report struct {
	Target     string    `json:"target"`
	System     string    `json:"system"`
	Mode       string    `json:"memory_mode"`
	Memories   [2]string `json:"memories"`
	Clock      float64   `json:"clock"`
	Rows       []Row     `json:"operations"`
	Cycles     int64     `json:"estimated_cycles"`  // until everything has ended
	Kernels    int64     `json:"estimated_kernels"` // of kernels
	Hidden     int64     `json:"estimated_hidden"`  // of transfers behind kernels
	Stalled    int64     `json:"estimated_stalled"` // of kernels that wait for transfers
	NPU        int64     `json:"estimated_npu"`     // sum of the NPU's cycles
	Memory     [2]int64  `json:"estimated_memory"`  // sum of the memories' cycles, of kernels
	MACs       int64     `json:"macs"`              // sum
	Flash      int       `json:"flash"`             // constants and command stream
	Constants  int       `json:"constants"`         // bytes
	Stream     int       `json:"command_stream"`    // bytes
	Arena      int       `json:"arena"`             // bytes
	Fast       int       `json:"fast"`              // bytes
	PeakInUse  int       `json:"peak_in_use"`       // largest SRAM of an operation; less than the arena where places do not fit tightly
	Weights    Weights   `json:"weights"`           // sum
	BrickWaste int       `json:"brick_waste"`       // largest of an operation's output
}

// PerSecond are inferences a second at the system's clock, an estimate.
func (r *Report) PerSecond() float64 {
	if r.Cycles == 0 {
		return 0
	}
	return r.Clock / float64(r.Cycles)
}

// Report estimates a program.
func (m *Machine) Report(p *Program) (*Report, error) {
	r := &Report{Target: m.Target.Name, System: m.System.Name, Mode: m.Mode.Name, Clock: m.System.Clock, Constants: len(p.Constants), Stream: p.Stream,
		Flash: len(p.Constants) + p.Stream, Arena: p.Arena, Fast: p.Fast, Memories: [2]string{m.System.Port[0].Name, m.System.Port[1].Name}}
	size, regions := p.Arena, func(region int) bool { return region == 1 || region == 2 }
	outputs := p.Outputs
	if p.Fast > 0 {
		regions = func(region int) bool { return region == 2 }
		size, outputs = p.Fast, nil
	}
	occupied := Occupied(p.Ops, size, regions, outputs)
	seen := map[isa.Span]bool{}
	for _, s := range m.Run(p.Ops) {
		o := &p.Ops[s.Index]
		row := Row{Index: s.Index, Layer: s.Layer, Kind: o.Kind.String(), Cycles: s.Cycles, Start: s.Start, Stalled: s.Stalled, Bytes: s.Bytes, SRAM: occupied[s.Index]}
		r.Cycles = max(r.Cycles, s.End)
		r.PeakInUse = max(r.PeakInUse, row.SRAM)
		if o.Kernel == nil {
			row.Bound = m.System.Port[s.Port].Name
			if o.DMA.DstInternal {
				row.Kind = "DMA table"
			}
			r.Hidden += s.Cycles
		} else if err := r.kernel(m, p, &row, s, seen); err != nil {
			return nil, fmt.Errorf("operation %d (%v): %w", s.Index, o.Kind, err)
		}
		r.Rows = append(r.Rows, row)
	}
	r.Hidden = max(0, r.Hidden-(r.Cycles-r.Kernels))
	return r, nil
}

// kernel fills a row, and adds to the sums.
func (r *Report) kernel(m *Machine, p *Program, row *Row, s Step, seen map[isa.Span]bool) error {
	o := &p.Ops[s.Index]
	k, c := o.Kernel, &s.Cost
	row.Kind = kindName(o)
	row.Output, row.Block = []int{k.OFM.Height, k.OFM.Width, k.OFM.Depth}, []int{k.BlockH, k.BlockW, k.BlockD}
	row.MACs, row.NPU, row.Memory, row.Bound = c.MACs, c.NPU, c.Memory, m.bound(c)
	row.Waste = brickWaste(&k.OFM)
	row.Use = float64(c.MACs) / float64(max(1, s.Cycles)*int64(m.Target.MACs))
	if o.Kind == isa.Conv || o.Kind == isa.Depthwise {
		w, err := weightsOf(m.Target, p.Ops[:s.Index], o, p.Constants)
		if err != nil {
			return err
		}
		if id := (isa.Span{Base: sourceOf(p.Ops[:s.Index], k), Length: k.Weights[0].Length}); !seen[id] { // stripes share their weights
			seen[id] = true
			row.Weights = []Weights{w}
			r.Weights.add(w)
		}
	}
	r.Kernels += s.Cycles
	r.Stalled += s.Stalled
	r.NPU += c.NPU
	r.MACs += c.MACs
	r.Memory[0] += c.Memory[0]
	r.Memory[1] += c.Memory[1]
	r.BrickWaste = max(r.BrickWaste, row.Waste)
	return nil
}

// sourceOf is where a kernel's weights lie in the constants.
func sourceOf(before []isa.Operation, k *isa.Kernel) uint64 {
	at, region := k.Weights[0].Base, k.WeightRegion
	for i := len(before) - 1; i >= 0 && region != 0; i-- {
		if d := before[i].DMA; d != nil && !d.DstInternal && d.DstRegion == region && d.Dst <= at && at < d.Dst+d.Length {
			at, region = at-d.Dst+d.Src, d.SrcRegion
		}
	}
	return at
}

// bound names the bound that holds.
func (m *Machine) bound(c *Cost) string {
	switch c.Total() {
	case c.NPU:
		return "npu"
	case c.Memory[0]:
		return m.System.Port[0].Name
	}
	return m.System.Port[1].Name
}

func kindName(o *isa.Operation) string {
	switch k := o.Kernel; o.Kind {
	case isa.Pool:
		return [...]string{"MAXPOOL", "AVGPOOL", "REDUCE_SUM"}[min(max(k.Mode, 0), 2)]
	case isa.Elementwise:
		if k.Mode >= 0 && k.Mode <= isa.SHL {
			return [...]string{"MUL", "ADD", "SUB", "MIN", "MAX", "LRELU", "ABS", "CLZ", "SHR", "SHL"}[k.Mode]
		}
	}
	return o.Kind.String()
}
