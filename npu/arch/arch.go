// Package arch has the Ethos-U targets and their constants.
package arch

import (
	"fmt"
	"slices"
	"strings"
)

// Shape is a block of a feature map.
type Shape struct{ H, W, D int }

// Target is a hardware configuration.
type Target struct {
	Name     string // "ethos-u55-128"
	Product  int    // as in the configuration register: 0 U55, 1 U65
	MACs     int    // a cycle, of all cores
	Cores    int
	OFMBlock Shape // micro-block, of a core
	IFMDepth int   // depth of the input's micro-block
	Banks    int   // SHRAM banks of 1 KiB, of a core
	// Granules are the steps in which SHRAM banks are given to inputs of 8, 16 bits, element-wise inputs of 8, 16 and 32 bits, and accumulators of 16,
	// 32 and 40 bits.
	Granules [8]int
	Bus      int // bytes a cycle of an AXI port
	DMAs     int // transfers that may be outstanding
}

// Indices of Granules.
const (
	GranuleIFM8 = iota
	GranuleIFM16
	GranuleElementwise8
	GranuleElementwise16
	GranuleElementwise32
	GranuleAcc16
	GranuleAcc32
	GranuleAcc40
)

// Limits that all targets share.
const (
	BankSize        = 1024 // bytes of a SHRAM bank
	OutputBanks     = 2    // banks at the start of SHRAM that the output stage takes
	LUTBanks        = 2    // banks of the tables
	LUTSlot         = 256  // bytes of a table's slot
	LUTSlots        = 8
	MaxBlockHeight  = 32
	MaxBlockWidth   = 64
	MaxBlockDepth   = 128
	MaxBlockDep     = 3
	MaxKernels      = 2 // kernels that may be outstanding
	MaxKernelHeight = 64
	MaxKernelArea   = 64 * 64
)

var targets = []Target{
	{Name: "ethos-u55-32", MACs: 32, Cores: 1, OFMBlock: Shape{1, 1, 4}, IFMDepth: 8, Banks: 16, Granules: [8]int{2, 2, 2, 2, 4, 4, 4, 4}, Bus: 8, DMAs: 1},
	{Name: "ethos-u55-64", MACs: 64, Cores: 1, OFMBlock: Shape{1, 1, 8}, IFMDepth: 8, Banks: 16, Granules: [8]int{2, 2, 2, 2, 4, 4, 4, 8}, Bus: 8, DMAs: 1},
	{Name: "ethos-u55-128", MACs: 128, Cores: 1, OFMBlock: Shape{1, 2, 8}, IFMDepth: 8, Banks: 24, Granules: [8]int{4, 4, 4, 4, 8, 4, 8, 12}, Bus: 8, DMAs: 1},
	{Name: "ethos-u55-256", MACs: 256, Cores: 1, OFMBlock: Shape{2, 2, 8}, IFMDepth: 8, Banks: 48, Granules: [8]int{8, 8, 8, 8, 16, 8, 16, 20}, Bus: 8, DMAs: 1},
	{Name: "ethos-u65-256", Product: 1, MACs: 256, Cores: 1, OFMBlock: Shape{2, 2, 8}, IFMDepth: 8, Banks: 48,
		Granules: [8]int{8, 8, 8, 8, 16, 8, 16, 20}, Bus: 16, DMAs: 2},
	{Name: "ethos-u65-512", Product: 1, MACs: 512, Cores: 2, OFMBlock: Shape{2, 2, 8}, IFMDepth: 8, Banks: 48,
		Granules: [8]int{8, 8, 8, 8, 16, 8, 16, 20}, Bus: 16, DMAs: 2},
}

// Targets lists the names.
func Targets() []string {
	var names []string
	for _, t := range targets {
		names = append(names, t.Name)
	}
	return names
}

// Find is the target of a name.
func Find(name string) (Target, error) {
	i := slices.IndexFunc(targets, func(t Target) bool { return t.Name == name })
	if i < 0 {
		if strings.HasPrefix(name, "ethos-u85") {
			return Target{}, fmt.Errorf("target %s: Ethos-U85 is not supported yet; there are %s", name, strings.Join(Targets(), ", "))
		}
		return Target{}, fmt.Errorf("target %q is unknown; there are %s", name, strings.Join(Targets(), ", "))
	}
	return targets[i], nil
}

// Config is the word of the configuration register.
func (t Target) Config() uint32 {
	log := uint32(0)
	for 1<<log < t.MACs {
		log++
	}
	return uint32(t.Product)<<28 | uint32(t.Banks*t.Cores)<<8 | log
}

// ID is the architecture version of U55 and U65 that programs are made for, 1.0.6.
const ID = 0x10066001

// FromConfig is the target of a configuration word.
func FromConfig(w uint32) (Target, error) {
	for _, t := range targets {
		if t.Config() == w {
			return t, nil
		}
	}
	if w>>28 == 2 {
		return Target{}, fmt.Errorf("the program is for Ethos-U85 (configuration 0x%08x), which is not supported yet", w)
	}
	return Target{}, fmt.Errorf("configuration 0x%08x is that of no known target; there are %s", w, strings.Join(Targets(), ", "))
}

// EndBanks are the banks at the end of SHRAM that are kept for tables. Small targets keep none: there the accumulators of a kernel without a table overwrite them.
func (t Target) EndBanks() int {
	if t.Banks > 16 {
		return LUTBanks
	}
	return 0
}

// LUTStart is the byte in SHRAM at which the tables begin.
func (t Target) LUTStart() int { return (t.Banks - LUTBanks) * BankSize }
