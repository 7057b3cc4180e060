package imagefolder

import (
	"archive/zip"
	"bytes"
	"image"
	"image/color"
	"image/png"
	"testing"
	"testing/fstest"

	"github.com/temper-ml/temper/datasets"
)

// picture is a PNG file of one colour.
func picture(t testing.TB, w, h int, c color.Color) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		img.Set(i%w, i/w, c)
	}
	return encoded(t, img)
}

func encoded(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func folder(files map[string][]byte) fstest.MapFS {
	f := fstest.MapFS{}
	for name, data := range files {
		f[name] = &fstest.MapFile{Data: data}
	}
	return f
}

func zipped(t testing.TB, files map[string][]byte) []byte {
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

// bytesOf are the pixels of example i, as bytes.
func bytesOf(s *datasets.Set, i int) []int {
	n := 1
	for _, d := range s.Shape() {
		n *= d
	}
	x, y := make([]float32, n), make([]float32, 1)
	s.Example(i, x, y)
	b := make([]int, n)
	for k, v := range x {
		b[k] = int(v*255 + 0.5)
	}
	return b
}

func labelsOf(s *datasets.Set) (l []int) {
	for i := range s.Len() {
		l = append(l, s.Label(i))
	}
	return l
}
