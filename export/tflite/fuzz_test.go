package tflite

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// FuzzRead: bytes from anywhere are refused, or a model that is the same after writing and reading again, and that has a text.
func FuzzRead(f *testing.F) {
	data, err := small().Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	files, err := filepath.Glob(filepath.Join("..", "interp", "testdata", "*.tflite"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil && len(data) < 1000 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Read(data)
		if err != nil {
			return
		}
		if err := Dump(io.Discard, m); err != nil {
			t.Fatal(err)
		}
		written, err := m.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(written)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, again, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); d != "" {
			t.Fatal(d)
		}
	})
}
