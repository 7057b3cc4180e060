package npu

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/temper-ml/temper/npu/isa"
)

// TestAssemble: operations read out of Vela's programs and assembled again are the same operations; of the programs of Vela's current core they are the same
// commands, word for word.
func TestAssemble(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.tflite")
	more, _ := filepath.Glob(filepath.Join("..", "..", "shared", "corpus", "ethosu", "*", "vela", "*.tflite"))
	same, others := 0, 0
	for _, path := range append(files, more...) {
		_, all := programs(t, path)
		for _, p := range all {
			ops := isa.Operations(p.Commands)
			cores := 0
			if p.Target.Product == isa.ProductU65 {
				cores = p.Target.Cores
			}
			list := isa.Assemble(ops, cores)
			again := isa.Operations(list)
			if len(again) != len(ops) {
				t.Fatalf("%s: %d operations, want %d", path, len(again), len(ops))
			}
			for i := range ops {
				again[i].Command, again[i].Unset = ops[i].Command, ops[i].Unset
				if !reflect.DeepEqual(again[i], ops[i]) {
					t.Errorf("%s, operation %d:\n%+v\n%+v", path, i, again[i].Kernel, ops[i].Kernel)
				}
			}
			switch {
			case reflect.DeepEqual(list, p.Commands):
				same++
			case strings.Contains(path, "legacy") || strings.Contains(path, "vela3"):
				others++
			default:
				t.Errorf("%s: %d commands, Vela has %d", path, len(list), len(p.Commands))
				for i := range min(len(list), len(p.Commands)) {
					if list[i] != p.Commands[i] {
						t.Logf("command %d: %s, Vela has %s", i, list[i], p.Commands[i])
						break
					}
				}
			}
		}
	}
	t.Logf("%d programs are the same words, %d of older cores are the same operations", same, others)
}
