package imagefolder

import (
	"archive/zip"
	"bytes"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/temper-ml/temper/datasets"
)

// TestOpen reads the same files from a folder and from a .zip. "cat-2" sorts before "cat/" as a path and after "cat" as a name.
func TestOpen(t *testing.T) {
	files := map[string][]byte{
		"cat-2/a.png":          picture(t, 2, 1, color.NRGBA{10, 20, 30, 255}),
		"cat/b.PNG":            picture(t, 2, 1, color.NRGBA{40, 50, 60, 255}),
		"cat/more/a.png":       picture(t, 2, 1, color.NRGBA{70, 80, 90, 255}),
		"dog/1.png":            picture(t, 2, 1, color.NRGBA{1, 2, 3, 7}), // alpha does not darken
		"README.md":            []byte("about"),
		"cat/list.txt":         []byte("b.PNG"),
		"cat/._b.png":          []byte("of a file manager"),
		".thumbs/b.png":        []byte("of a file manager"),
		"__MACOSX/cat/x.png":   []byte("of a file manager"),
		"empty/nothing/x.webp": []byte("no image that is read"),
	}
	dir := t.TempDir()
	for name, data := range files {
		p := filepath.Join(dir, "set", name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	archive := filepath.Join(dir, "set.zip")
	if err := os.WriteFile(archive, zipped(t, files), 0o644); err != nil {
		t.Fatal(err)
	}
	fromDir, err := Open(filepath.Join(dir, "set"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	fromZip, err := OpenZip(archive, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*datasets.Set{fromDir, fromZip} {
		if !slices.Equal(s.Classes, []string{"cat", "cat-2", "dog"}) || !slices.Equal(labelsOf(s), []int{1, 0, 0, 2}) || !slices.Equal(s.Shape(), []int{1, 2, 3}) {
			t.Errorf("%s: classes %q, labels %v, shape %v", s.Name, s.Classes, labelsOf(s), s.Shape())
		}
		for i, want := range [][]int{{10, 20, 30, 10, 20, 30}, {40, 50, 60, 40, 50, 60}, {70, 80, 90, 70, 80, 90}, {1, 2, 3, 1, 2, 3}} {
			if got := bytesOf(s, i); !slices.Equal(got, want) {
				t.Errorf("%s: image %d is %v, want %v", s.Name, i, got, want)
			}
		}
	}
}

// TestKindsOfImages: what the decoders make of grey, paletted, 16-bit and JPEG files.
func TestKindsOfImages(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 8, 8))
	palette := image.NewPaletted(grey.Rect, color.Palette{color.NRGBA{200, 100, 50, 255}})
	deep := image.NewNRGBA64(grey.Rect)
	smooth := image.NewRGBA(grey.Rect)
	for i := range 64 {
		grey.SetGray(i%8, i/8, color.Gray{77})
		deep.Set(i%8, i/8, color.NRGBA64{200 << 8, 100 << 8, 50 << 8, 0xffff})
		smooth.Set(i%8, i/8, color.NRGBA{200, 100, 50, 255})
	}
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, smooth, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	f := folder(map[string][]byte{"k/1.png": encoded(t, grey), "k/2.png": encoded(t, palette), "k/3.png": encoded(t, deep), "k/4.jpg": jpg.Bytes()})
	colour, err := OpenFS(f, "kinds", Options{})
	if err != nil {
		t.Fatal(err)
	}
	gray, err := OpenFS(f, "kinds", Options{Gray: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(gray.Shape(), []int{8, 8, 1}) {
		t.Errorf("gray shape %v", gray.Shape())
	}
	for i, want := range [][]int{{77, 77, 77, 77}, {200, 100, 50, 124}, {200, 100, 50, 124}, {200, 100, 50, 124}} {
		got := append(slices.Clone(bytesOf(colour, i)[:3]), bytesOf(gray, i)[63])
		for k := range got {
			if d := got[k] - want[k]; d < -2 || d > 2 || i < 3 && d != 0 { // JPEG loses a little
				t.Errorf("image %d is %v, want %v", i+1, got, want)
				break
			}
		}
	}
}

func TestScale(t *testing.T) {
	// Left half black, right half white: scaled to 2x2 the halves stay, to 1x1 it is grey.
	img := image.NewGray(image.Rect(0, 0, 8, 4))
	for i := range 32 {
		if i%8 >= 4 {
			img.SetGray(i%8, i/8, color.Gray{255})
		}
	}
	f := folder(map[string][]byte{"k/1.png": encoded(t, img)})
	s, err := OpenFS(f, "scaled", Options{Height: 1, Width: 1, Gray: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := bytesOf(s, 0); got[0] < 126 || got[0] > 129 {
		t.Errorf("1x1: %v", got)
	}
	if s, err = OpenFS(f, "scaled", Options{Height: 2, Width: 4, Gray: true}); err != nil {
		t.Fatal(err)
	}
	if got := bytesOf(s, 0); len(got) != 8 || got[0] > 5 || got[3] < 250 {
		t.Errorf("2x4: %v", got)
	}
	// Without a size the first image decides.
	f["a/0.png"] = &fstest.MapFile{Data: picture(t, 3, 2, color.White)}
	if s, err = OpenFS(f, "scaled", Options{}); err != nil || !slices.Equal(s.Shape(), []int{2, 3, 3}) {
		t.Errorf("%v", err)
	}
}

// TestClasses: a test folder that lacks a class must not number the others anew.
func TestClasses(t *testing.T) {
	f := folder(map[string][]byte{"c/1.png": picture(t, 1, 1, color.White)})
	s, err := OpenFS(f, "test", Options{Classes: []string{"a", "b", "c"}})
	if err != nil || s.Label(0) != 2 || len(s.Classes) != 3 {
		t.Errorf("label %d of %q, %v", s.Label(0), s.Classes, err)
	}
	if _, err := OpenFS(f, "test", Options{Classes: []string{"a", "b"}}); err == nil || !strings.Contains(err.Error(), "c/1.png") {
		t.Errorf("an unknown class: %v", err)
	}
}

func TestUnwrap(t *testing.T) {
	for want, files := range map[string][]string{
		".":       {"cat/1.png", "dog/1.png"},
		"set":     {"set/cat/1.png", "set/dog/1.png", "__MACOSX/set/1.png", "README.md"},
		"one/two": {"one/two/cat/1.png", "one/two/dog/1.png"},
	} {
		f := fstest.MapFS{}
		for _, p := range files {
			f[p] = &fstest.MapFile{Data: picture(t, 1, 1, color.White)}
		}
		if _, got, err := Unwrap(f); got != want || err != nil {
			t.Errorf("%q: %s, want %s; %v", files, got, want, err)
		}
		if s, err := OpenFS(f, "x", Options{}); err != nil || !slices.Equal(s.Classes, []string{"cat", "dog"}) {
			t.Errorf("%q: %v", files, err)
		}
	}
	one := folder(map[string][]byte{"cat/1.png": picture(t, 1, 1, color.White)})
	if s, err := OpenFS(one, "x", Options{}); err != nil || !slices.Equal(s.Classes, []string{"cat"}) {
		t.Errorf("a single class: %v", err)
	}
}

// claims is a PNG file whose header says another size.
func claims(data []byte, w, h uint32) []byte {
	data = slices.Clone(data)
	for i := range 4 {
		data[16+i], data[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
	}
	sum := crc32.ChecksumIEEE(data[12:29])
	copy(data[29:], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	return data
}

func TestRefused(t *testing.T) {
	good := picture(t, 4, 4, color.White)
	for name, c := range map[string]struct {
		files map[string][]byte
		o     Options
		says  []string
	}{
		"nothing":        {nil, Options{}, []string{"no .png"}},
		"no images":      {map[string][]byte{"cat/1.txt": good}, Options{}, []string{"no .png"}},
		"no class":       {map[string][]byte{"1.png": good}, Options{}, []string{"1.png", "no folder named by class"}},
		"no image":       {map[string][]byte{"cat/1.png": []byte("hello")}, Options{}, []string{"cat/1.png", "unknown format"}},
		"ends":           {map[string][]byte{"cat/1.png": good, "cat/2.png": good[:len(good)-20]}, Options{}, []string{"cat/2.png", "EOF"}},
		"empty file":     {map[string][]byte{"cat/1.jpg": {}}, Options{}, []string{"cat/1.jpg"}},
		"wrapped":        {map[string][]byte{"w/cat/1.png": good, "w/dog/1.png": []byte("x")}, Options{}, []string{"w/dog/1.png"}},
		"hostile size":   {map[string][]byte{"cat/1.png": claims(good, 8000, 8000)}, Options{}, []string{"cat/1.png", "8000x8000 pixels cannot be in"}},
		"large":          {map[string][]byte{"cat/1.png": claims(good, 1<<30, 1<<30)}, Options{}, []string{"cat/1.png"}},
		"larger":         {map[string][]byte{"cat/1.png": claims(good, 60000, 60000)}, Options{}, []string{"60000x60000 pixels, the limit"}},
		"one size":       {map[string][]byte{"cat/1.png": good}, Options{Height: 4}, []string{"both sizes"}},
		"negative":       {map[string][]byte{"cat/1.png": good}, Options{Height: -4, Width: -4}, []string{"both sizes"}},
		"large option":   {map[string][]byte{"cat/1.png": good}, Options{Height: 1 << 40, Width: 1 << 40}, []string{"at most"}},
		"large together": {manyFiles(good, 20), Options{Height: 8192, Width: 8192}, []string{"together"}},
	} {
		_, err := OpenFS(folder(c.files), "data", c.o)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, says := range append(c.says, "data") {
			if !strings.Contains(filepath.ToSlash(err.Error()), says) {
				t.Errorf("%s: error %q does not say %q", name, err, says)
			}
		}
	}
}

func manyFiles(data []byte, n int) map[string][]byte {
	files := map[string][]byte{}
	for i := range n {
		files[fmt.Sprintf("cat/%d.png", i)] = data
	}
	return files
}

func TestRefusedPaths(t *testing.T) {
	file := filepath.Join(t.TempDir(), "set.zip")
	if err := os.WriteFile(file, []byte("PK no zip"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, open := range []func(string, Options) (*datasets.Set, error){Open, OpenZip} {
		for _, p := range []string{file, file + ".none"} {
			if _, err := open(p, Options{}); err == nil || !strings.Contains(err.Error(), p) {
				t.Errorf("error %v does not name %s", err, p)
			}
		}
	}
}

// TestDamagedZip: a bit that flipped in a stored file is found by the zip file's checksum, where the decoder might not see it.
func TestDamagedZip(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "cat/1.png", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	data := append(picture(t, 4, 4, color.White), "a comment"...)
	w.Write(data)
	z.Close()
	damaged := b.Bytes()
	damaged[bytes.Index(damaged, []byte("a comment"))] ^= 1
	f, err := zip.NewReader(bytes.NewReader(damaged), int64(len(damaged)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFS(f, "set.zip", Options{}); err == nil || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("error %v does not say checksum", err)
	}
}

// TestCIFAR reads some of a real set of JPEG files.
func TestCIFAR(t *testing.T) {
	path := filepath.Join("..", "..", "..", "shared", "data", "cifar10", "test.zip")
	all, err := zip.OpenReader(path)
	if err != nil {
		t.Skipf("no CIFAR-10 images at %s", path)
	}
	defer all.Close()
	some := fstest.MapFS{}
	for _, f := range all.File {
		if !strings.HasSuffix(f.Name, "00.jpg") {
			continue
		}
		data, err := all.Open(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(data); err != nil {
			t.Fatal(err)
		}
		some[f.Name] = &fstest.MapFile{Data: b.Bytes()}
	}
	s, err := OpenFS(some, "cifar10", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s.Len() != 100 || len(s.Classes) != 10 || s.Classes[6] != "frog" || !slices.Equal(s.Shape(), []int{32, 32, 3}) {
		t.Fatalf("%d examples of shape %v, classes %q", s.Len(), s.Shape(), s.Classes)
	}
	sum := 0
	for i := range s.Len() {
		for _, v := range bytesOf(s, i) {
			sum += v
		}
	}
	// The mean of CIFAR-10 is about 0.47 of 255.
	if mean := float64(sum) / (100 * 32 * 32 * 3); mean < 105 || mean > 140 {
		t.Errorf("mean %g", mean)
	}
}

func FuzzOpenZip(f *testing.F) {
	good := picture(f, 3, 2, color.NRGBA{1, 2, 3, 4})
	f.Add(zipped(f, map[string][]byte{"cat/1.png": good, "dog/2.png": good}), 0)
	f.Add(zipped(f, map[string][]byte{"w/cat/1.png": good, "w/../x.png": good, "/abs/1.png": good}), 2)
	f.Add(zipped(f, map[string][]byte{"cat/1.png": claims(good, 8000, 8000)}), 1)
	f.Add([]byte("PK\x05\x06"), 5)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		size %= 16
		s, err := OpenFS(z, "fuzz.zip", Options{Height: size, Width: size, Gray: size%2 == 1})
		if err == nil && s.Len() == 0 {
			t.Error("a set without examples")
		}
	})
}

func ExampleOpenFS() {
	var file bytes.Buffer
	if err := png.Encode(&file, image.NewGray(image.Rect(0, 0, 6, 4))); err != nil {
		fmt.Println(err)
		return
	}
	images := fstest.MapFS{"cat/1.png": {Data: file.Bytes()}, "dog/1.png": {Data: file.Bytes()}}
	s, err := OpenFS(images, "pets", Options{Height: 2, Width: 2, Gray: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Len(), s.Shape(), s.Classes)
	// Output: 2 [2 2 1] [cat dog]
}
