package npu

import (
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// compiledFiles are the compiled files of the corpus beside the repository, or, with a message, none.
func compiledFiles(t testing.TB) []string {
	t.Helper()
	root := filepath.Join("..", "..", "shared", "corpus", "ethosu")
	files, _ := filepath.Glob(filepath.Join(root, "*", "vela", "*.tflite"))
	if len(files) == 0 {
		t.Skip("the corpus (../shared beside the repository) is not here")
	}
	return files
}

// programs reads a compiled file.
func programs(t testing.TB, path string) (*tflite.Model, map[int]*Program) {
	t.Helper()
	m, err := tflite.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPrograms(m)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return m, p
}
