package npu

import (
	"errors"
	"fmt"
	"strings"

	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// Options say for what a model is compiled.
type Options struct {
	Target       string // "" is ethos-u55-128
	SystemConfig string // "" is Ethos_U55_High_End_Embedded or Ethos_U65_Client_Server
	MemoryMode   string // "" is Shared_Sram for U55, Dedicated_Sram_384KB for U65
	RequireNPU   bool   // an operator that would stay on the CPU is an error
}

// Check looks for options that no compilation takes.
func (o Options) Check() error {
	_, err := o.machine()
	return err
}

// machine is what the options mean. In the modes Sram_Only and Shared_Sram the arena is the NPU's memory; Dedicated_Sram modes have, beside an arena in slower
// memory, fast memory in which values within a program lie.
func (o Options) machine() (perf.Machine, error) {
	if o.Target == "" {
		o.Target = "ethos-u55-128"
	}
	t, err := arch.Find(o.Target)
	if err != nil {
		return perf.Machine{}, err
	}
	m, err := perf.NewMachine(t, o.SystemConfig, o.MemoryMode)
	if err == nil && !m.Mode.Shared() && t.Product != isa.ProductU65 {
		err = fmt.Errorf("memory mode %s is for Ethos-U65; %s takes Shared_Sram or Sram_Only", m.Mode.Name, t.Name)
	}
	if err == nil && strings.HasPrefix(m.System.Name, "Ethos_U65") != (t.Product == isa.ProductU65) {
		err = fmt.Errorf("system configuration %s is not for %s", m.System.Name, t.Name)
	}
	return m, err
}

// fastSize is the fast memory of a mode, 0 where it is the arena.
func fastSize(m perf.Mode) int {
	switch {
	case m.Shared():
		return 0
	case m.FastSize == 0:
		return anySize
	}
	return m.FastSize
}

// cpuError is an operator that --require-npu forbids.
type cpuError struct{ error }

// StaysOnCPU tells whether Compile failed because an operator would stay on the CPU though Options.RequireNPU is set.
func StaysOnCPU(err error) bool {
	var e cpuError
	return errors.As(err, &e)
}

// anySize is the fast memory of a mode without a limit.
const anySize = 1 << 30

// Compilation is a model whose operators, as far as the NPU has them, are programs.
type Compilation struct {
	Model    *tflite.Model
	Programs map[int]*Program // by the index of the operator in Model
	Report   Report
}

// Report is what a compilation made, for machines.
type Report struct {
	Target       string  `json:"target"`
	SystemConfig string  `json:"system_config"`
	MemoryMode   string  `json:"memory_mode"`
	Flash        int     `json:"flash_bytes"` // programs and their constants
	SRAM         int     `json:"sram_bytes"`  // the arena of the programs, or the fast memory where there is one
	Arena        int     `json:"arena_bytes"`
	Cycles       int64   `json:"cycles"` // estimated
	NPUOperators int     `json:"npu_operators"`
	CPUOperators int     `json:"cpu_operators"`
	CPU          []OnCPU `json:"cpu"`
	Weights      Weights `json:"weights"`
	Layers       []Layer `json:"layers"`
}

// OnCPU is an operator that stays on the CPU, and why.
type OnCPU struct {
	Index    int    `json:"index"` // in the model that was compiled
	Operator string `json:"operator"`
	Output   string `json:"output"`
	Reason   string `json:"reason"`
}

// Weights are bytes of weights: as in the model, with the zeros that fill up blocks, and encoded.
type Weights struct {
	Original int `json:"original"`
	Padded   int `json:"padded"`
	Encoded  int `json:"encoded"`
}

// Layer is a kernel of a program.
type Layer struct {
	Index    int     `json:"index"` // of the operator in the model that was compiled
	Operator string  `json:"operator"`
	Kernel   string  `json:"kernel"`
	Output   [3]int  `json:"output"`
	Block    [3]int  `json:"block"`
	BlockDep int     `json:"blockdep"`
	Cycles   int64   `json:"cycles"` // estimated
	Weights  Weights `json:"weights"`
}

// Compile makes programs of the operators that the NPU has; the others stay as they are. What it returns has been executed: the result is the interpreter's on
// random inputs, byte for byte, and the programs have no hazards and do nothing that the hardware forbids.
func Compile(m *tflite.Model, o Options) (*Compilation, error) {
	machine, err := o.machine()
	if err != nil {
		return nil, err
	}
	t, fast := machine.Target, fastSize(machine.Mode)
	if Compiled(m) {
		return nil, fmt.Errorf("the model is compiled already")
	}
	reference, err := interp.New(m, interp.TFLM) // checks every operator's tensors, too
	if err != nil {
		return nil, fmt.Errorf("a model that the interpreter does not run cannot be compiled, because nothing could check it: %w", err)
	}
	l := newLowering(m.Subgraphs[0], t)
	c := &Compilation{Report: Report{Target: t.Name, SystemConfig: machine.System.Name, MemoryMode: machine.Mode.Name, CPU: []OnCPU{}, Layers: []Layer{}}}
	if err := c.partition(l, o.RequireNPU); err != nil {
		return nil, err
	}
	if err := l.run(); err != nil {
		return nil, err
	}
	for i := range l.steps {
		if s := &l.steps[i]; !s.cpu {
			if err := chooseBlock(&machine, s, fast > 0); err != nil {
				return nil, fmt.Errorf("operator %d (%s): %w", s.operator, l.g.Operators[s.operator].Code, err)
			}
		}
	}
	w := &builder{l: l, source: m, options: o}
	w.layOut(fast)
	if c.Model, err = w.build(); err != nil {
		return nil, err
	}
	c.layers(l, &machine)
	c.Report.Flash, c.Report.SRAM, c.Report.Arena = w.flash, w.arena, w.arena
	if w.fast > 0 {
		c.Report.SRAM = w.fast
	}
	if c.Programs, err = ReadPrograms(c.Model); err != nil {
		return nil, fmt.Errorf("the compiled model: %w", err)
	}
	return c, c.verify(reference)
}

// partition notes what stays on the CPU.
func (c *Compilation) partition(l *lowering, require bool) error {
	for i, r := range l.reasons {
		if r == "" {
			c.Report.NPUOperators++
			continue
		}
		o := l.g.Operators[i]
		c.Report.CPU = append(c.Report.CPU, OnCPU{i, o.Code.String(), l.g.Tensors[o.Outputs[0]].Name, r})
	}
	c.Report.CPUOperators = len(c.Report.CPU)
	switch x := c.Report.CPU; {
	case len(x) > 0 && require:
		return cpuError{fmt.Errorf("operator %d (%s, output %s) would stay on the CPU, as %d of %d: %s", x[0].Index, x[0].Operator, x[0].Output, len(x), len(l.reasons), x[0].Reason)}
	case c.Report.NPUOperators == 0 && len(x) > 0:
		return fmt.Errorf("no operator can run on %s; operator %d (%s): %s", l.target.Name, x[0].Index, x[0].Operator, x[0].Reason)
	case len(l.reasons) == 0:
		return fmt.Errorf("the model has no operators")
	}
	return nil
}

// layers describes the kernels.
func (c *Compilation) layers(l *lowering, m *perf.Machine) {
	for i := range l.steps {
		s := &l.steps[i]
		if s.cpu {
			continue
		}
		cost := m.Cost(&isa.Operation{Kind: s.kind, Kernel: &s.k})
		cycles := cost.Total()
		c.Report.Cycles += cycles
		w := Weights{len(s.weights), s.padded, s.weightSize}
		c.Report.Layers = append(c.Report.Layers, Layer{Index: s.operator, Operator: l.g.Operators[s.operator].Code.String(), Kernel: s.kind.String(),
			Output: [3]int{s.ofm.h, s.ofm.w, s.ofm.c}, Block: [3]int{s.k.BlockH, s.k.BlockW, s.k.BlockD}, BlockDep: s.k.BlockDep, Cycles: cycles, Weights: w})
		c.Report.Weights.Original += w.Original
		c.Report.Weights.Padded += w.Padded
		c.Report.Weights.Encoded += w.Encoded
	}
}
