package interp

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/export/tflite"
)

// notOracles are operators for which LiteRT or TFLM has no meaningful answer (the corpus's README says why).
var notOracles = map[string]Profile{"sum": LiteRTRef, "neg": TFLM, "relu_n1_to_1": TFLM}

// TestCorpus compares every model of the corpus with the outputs recorded from TFLM and LiteRT.
func TestCorpus(t *testing.T) {
	root := filepath.Join("..", "..", "..", "shared")
	files, _ := filepath.Glob(filepath.Join(root, "corpus", "tflite", "*", "*.tflite"))
	more, _ := filepath.Glob(filepath.Join(root, "models", "mlperf_tiny", "*.tflite"))
	if len(files) == 0 {
		t.Skip("the corpus (../shared beside the repository) is not here")
	}
	compareFiles(t, append(files, more...))
}

// TestFrozen is TestCorpus on the smallest model of each operator, kept in testdata.
func TestFrozen(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("testdata", "*.tflite"))
	if len(files) < 40 {
		t.Fatalf("%d models in testdata", len(files))
	}
	compareFiles(t, files)
}

func compareFiles(t *testing.T, files []string) {
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".tflite")
		if name == "kws_ref_model_float32" {
			continue // a hybrid model, see TestHybrid
		}
		vectors, err := npz.Read(strings.TrimSuffix(path, ".tflite") + ".npz")
		if err != nil {
			t.Error(err)
			continue
		}
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, p := range []Profile{TFLM, LiteRTRef} {
			if without, ok := notOracles[name[:max(strings.LastIndex(name, "_s"), 0)]]; ok && without == p || strings.HasPrefix(name, "sum") && p == LiteRTRef {
				continue
			}
			if err := compare(m, p, vectors); err != nil {
				t.Errorf("%s, profile %d: %v", name, p, err)
			}
		}
	}
}

// compare runs all vectors and counts differing outputs.
func compare(m *tflite.Model, p Profile, vectors map[string]*npz.Array) error {
	it, err := New(m, p)
	if err != nil {
		return err
	}
	n := vectors["in0"].Shape[0]
	for v := range n {
		for i, in := range it.Inputs() {
			copy(in.Bytes(), bytesOf(vectors[fmt.Sprintf("in%d", i)], v, n))
		}
		it.Invoke()
		for i, out := range it.Outputs() {
			name := fmt.Sprintf("out%d", i)
			if a := vectors["tflm_"+name]; a != nil && p == TFLM {
				name = "tflm_" + name
			}
			want := vectors[name]
			if out.Type == tflite.FLOAT32 {
				k := out.Volume()
				for j, x := range want.Float32s()[v*k : (v+1)*k] {
					if d := math.Abs(float64(out.Float32()[j] - x)); !(d <= 1e-5*math.Max(1, math.Abs(float64(x)))) {
						return fmt.Errorf("vector %d, %s: value %d is %g, want %g", v, name, j, out.Float32()[j], x)
					}
				}
				continue
			}
			wrong, first := 0, -1
			for j, b := range bytesOf(want, v, n) {
				if out.Bytes()[j] != b {
					wrong++
					if first < 0 {
						first = j
					}
				}
			}
			if wrong > 0 {
				return fmt.Errorf("vector %d, %s: %d of %d bytes differ, first at %d: %d, want %d", v, name, wrong, len(out.Bytes()), first,
					int8(out.Bytes()[first]), int8(bytesOf(want, v, n)[first]))
			}
		}
	}
	return nil
}

// bytesOf is part v of n of an array's memory.
func bytesOf(a *npz.Array, v, n int) []byte {
	var f strings.Builder
	if err := npz.WriteArray(&f, a); err != nil {
		panic(err)
	}
	all := []byte(f.String())
	head := 10 + int(all[8]) + int(all[9])<<8
	all = all[head:]
	return all[len(all)/n*v : len(all)/n*(v+1)]
}

// TestHybrid: a model with int8 weights and float32 activations is refused with a clear error.
func TestHybrid(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "models", "mlperf_tiny", "kws_ref_model_float32.tflite")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the models (../shared beside the repository) are not here")
	}
	m, err := tflite.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, TFLM); err == nil || !strings.Contains(err.Error(), "hybrid") {
		t.Errorf("error is %v", err)
	}
}
