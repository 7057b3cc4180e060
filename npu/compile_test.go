package npu

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/arch"
)

// TestCompileFrozen is the same with the small networks that are kept here.
func TestCompileFrozen(t *testing.T) {
	files, _ := filepath.Glob("testdata/source/*.tflite")
	for _, path := range files {
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), ".tflite")
		v := readVectors(t, filepath.Join("testdata", name+".npz"), false)
		for _, target := range arch.Targets() {
			o := Options{Target: target, RequireNPU: name != "upsampler"} // which has an operator on the CPU
			t.Run(name+"/"+target, func(t *testing.T) { compiles(t, m, v, o) })
			if strings.Contains(target, "u65") {
				o.MemoryMode = "Shared_Sram"
				t.Run(name+"/"+target+"/shared", func(t *testing.T) { compiles(t, m, v, o) })
			}
		}
	}
}

// TestCompile: every network of the corpus compiles for every target, and gives the recorded bytes.
func TestCompile(t *testing.T) {
	root := filepath.Join("..", "..", "shared")
	files, _ := filepath.Glob(filepath.Join(root, "corpus", "ethosu", "*", "*.tflite"))
	tiny, _ := filepath.Glob(filepath.Join(root, "models", "mlperf_tiny", "*.tflite"))
	files = append(files, tiny...)
	if len(files) == 0 {
		t.Skip("the corpus (../shared beside the repository) is not here")
	}
	for _, path := range files {
		if strings.Contains(path, "float32") || strings.Contains(path, "fp32") || strings.HasSuffix(path, "pretrainedResnet.tflite") {
			continue
		}
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data := filepath.Join(filepath.Dir(path), "vectors.npz")
		if strings.Contains(path, "mlperf") {
			data = strings.TrimSuffix(path, ".tflite") + ".npz"
		}
		v := readVectors(t, data, false)
		for _, target := range arch.Targets() {
			t.Run(filepath.Base(path)+"/"+target, func(t *testing.T) { compiles(t, m, v, Options{Target: target, RequireNPU: true}) })
		}
	}
}

func compiles(t *testing.T, m *tflite.Model, v vectors, o Options) {
	t.Helper()
	c, err := Compile(m, o)
	if err != nil {
		t.Fatal(err)
	}
	it, err := NewSimulator(c.Model)
	if err != nil {
		t.Fatal(err)
	}
	v.n = min(v.n, 4)
	differ, total, err := v.compare(it)
	if err != nil || differ > 0 {
		t.Errorf("%d of %d bytes differ; %v", differ, total, err)
	}
	t.Logf("flash %d, arena %d", c.Report.Flash, c.Report.SRAM)
}
