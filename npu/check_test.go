package npu

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// TestNoFindings: hazard checker and lint find nothing in the files of the corpus.
func TestNoFindings(t *testing.T) {
	files := compiledFiles(t)
	if dir := os.Getenv("TEMPER_NPU_FILES"); dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "*__*.tflite"))
		files = append(files, more...)
	}
	for _, path := range files {
		if m, err := tflite.ReadFile(path); err != nil || !Compiled(m) {
			continue
		}
		_, all := programs(t, path)
		for i, p := range all {
			for _, f := range p.Check() {
				t.Errorf("%s, operator %d: %v", path, i, f)
			}
		}
	}
}
