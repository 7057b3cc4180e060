package perf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/npu/arch"
)

// Memory is what stands behind an AXI port.
type Memory struct {
	Name         string // Sram, Dram, OnChipFlash, OffChipFlash
	ClockScale   float64
	Burst        int // bytes
	ReadLatency  int // cycles
	WriteLatency int // cycles
}

// System is a system configuration: clock and memories.
type System struct {
	Name  string
	Clock float64   // Hz
	Port  [2]Memory // behind AXI0 and AXI1
}

// Mode says behind which port constants, arena and fast memory lie.
type Mode struct {
	Name               string
	Const, Arena, Fast int
	FastSize           int // bytes that the fast memory may have; 0: no limit
}

// Shared tells whether fast memory and arena are the same.
func (m Mode) Shared() bool { return m.Arena == m.Fast }

var (
	sram     = Memory{Name: "Sram", ClockScale: 1, Burst: 32, ReadLatency: 32, WriteLatency: 32}
	offFlash = Memory{Name: "OffChipFlash", Burst: 128, ReadLatency: 64}
	dram     = Memory{Name: "Dram", Burst: 128, ReadLatency: 500, WriteLatency: 250}
)

func scaled(m Memory, by float64) Memory {
	m.ClockScale = by
	return m
}

// systems are the configurations that Arm publishes for U55 and U65 in vela.ini.
var systems = []System{
	{"Ethos_U55_Deep_Embedded", 200e6, [2]Memory{sram, scaled(offFlash, 0.0625)}},
	{"Ethos_U55_High_End_Embedded", 500e6, [2]Memory{sram, scaled(offFlash, 0.125)}},
	{"Ethos_U65_Embedded", 500e6, [2]Memory{sram, scaled(offFlash, 0.0625)}},
	{"Ethos_U65_Mid_End", 500e6, [2]Memory{sram, scaled(dram, 0.46875)}},
	{"Ethos_U65_High_End", 1e9, [2]Memory{sram, scaled(dram, 0.234375)}},
	{"Ethos_U65_Client_Server", 1e9, [2]Memory{sram, scaled(dram, 0.75)}},
}

var modes = []Mode{
	{Name: "Sram_Only"},
	{Name: "Shared_Sram", Const: 1},
	{Name: "Dedicated_Sram", Const: 1, Arena: 1},
	{Name: "Dedicated_Sram_256KB", Const: 1, Arena: 1, FastSize: 256 << 10},
	{Name: "Dedicated_Sram_384KB", Const: 1, Arena: 1, FastSize: 384 << 10},
	{Name: "Dedicated_Sram_512KB", Const: 1, Arena: 1, FastSize: 512 << 10},
}

// Machine is a target in a system: what the estimates are for.
type Machine struct {
	Target arch.Target
	System System
	Mode   Mode
}

// NewMachine finds a machine by names. An empty system or mode is what Vela takes for the target: for U55 Ethos_U55_High_End_Embedded and Shared_Sram, for U65
// Ethos_U65_Client_Server and Dedicated_Sram_384KB.
func NewMachine(t arch.Target, system, mode string) (Machine, error) {
	return BuiltIn().Machine(t, system, mode)
}

// Settings are system configurations and memory modes by name, built in or of a file.
type Settings struct {
	Systems []System
	Modes   []Mode
}

// BuiltIn are those that Arm publishes for U55 and U65.
func BuiltIn() Settings { return Settings{slices.Clone(systems), slices.Clone(modes)} }

// Machine finds a machine, as NewMachine does.
func (s Settings) Machine(t arch.Target, system, mode string) (Machine, error) {
	defaults := [2]string{"Ethos_U55_High_End_Embedded", "Shared_Sram"}
	if t.Product == 1 {
		defaults = [2]string{"Ethos_U65_Client_Server", "Dedicated_Sram_384KB"}
	}
	if system == "" {
		system = defaults[0]
	}
	if mode == "" {
		mode = defaults[1]
	}
	m := Machine{Target: t}
	var systems, modes []string
	found := 0
	for _, x := range s.Systems {
		if systems = append(systems, x.Name); x.Name == system {
			m.System = x
			found |= 1
		}
	}
	for _, x := range s.Modes {
		if modes = append(modes, x.Name); x.Name == mode {
			m.Mode = x
			found |= 2
		}
	}
	if found&1 == 0 {
		return m, fmt.Errorf("system configuration %q is unknown; there are %s", system, strings.Join(systems, ", "))
	}
	if found&2 == 0 {
		return m, fmt.Errorf("memory mode %q is unknown; there are %s", mode, strings.Join(modes, ", "))
	}
	return m, nil
}

// Area is the memory of a region of a program: constants, arena, fast memory.
func (m *Machine) Area(region int) int {
	switch region {
	case 0:
		return m.Mode.Const
	case 2:
		return m.Mode.Fast
	}
	return m.Mode.Arena
}

// bandwidth is bytes a cycle of the memory behind a port.
func (m *Machine) bandwidth(port int) float64 {
	return float64(m.Target.Bus) * m.System.Port[port].ClockScale
}
