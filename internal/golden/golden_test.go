package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	path := filepath.Join(t.TempDir(), "testdata", "x.txt")
	wantError(t, compare(path, []byte("a\n"), false), "-update")
	if err := compare(path, []byte("one\ntwo\n"), true); err != nil {
		t.Fatal(err)
	}
	if err := compare(path, []byte("one\ntwo\n"), false); err != nil {
		t.Errorf("what was written differs: %v", err)
	}
	wantError(t, compare(path, []byte("one\nthree\n"), false), "three")
	if err := os.WriteFile(path, []byte{1, 2, 0xff}, 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, compare(path, []byte{1, 3, 0xff, 4}, false), "3 bytes, got 4; the first other byte is at 1")
}

// TestEqual reads a file that stands in version control: the usual way in.
func TestEqual(t *testing.T) {
	Equal(t, "testdata/example.txt", "layer  output\ndense  [10]\n")
	Equal(t, "testdata/example.txt", []byte("layer  output\ndense  [10]\n"))
}

func wantError(t *testing.T, err error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) {
		t.Errorf("error %v, want one with %q", err, part)
	}
}
