package perf_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/perf"
)

const ini = `; comment
[System_Config.Mine]
core_clock=250e6
axi0_port=Sram
axi1_port=OffChipFlash
Sram_clock_scale=0.5
Sram_burst_length=32
Sram_read_latency=16
Sram_write_latency=8
OffChipFlash_clock_scale=0.125
OffChipFlash_burst_length=128
OffChipFlash_read_latency=64

[Memory_Mode.Base]
const_mem_area=Axi1
arena_mem_area=Axi1
cache_mem_area=Axi0
[Memory_Mode.Small]
inherit=Memory_Mode.Base
arena_cache_size=65536
`

func TestReadConfig(t *testing.T) {
	s, err := perf.ReadConfig(strings.NewReader(ini))
	if err != nil {
		t.Fatal(err)
	}
	target, _ := arch.Find("ethos-u65-256")
	m, err := s.Machine(target, "Mine", "Small")
	if err != nil {
		t.Fatal(err)
	}
	if m.System.Clock != 250e6 || m.System.Port[0] != (perf.Memory{Name: "Sram", ClockScale: .5, Burst: 32, ReadLatency: 16, WriteLatency: 8}) ||
		m.Mode != (perf.Mode{Name: "Small", Const: 1, Arena: 1, FastSize: 65536}) {
		t.Errorf("%+v", m)
	}
	for from, to := range map[string]string{
		"core_clock=250e6":             "core_clock=fast",
		"Sram_burst_length=32":         "Sram_burst_length=0",
		"axi0_port=Sram":               "",
		"cache_mem_area=Axi0":          "cache_mem_area=Axi2",
		"inherit=Memory_Mode.Base":     "inherit=Memory_Mode.Small",
		"[Memory_Mode.Base]":           "[Memory_Mode.Base",
		"arena_cache_size=65536":       "arena_cache_size=NaN",
		"Sram_clock_scale=0.5":         "Sram_clock_scale=-1",
		"; comment":                    "comment",
		"[System_Config.Mine]":         "[Memory_Mode.Base]",
		"OffChipFlash_read_latency=64": "OffChipFlash_read_latency",
	} {
		if _, err := perf.ReadConfig(strings.NewReader(strings.Replace(ini, from, to, 1))); err == nil {
			t.Errorf("%q instead of %q: no error", to, from)
		}
	}
	if _, err := s.Machine(target, "Mine", "Sram_Only"); err == nil {
		t.Error("a mode that the file lacks: no error")
	}
}

// TestBuiltInIsArms: TEMPER_VELA_INI names Arm's file; the built-in systems for U55 and U65 and the memory modes are the file's.
func TestBuiltInIsArms(t *testing.T) {
	path := os.Getenv("TEMPER_VELA_INI")
	if path == "" {
		t.Skip("TEMPER_VELA_INI names no file")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := perf.ReadConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	s.Systems = slices.DeleteFunc(s.Systems, func(x perf.System) bool { return strings.Contains(x.Name, "U85") })
	built := perf.BuiltIn()
	if !slices.Equal(s.Systems, built.Systems) || !slices.Equal(s.Modes, built.Modes) {
		t.Errorf("the file has\n%+v, %+v;\nbuilt in are\n%+v, %+v", s.Systems, s.Modes, built.Systems, built.Modes)
	}
}
