package open

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/download"
	"github.com/temper-ml/temper/datasets/npz"
)

// tree writes files under a new folder, and returns its path.
func tree(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zipped(t *testing.T, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, data := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write(data)
	}
	z.Close()
	return b.Bytes()
}

func npzFile(t testing.TB, arrays map[string]*npz.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := npz.WriteTo(&b, arrays); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// idxFile is an IDX file of bytes.
func idxFile(data []byte, shape ...byte) []byte {
	f := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		f = append(f, 0, 0, 0, d)
	}
	return append(f, data...)
}

func picture(t *testing.T, w, h int) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	img.SetGray(0, 0, color.Gray{255})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// describe says what matters of the two parts.
func describe(train, test *datasets.Set) string {
	return fmt.Sprintf("%d+%d %v %q %q %d", train.Len(), test.Len(), train.Shape(), train.Classes, test.Classes, train.TargetLen())
}

func TestOpen(t *testing.T) {
	images := map[string][]byte{}
	for i := range 10 {
		images[fmt.Sprintf("cat/%d.png", i)] = picture(t, 3, 2)
		images[fmt.Sprintf("dog/%d.png", i)] = picture(t, 3, 2)
	}
	// The test part lacks a class and has other sizes.
	parts := map[string][]byte{"train/cat/1.png": picture(t, 3, 2), "train/cow/1.png": picture(t, 3, 2), "train/dog/1.png": picture(t, 3, 2),
		"test/dog/1.png": picture(t, 9, 9)}
	wrapped := map[string][]byte{}
	for p, data := range parts {
		wrapped["pets/"+p] = data
	}
	idxFiles := map[string][]byte{"train-images-idx3-ubyte": idxFile([]byte{1, 2, 3, 4}, 2, 1, 2), "train-labels-idx1-ubyte": idxFile([]byte{0, 2}, 2),
		"t10k-images-idx3-ubyte": idxFile([]byte{1, 2}, 1, 1, 2), "t10k-labels-idx1-ubyte": idxFile([]byte{1}, 1)}
	batch := make([]byte, 3073)
	batches := map[string][]byte{"test_batch.bin": batch}
	for i := range 5 {
		batches[fmt.Sprintf("data_batch_%d.bin", i+1)] = batch
	}
	keras := map[string]*npz.Array{"x_train": {Shape: []int{3, 2, 2}, Data: make([]uint8, 12)}, "y_train": {Shape: []int{3, 1}, Data: []int64{0, 3, 1}},
		"x_test": {Shape: []int{1, 2, 2}, Data: make([]uint8, 4)}, "y_test": {Shape: []int{1, 1}, Data: []int64{1}}}
	one := map[string]*npz.Array{"x": {Shape: []int{5, 7}, Data: make([]float32, 35)}, "y": {Shape: []int{5}, Data: make([]uint8, 5)}}
	targets := map[string]*npz.Array{"x": {Shape: []int{5, 7}, Data: make([]uint8, 35)}, "y": {Shape: []int{5, 2}, Data: make([]float64, 10)}}
	files := tree(t, map[string][]byte{"keras.npz": npzFile(t, keras), "one.npz": npzFile(t, one), "targets.npz": npzFile(t, targets),
		"images.zip": zipped(t, images), "parts.zip": zipped(t, parts), "wrapped.zip": zipped(t, wrapped)})
	const pets = `3+1 [2 3 3] ["cat" "cow" "dog"] ["cat" "cow" "dog"] 1`
	for name, c := range map[string]struct{ spec, want string }{
		"mnist":         {"mnist", `60000+10000 [28 28 1] ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9"] ["0" "1" "2" "3" "4" "5" "6" "7" "8" "9"] 1`},
		"images":        {tree(t, images), `16+4 [2 3 3] ["cat" "dog"] ["cat" "dog"] 1`},
		"zip":           {filepath.Join(files, "images.zip"), `16+4 [2 3 3] ["cat" "dog"] ["cat" "dog"] 1`},
		"parts":         {tree(t, parts), pets},
		"zip parts":     {filepath.Join(files, "parts.zip"), pets},
		"wrapped parts": {filepath.Join(files, "wrapped.zip"), pets},
		"idx":           {tree(t, idxFiles), `2+1 [1 2 1] ["0" "1" "2"] ["0" "1" "2"] 1`},
		"cifar": {tree(t, batches), `5+1 [32 32 3] ["airplane" "automobile" "bird" "cat" "deer" "dog" "frog" "horse" "ship" "truck"] ` +
			`["airplane" "automobile" "bird" "cat" "deer" "dog" "frog" "horse" "ship" "truck"] 1`},
		"keras":   {filepath.Join(files, "keras.npz"), `3+1 [2 2 1] ["0" "1" "2" "3"] ["0" "1" "2" "3"] 1`},
		"x, y":    {filepath.Join(files, "one.npz"), `4+1 [7] ["0"] ["0"] 1`},
		"targets": {filepath.Join(files, "targets.npz"), `4+1 [7] [] [] 2`},
	} {
		train, test, err := Open(c.spec)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := describe(train, test); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	// The class of the only test image is dog's, though the test part has no cat and no cow.
	if _, test, err := Open(filepath.Join(files, "parts.zip")); err != nil || test.Classes[test.Label(0)] != "dog" {
		t.Errorf("label %d, %v", test.Label(0), err)
	}
}

func TestRefused(t *testing.T) {
	x, y := &npz.Array{Shape: []int{3, 2}, Data: make([]float32, 6)}, &npz.Array{Shape: []int{3}, Data: []float32{0, 1, 0.5}}
	good := &npz.Array{Shape: []int{3}, Data: []int8{0, 1, 0}}
	dir := tree(t, map[string][]byte{
		"text.txt":  []byte("hello"),
		"bad.npz":   []byte("hello"),
		"bad.zip":   []byte("hello"),
		"empty.npz": npzFile(t, nil),
		"half.npz":  npzFile(t, map[string]*npz.Array{"x_train": x, "y_train": good}),
		"frac.npz":  npzFile(t, map[string]*npz.Array{"x": x, "y": y}),
		"minus.npz": npzFile(t, map[string]*npz.Array{"x": x, "y": {Shape: []int{3}, Data: []int8{0, -1, 0}}}),
		"huge.npz":  npzFile(t, map[string]*npz.Array{"x": x, "y": {Shape: []int{3}, Data: []int64{0, 1 << 40, 0}}}),
		"less.npz":  npzFile(t, map[string]*npz.Array{"x": x, "y": {Shape: []int{2}, Data: []int8{0, 1}}}),
		"no.npz":    npzFile(t, map[string]*npz.Array{"x": {Shape: []int{0, 3}, Data: []int8{}}, "y": {Shape: []int{0}, Data: []int8{}}}),
		"nan.npz":   npzFile(t, map[string]*npz.Array{"x": {Shape: []int{3, 2}, Data: []float32{0, 0, 0, float32(math.NaN()), 0, 0}}, "y": good}),
		"none.npz":  npzFile(t, map[string]*npz.Array{"x": x, "y": {Shape: []int{3, 0}, Data: []int8{}}}),
		"few.npz":   npzFile(t, map[string]*npz.Array{"x": {Shape: []int{1, 3}, Data: make([]int8, 3)}, "y": {Shape: []int{1}, Data: []int8{0}}}),
		"shape.npz": npzFile(t, map[string]*npz.Array{"x_train": x, "y_train": good, "x_test": {Shape: []int{3, 1}, Data: make([]int8, 3)}, "y_test": good}),
		"mixed.npz": npzFile(t, map[string]*npz.Array{"x_train": x, "y_train": good, "x_test": x, "y_test": {Shape: []int{3, 2}, Data: make([]int8, 6)}}),
	})
	for name, says := range map[string]string{
		"missing": "neither mnist nor a path", "text.txt": "want a folder", "bad.npz": "not an .npz", "bad.zip": "zip", "empty.npz": "missing",
		"half.npz": "x_test and y_test", "frac.npz": "class 0.5 of example 2", "minus.npz": "class -1", "huge.npz": "class 1.0995116e+12",
		"less.npz": "[3 2] and [2]", "no.npz": "[0 3] and [0]", "none.npz": "0 examples", "few.npz": "too few", "shape.npz": "shape [2], test examples [1]",
		"nan.npz": "an input of example 1 is NaN", "mixed.npz": "one part has classes", "": "no .png",
	} {
		spec := filepath.Join(dir, name)
		if name == "" {
			spec = t.TempDir()
		}
		train, test, err := Open(spec)
		if err == nil || train != nil || test != nil || !strings.Contains(err.Error(), says) || name != "few.npz" && !strings.Contains(err.Error(), spec) {
			t.Errorf("%s: error %v does not say %q", name, err, says)
		}
	}
}

// TestBytesAreDividedBy255, with classes and with targets alike.
func TestBytesAreDividedBy255(t *testing.T) {
	x := &npz.Array{Shape: []int{2, 2}, Data: []uint8{0, 255, 51, 255}}
	for _, y := range []*npz.Array{{Shape: []int{2}, Data: []int8{0, 1}}, {Shape: []int{2, 2}, Data: make([]float32, 4)}} {
		s, err := npzSet("s", x, y)
		if err != nil {
			t.Fatal(err)
		}
		v, target := make([]float32, 2), make([]float32, 2)
		s.Example(1, v, target)
		if !slices.Equal(v, []float32{51 * float32(1.0/255), 255 * float32(1.0/255)}) {
			t.Errorf("targets of shape %v: %v", y.Shape, v)
		}
	}
}

func TestAddress(t *testing.T) {
	data := npzFile(t, map[string]*npz.Array{"x": {Shape: []int{5, 2}, Data: make([]int8, 10)}, "y": {Shape: []int{5}, Data: make([]int8, 5)}})
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Write(data)
	}))
	defer server.Close()
	o := download.Options{Dir: t.TempDir()}
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	for range 2 {
		train, test, err := OpenContext(t.Context(), server.URL+"/set.npz#sha256="+sum, o)
		if err != nil || train.Len()+test.Len() != 5 {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("fetched %d times", asked)
	}
	for spec, says := range map[string]string{
		server.URL + "/set.npz":                          "#sha256=",
		server.URL + "/set.npz#md5=00":                   "#sha256=",
		server.URL + "/set.npz#sha256=00":                "64 hexadecimal digits",
		server.URL + "/set.tar#sha256=" + sum:            ".npz or a .zip",
		"ftp://example.org/set.npz#sha256=" + sum:        "https://",
		server.URL + "/set.npz#sha256=" + sum[:63] + "g": "64 hexadecimal digits",
	} {
		if _, _, err := OpenContext(t.Context(), spec, o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v does not say %q", spec, err, says)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Dir = t.TempDir()
	if _, _, err := OpenContext(ctx, server.URL+"/other.npz#sha256="+sum, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func Example() {
	train, test, err := Open("mnist")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(train.Len(), test.Len(), train.Shape())
	// Output: 60000 10000 [28 28 1]
}
