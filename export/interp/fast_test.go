package interp

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// TestPlain: the vector kernels and the loops of this package give the same bytes in every tensor of every frozen model.
func TestPlain(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.tflite"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	shared, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "tflite", "nets", "*_int8.tflite"))
	r := rand.New(rand.NewPCG(6, 6))
	for _, path := range append(files, shared...) {
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []Profile{TFLM, LiteRTRef} {
			fast, err := build(m, p, false, nil)
			if err != nil {
				continue // an operator that this profile does not have
			}
			plain, err := build(m, p, true, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				for i, in := range fast.Inputs() {
					b := in.Bytes()
					if in.Type != tflite.INT8 && in.Type != tflite.UINT8 {
						continue
					}
					for j := range b {
						b[j] = byte(r.IntN(256))
					}
					copy(plain.Inputs()[i].Bytes(), b)
				}
				fast.Invoke()
				plain.Invoke()
				for i, a := range fast.Tensors() {
					if b := plain.Tensors()[i]; !bytes.Equal(a.Bytes(), b.Bytes()) {
						t.Fatalf("%s: tensor %s differs", filepath.Base(path), a.Name)
					}
				}
			}
		}
	}
}

// BenchmarkInvoke runs a model from beside the repository: compare with its time in other runtimes.
func BenchmarkInvoke(b *testing.B) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "models", "mlperf_tiny", "*.tflite"))
	for _, path := range files {
		m, err := tflite.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		it, err := New(m, TFLM)
		if err != nil {
			continue // hybrid
		}
		b.Run(filepath.Base(path), func(b *testing.B) {
			for b.Loop() {
				it.Invoke()
			}
		})
	}
}
