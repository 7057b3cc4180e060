package npu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// notTFLM are single operators for which TFLite Micro and Vela's programs differ, and what to compare with instead: LiteRT's outputs, or nothing.
var notTFLM = map[string]string{
	"relu6":  "litert", // TFLite Micro does not rescale a RELU6 that stands alone
	"neg":    "",       // LiteRT ignores the zero point, TFLite Micro has none
	"sum_hw": "",       // Vela 5.2.0 sums over one of the two axes only, and writes more than the output's bytes
}

// TestFolder runs compiled files of a folder, named <model>__<anything>.tflite, against the vectors of their models in the corpus of single operators and nets, and
// looks for findings. TEMPER_NPU_FILES names the folder, which .ci/npu_oracle.py fills; without it there is nothing to do.
func TestFolder(t *testing.T) {
	dir := os.Getenv("TEMPER_NPU_FILES")
	if dir == "" {
		t.Skip("TEMPER_NPU_FILES names no folder")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*__*.tflite"))
	n, partly := 0, 0
	for _, path := range files {
		name, _, _ := strings.Cut(filepath.Base(path), "__")
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		kind, known := notTFLM[name[:max(0, strings.LastIndex(name, "_s"))]]
		if !Compiled(m) || known && kind == "" {
			continue
		}
		v := readVectors(t, vectorsOf(t, name), kind == "litert")
		it, err := NewSimulator(m)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
			continue
		}
		if differ, total, err := v.compare(it); err != nil || differ > 0 {
			t.Errorf("%s: %d of %d bytes differ; %v", filepath.Base(path), differ, total, err)
		}
		if n++; len(m.Subgraphs[0].Operators) > 1 {
			partly++
		}
		_, all := programs(t, path)
		for i, p := range all {
			for _, f := range p.Check() {
				t.Errorf("%s, operator %d: %v", filepath.Base(path), i, f)
			}
		}
	}
	if n == 0 {
		t.Error("no compiled files in", dir)
	}
	t.Logf("%d compiled files, %d of them partly on the CPU", n, partly)
}

// vectorsOf finds the vectors of a model.
func vectorsOf(t *testing.T, name string) string {
	for _, at := range []string{"corpus/tflite/ops", "corpus/tflite/nets", "models/mlperf_tiny"} {
		path := filepath.Join("..", "..", "shared", at, name+".npz")
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatalf("there are no vectors of %s", name)
	return ""
}
