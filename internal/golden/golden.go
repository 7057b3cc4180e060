package golden

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files of the tested packages")

// Equal fails the test, with the difference, unless the file at path holds got. With the flag -update it writes the file instead. path is relative
// to the package under test, such as testdata/digits.txt.
func Equal[T ~string | ~[]byte](t testing.TB, path string, got T) {
	t.Helper()
	if err := compare(path, []byte(got), *update); err != nil {
		t.Error(err)
	}
}

func compare(path string, got []byte, update bool) error {
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, got, 0o644)
	}
	want, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; go test -update writes it", err)
	}
	if err != nil || bytes.Equal(want, got) {
		return err
	}
	if utf8.Valid(want) && utf8.Valid(got) {
		return fmt.Errorf("%s differs (-file +got):\n%s", path, cmp.Diff(string(want), string(got)))
	}
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	return fmt.Errorf("%s differs: %d bytes, got %d; the first other byte is at %d", path, len(want), len(got), at)
}
