package idx

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// file is an IDX file of unsigned bytes.
func file(data []byte, shape ...byte) []byte {
	f := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		f = append(f, 0, 0, 0, d)
	}
	return append(f, data...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

func TestRead(t *testing.T) {
	plain := file([]byte{1, 2, 3, 4, 5, 6}, 3, 2)
	for name, f := range map[string][]byte{"plain": plain, "gzip": zipped(plain)} {
		shape, data, err := Read(bytes.NewReader(f))
		if err != nil || !slices.Equal(shape, []int{3, 2}) || !slices.Equal(data, []byte{1, 2, 3, 4, 5, 6}) {
			t.Errorf("%s: %v, %v, %v", name, shape, data, err)
		}
	}
}

func TestRefused(t *testing.T) {
	good := file(bytes.Repeat([]byte{7}, 600), 100, 6)
	damaged := zipped(good)
	damaged[len(damaged)-8] ^= 1 // the checksum, which stands after the data
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":         {nil, "header"},
		"not idx":       {[]byte("\x89PNG and more"), "want 00 00 08"},
		"int32":         {[]byte{0, 0, 12, 1, 0, 0, 0, 0}, "want 00 00 08"},
		"rank 0":        {[]byte{0, 0, 8, 0}, "rank"},
		"rank 9":        {[]byte{0, 0, 8, 9}, "rank"},
		"sizes end":     {good[:10], "size 1"},
		"data ends":     {good[:60], "48 of 600 bytes: unexpected EOF"},
		"goes on":       {append(slices.Clone(good), 0), "goes on"},
		"no examples":   {file(nil, 0, 6), "at least 1"},
		"large":         {[]byte{0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff}, "at most"},
		"large product": {[]byte{0, 0, 8, 3, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0}, "at most"},
		"gzip ends":     {zipped(good)[:20], "EOF"},
		"gzip damaged":  {damaged, "checksum"},
		"gzip header":   {[]byte{0x1f, 0x8b, 9, 9}, "idx"},
	} {
		if _, _, err := Read(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v does not say %q", name, err, c.says)
		}
	}
}

func TestSet(t *testing.T) {
	images, labels := file([]byte{0, 255, 51, 102}, 2, 1, 2), file([]byte{2, 0}, 2)
	s, err := Set("s", bytes.NewReader(images), bytes.NewReader(labels), nil)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 2), make([]float32, 1)
	s.Example(0, x, y)
	if !slices.Equal(s.Shape(), []int{1, 2, 1}) || !slices.Equal(s.Classes, []string{"0", "1", "2"}) || x[1] != 1 || y[0] != 2 {
		t.Errorf("shape %v, classes %q, example %v, %v", s.Shape(), s.Classes, x, y)
	}
	// Names that are given are not added to.
	if _, err := Set("s", bytes.NewReader(images), bytes.NewReader(labels), []string{"a", "b"}); err == nil || !strings.Contains(err.Error(), "class 2") {
		t.Errorf("class 2 of 2: %v", err)
	}
	for name, c := range map[string][2][]byte{
		"more labels":     {images, file([]byte{0, 0, 0}, 3)},
		"labels of rank2": {images, file([]byte{0, 0}, 2, 1)},
		"flat images":     {file([]byte{1, 2}, 2, 1), labels},
	} {
		if _, err := Set("s", bytes.NewReader(c[0]), bytes.NewReader(c[1]), nil); err == nil || !strings.Contains(err.Error(), "want [n,h,w]") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOpenNamesTheFile: of the two files, the error names the one that is broken.
func TestOpenNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	images, labels := put("images", file([]byte{0, 255, 51, 102}, 2, 1, 2)), put("labels", file([]byte{2, 0}, 2))
	if s, err := Open("s", images, labels); err != nil || s.Len() != 2 {
		t.Fatal(err)
	}
	broken := put("broken", []byte{0, 0, 8, 1, 0, 0, 0, 9})
	if _, err := Open("s", broken, labels); err == nil || !strings.HasPrefix(err.Error(), broken) {
		t.Errorf("images: %v", err)
	}
	if _, err := Open("s", images, broken); err == nil || !strings.HasPrefix(err.Error(), broken) {
		t.Errorf("labels: %v", err)
	}
	if _, err := Open("s", images, filepath.Join(dir, "none")); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("missing: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	good := file([]byte{1, 2, 3, 4, 5, 6}, 3, 2)
	for _, seed := range [][]byte{nil, good, zipped(good), good[:9], {0, 0, 8, 1, 0xff, 0xff, 0xff, 0xff}, {0x1f, 0x8b}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		shape, values, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		n := 1
		for _, d := range shape {
			n *= d
		}
		if n != len(values) {
			t.Errorf("%d values of shape %v", len(values), shape)
		}
	})
}

func ExampleSet() {
	images := bytes.NewReader([]byte{0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255}) // 1 image of 1x2 pixels
	labels := bytes.NewReader([]byte{0, 0, 8, 1, 0, 0, 0, 1, 1})
	s, err := Set("tiny", images, labels, []string{"dark", "bright"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Len(), s.Shape(), s.Classes[s.Label(0)])
	// Output: 1 [1 2 1] bright
}
