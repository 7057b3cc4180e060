package npu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// TestFolder runs compiled files of a folder, named <model>__<anything>.tflite, against the vectors of their models in the corpus of single operators and nets.
// TEMPER_NPU_FILES names the folder; without it there is nothing to do.
func TestFolder(t *testing.T) {
	dir := os.Getenv("TEMPER_NPU_FILES")
	if dir == "" {
		t.Skip("TEMPER_NPU_FILES names no folder")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*__*.tflite"))
	n, bad := 0, 0
	for _, path := range files {
		name, _, _ := strings.Cut(filepath.Base(path), "__")
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		if !Compiled(m) {
			continue
		}
		n++
		shared := filepath.Join("..", "..", "shared")
		for _, at := range []string{"corpus/tflite/ops", "corpus/tflite/nets", "models/mlperf_tiny"} {
			p := filepath.Join(shared, at, name+".npz")
			if _, err := os.Stat(p); err != nil {
				continue
			}
			it, err := NewSimulator(m)
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(path), err)
				bad++
				break
			}
			v := readVectors(t, p)
			differ, total, err := v.compare(it)
			if err != nil || differ > 0 {
				t.Errorf("%s: %d of %d bytes differ; %v", filepath.Base(path), differ, total, err)
				bad++
			}
		}
	}
	t.Logf("%d compiled files, %d not equal", n, bad)
}
