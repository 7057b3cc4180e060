package perf_test

import (
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// eachProgram visits the programs of the frozen files, and of the corpus where it is.
func eachProgram(t *testing.T, visit func(name string, p *npu.Program, ops []isa.Operation)) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join("..", "testdata", "*.tflite"))
	more, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "ethosu", "*", "vela", "*.tflite"))
	if len(files) == 0 {
		t.Fatal("no files")
	}
	for _, path := range append(files, more...) {
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		programs, err := npu.ReadPrograms(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			visit(path, p, isa.Operations(p.Commands))
		}
	}
}

// TestLayoutIsVelas: for the blocks of Vela's programs, Fit gives the banks that these programs set, and Legal has the blocks.
func TestLayoutIsVelas(t *testing.T) {
	n := 0
	eachProgram(t, func(name string, p *npu.Program, ops []isa.Operation) {
		for i := range ops {
			o := &ops[i]
			k := o.Kernel
			if k == nil {
				continue
			}
			n++
			b := arch.Shape{H: k.BlockH, W: k.BlockW, D: k.BlockD}
			c, ok := perf.Fit(p.Target, o, b)
			if !ok {
				t.Errorf("%s, operation %d: %v does not fit", name, i, b)
				continue
			}
			if c.Layout.IFMEnd != k.IFMEnd || c.Layout.AccStart != k.AccStart || k.HasIFM2 && c.Layout.IFM2Start != k.IFM2Start {
				t.Errorf("%s, operation %d (%v): %+v, the program has input to %d, second from %d, accumulators from %d",
					name, i, o.Kind, c.Layout, k.IFMEnd, k.IFM2Start, k.AccStart)
			}
		}
	})
	t.Log(n, "operations")
}
