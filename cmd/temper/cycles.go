package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu"
	"github.com/temper-ml/temper/npu/perf"
)

// costFlags are the flags of inspect for compiled files.
type costFlags struct {
	cycles, explain      bool
	system, mode, config string
}

func (f *costFlags) register(cmd *cobra.Command) {
	s := cmd.Flags()
	s.BoolVar(&f.cycles, "cycles", false, "of a file compiled for Ethos-U: estimated cycles, bytes of flash, SRAM and weights, operation by operation")
	s.BoolVar(&f.explain, "explain", false, "with --cycles: how the estimate of each operation comes about")
	s.StringVar(&f.system, "system-config", "", "with --cycles: system configuration (what Vela takes for the target)")
	s.StringVar(&f.mode, "memory-mode", "", "with --cycles: memory mode (what Vela takes for the target)")
	s.StringVar(&f.config, "vela-config", "", "with --cycles: a vela.ini with system configurations and memory modes (those of Arm are built in)")
}

// check refuses flags that would do nothing.
func (f *costFlags) check() error {
	if !f.cycles && (f.explain || f.system != "" || f.mode != "" || f.config != "") {
		return usageError{fmt.Errorf("--explain, --system-config, --memory-mode and --vela-config need --cycles")}
	}
	return nil
}

// cost is an NPU operator of a file with its report.
type cost struct {
	File     string       `json:"file"`
	Operator int          `json:"operator"`
	Report   *perf.Report `json:"report"`
	program  *npu.Program
	machine  perf.Machine
}

// costs shows what the programs of one or two files cost.
func (a *app) costs(files []string, f *costFlags) error {
	settings := perf.BuiltIn()
	if f.config != "" {
		r, err := os.Open(f.config)
		if err != nil {
			return err
		}
		defer r.Close()
		if settings, err = perf.ReadConfig(r); err != nil {
			return fmt.Errorf("%s: %w", f.config, err)
		}
	}
	var list []cost
	for _, path := range files {
		c, err := costsOf(path, settings, f)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, c...)
	}
	return a.print(map[string]any{"programs": list}, func(w io.Writer) {
		var names []string
		var reports []*perf.Report
		for i, c := range list {
			if i > 0 {
				fmt.Fprintln(w)
			}
			names, reports = append(names, fmt.Sprintf("%s, operator %d", c.File, c.Operator)), append(reports, c.Report)
			fmt.Fprintf(w, "%s: ", names[i])
			c.Report.WriteTable(w)
			if f.explain {
				c.machine.ExplainAll(w, c.program.Operations())
			}
		}
		fmt.Fprintln(w)
		perf.WriteTotals(w, names, reports)
	})
}

func costsOf(path string, settings perf.Settings, f *costFlags) ([]cost, error) {
	m, err := tflite.ReadFile(path)
	if err != nil {
		return nil, err
	}
	programs, err := npu.ReadPrograms(m)
	if err != nil {
		return nil, err
	}
	var list []cost
	for _, i := range slices.Sorted(maps.Keys(programs)) {
		p := programs[i]
		machine, err := settings.Machine(p.Target, f.system, f.mode)
		if err != nil {
			return nil, err
		}
		r, err := p.Estimate(machine)
		if err != nil {
			return nil, fmt.Errorf("operator %d: %w", i, err)
		}
		list = append(list, cost{path, i, r, p, machine})
	}
	return list, nil
}
