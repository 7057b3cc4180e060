package npu

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/sim"
)

// FuzzReadPrograms: a file from anywhere is refused, or its programs run to an end and can be checked and shown.
func FuzzReadPrograms(f *testing.F) {
	files, err := filepath.Glob("testdata/*.tflite")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil && len(data) < 2500 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := tflite.Read(data)
		if err != nil {
			return
		}
		programs, err := ReadPrograms(m)
		if err != nil {
			return
		}
		for _, p := range programs {
			if p.Arena > 1<<20 || p.Fast > 1<<20 {
				continue
			}
			_ = p.String()
			machine := p.Machine()
			machine.Limit = 1 << 20
			ops := isa.Operations(p.Commands)
			_ = machine.Run(ops)
			mem := p.Memory()
			mem.Limit = 1 << 20
			sim.Lint(p.Target, ops)
			sim.Hazards(p.Target, ops, mem)
		}
	})
}
