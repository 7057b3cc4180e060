package npz

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestNumPysFiles reads what NumPy wrote (testdata/make.py), and writes the same bytes.
func TestNumPysFiles(t *testing.T) {
	arrays, err := Read("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	two := []int{2, 3}
	deep := slices.Repeat([]int{1}, 32)
	want := map[string]*Array{
		"bool": {two, []bool{false, true, true, true, true, true}}, "int8": {two, []int8{0, 40, 80, 120, 33, 73}},
		"uint8": {two, []uint8{0, 40, 80, 120, 33, 73}}, "int16": {two, []int16{0, 40, 80, 120, 33, 73}},
		"uint16": {two, []uint16{0, 40, 80, 120, 33, 73}}, "int32": {two, []int32{0, 40, 80, 120, 33, 73}},
		"uint32": {two, []uint32{0, 40, 80, 120, 33, 73}}, "int64": {two, []int64{0, 40, 80, 120, 33, 73}},
		"uint64": {two, []uint64{0, 40, 80, 120, 33, 73}}, "float32": {two, []float32{0, 40, 80, 120, 33, 73}},
		"float64": {two, []float64{0, 40, 80, 120, 33, 73}}, "scalar": {[]int{}, []float32{1.5}},
		"empty": {[]int{0, 4}, []int8{}}, "vector": {[]int{3}, []int16{-1, 2, -3}}, "deep": {deep, []int32{0}},
	}
	if d := cmp.Diff(want, arrays); d != "" {
		t.Errorf("numpy.npz (-want +got):\n%s", d)
	}
	z, err := zip.OpenReader("testdata/numpy.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var ours bytes.Buffer
		if err := WriteArray(&ours, arrays[strings.TrimSuffix(f.Name, ".npy")]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.Bytes(), theirs) {
			t.Errorf("%s: wrote\n%q, NumPy wrote\n%q", f.Name, ours.Bytes(), theirs)
		}
	}
}

func TestCompressed(t *testing.T) {
	arrays, err := Read("testdata/compressed.npz")
	if err != nil {
		t.Fatal(err)
	}
	if z := arrays["zeros"]; !slices.Equal(z.Shape, []int{100, 100}) || len(z.Float32s()) != 10000 {
		t.Errorf("zeros of shape %v", z.Shape)
	}
	for i, v := range arrays["ramp"].Data.([]int32) {
		if int(v) != i {
			t.Fatalf("ramp[%d] is %d", i, v)
		}
	}
}

func TestFortranOrder(t *testing.T) {
	f, err := os.Open("testdata/fortran.npy")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := ReadArray(f); err == nil || !strings.Contains(err.Error(), "ascontiguousarray") {
		t.Errorf("error %v does not say what to do", err)
	}
}

func TestWriteAndRead(t *testing.T) {
	large := make([]float64, 300_000) // more than is read at once
	for i := range large {
		large[i] = float64(i) / 7
	}
	arrays := map[string]*Array{"in0": {[]int{2, 2}, []int8{-128, -1, 0, 127}}, "large": {[]int{3, 100_000}, large},
		"odd": {[]int{1}, []float32{float32(math.Inf(-1))}}, "none": {[]int{7, 0}, []bool{}}}
	path := filepath.Join(t.TempDir(), "a.npz")
	if err := Write(path, arrays); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(arrays, got); d != "" {
		t.Errorf("(-wrote +read):\n%s", d)
	}
}

// TestLongHeader: sizes of the header above 127 once were written as UTF-8.
func TestLongHeader(t *testing.T) {
	for rank := range maxRank + 1 {
		var b bytes.Buffer
		a := &Array{slices.Repeat([]int{1}, rank), []uint8{9}}
		if err := WriteArray(&b, a); err != nil {
			t.Fatal(err)
		}
		if (b.Len()-1)%64 != 0 {
			t.Errorf("rank %d: the data begin at %d", rank, b.Len()-1)
		}
		got, err := ReadArray(&b)
		if err != nil || cmp.Diff(a, got) != "" {
			t.Errorf("rank %d: %v, %v", rank, got, err)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	for says, a := range map[string]*Array{
		"no array":                  nil,
		"[]string":                  {[]int{1}, []string{"x"}},
		"<nil>":                     {[]int{1}, nil},
		"3 elements for shape [2]":  {[]int{2}, []int8{1, 2, 3}},
		"shape [-1 -3]":             {[]int{-1, -3}, []int8{1, 2, 3}},
		"1 elements for shape [1 1": {slices.Repeat([]int{1}, 65), []int8{1}},
		"shape [4294967296 429":     {[]int{1 << 32, 1 << 32}, []int8{}},
	} {
		err := Write(path, map[string]*Array{"good": {[]int{1}, []int8{1}}, "x": a})
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), `array "x"`) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

// npy is a version 1.0 file of that header text and data.
func npy(text string, data ...byte) []byte {
	return append(append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8)), append([]byte(text), data...)...)
}

func array(descr, shape string, data ...byte) []byte {
	return npy("{'descr': '"+descr+"', 'fortran_order': False, 'shape': ("+shape+"), }\n", data...)
}

func TestReadArrayRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":            {nil, "not a .npy file"},
		"not npy":          {[]byte("PK\x03\x04 and more"), "not a .npy file"},
		"version":          {[]byte("\x93NUMPY\x04\x00\x00\x00"), "version 4.0"},
		"no header":        {[]byte("\x93NUMPY\x01\x00\x40"), "header"},
		"header ends":      {npy("{'descr'")[:12], "header"},
		"large header":     {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "4294967295 bytes"},
		"structured":       {npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }\n"), "not understood"},
		"big-endian":       {array(">f4", "1,", 0, 0, 0, 0), "little-endian"},
		"text":             {array("<U4", "1,"), "element type"},
		"objects":          {array("|O", "1,"), "element type"},
		"no type":          {array("", "1,"), "element type"},
		"data end":         {array("<f4", "3,", 0, 0, 0, 0, 0), "5 of 12 bytes: unexpected EOF"},
		"no data":          {array("<f4", "3,"), "0 of 12 bytes: unexpected EOF"},
		"hostile size":     {array("|i1", "2000000000,", 1), "1 of 2000000000 bytes"},
		"too large":        {array("<f8", "2000000000,", 1), "room for"},
		"larger":           {array("|i1", "65536, 65536"), "too large"},
		"largest":          {array("|i1", "0, 99999999999999999999"), "shape"},
		"zero times large": {array("|i1", "0, 9999999999"), "too large"},
		"two sizes":        {array("|i1", "1 2", 1, 2), "shape"},
		"no size":          {array("|i1", "1,,2", 1, 2), "shape"},
		"rank":             {array("|i1", strings.Repeat("1, ", 65), 1), "65 sizes"},
	} {
		if a, err := ReadArray(bytes.NewReader(c.file)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, error %v does not say %q", name, a, err, c.says)
		}
	}
}

// zipped makes a .npz file of these entries, deflated or stored.
func zipped(t testing.TB, method uint16, entries ...[]byte) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("in%d.npy", i/2), Method: method}) // in0, in0, in1
		if err != nil {
			t.Fatal(err)
		}
		w.Write(e)
	}
	z.Close()
	return b.Bytes()
}

func TestReadRefuses(t *testing.T) {
	good := array("|i1", "3,", 1, 2, 3)
	damaged := zipped(t, zip.Store, good)
	damaged[bytes.Index(damaged, []byte{1, 2, 3})] = 9
	dir := t.TempDir()
	for name, c := range map[string]struct {
		file []byte
		says string
	}{
		"empty":    {nil, "not an .npz file"},
		"npy":      {good, "not an .npz file"},
		"damaged":  {damaged, "checksum"},
		"goes on":  {zipped(t, zip.Deflate, append(slices.Clone(good), 0)), "goes on"},
		"twice":    {zipped(t, zip.Deflate, good, good), `two arrays are called "in0"`},
		"no array": {zipped(t, zip.Deflate, []byte("hello")), `array "in0": not a .npy file`},
		"ends":     {zipped(t, zip.Store, good[:len(good)-1]), "2 of 3 bytes"},
	} {
		path := filepath.Join(dir, name+".npz")
		if err := os.WriteFile(path, c.file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), path) {
			t.Errorf("%s: error %v does not say %q", name, err, c.says)
		}
	}
	if _, err := Read(filepath.Join(dir, "none.npz")); err == nil || !strings.Contains(err.Error(), "none.npz") {
		t.Errorf("missing: %v", err)
	}
}

// TestLimitIsForAllArrays: a small file of many arrays that unpack to much is refused as a whole.
func TestLimitIsForAllArrays(t *testing.T) {
	a := array("|i1", "6,", 1, 2, 3, 4, 5, 6)
	r, n, err := readArray(bytes.NewReader(a), 6)
	if err != nil || n != 6 || len(r.Data.([]int8)) != 6 {
		t.Errorf("%v, %d, %v", r, n, err)
	}
	if _, _, err := readArray(bytes.NewReader(a), 5); err == nil || !strings.Contains(err.Error(), "room for 5") {
		t.Errorf("6 bytes where 5 are left: %v", err)
	}
}

func TestConversions(t *testing.T) {
	for _, data := range []any{[]int8{0, 1}, []uint8{0, 1}, []int16{0, 1}, []uint16{0, 1}, []int32{0, 1}, []uint32{0, 1}, []int64{0, 1}, []uint64{0, 1},
		[]float32{0, 1}, []float64{0, 1}, []bool{false, true}} {
		a := &Array{[]int{2}, data}
		if f := a.Float32s(); !slices.Equal(f, []float32{0, 1}) {
			t.Errorf("%T: %v", data, f)
		}
		if b, err := a.Int8s(); err != nil || !slices.Equal(b, []int8{0, 1}) {
			t.Errorf("%T: %v, %v", data, b, err)
		}
	}
	for _, data := range []any{[]uint8{128}, []int16{-129}, []uint64{1 << 63}, []int64{math.MinInt64}, []float32{0.5}, []float64{math.NaN()},
		[]float64{math.Inf(1)}, []string{"x"}} {
		if b, err := (&Array{[]int{1}, data}).Int8s(); err == nil {
			t.Errorf("%v became %v", data, b)
		}
	}
	if f := (&Array{Data: "x"}).Float32s(); f != nil {
		t.Errorf("text became %v", f)
	}
}

func FuzzReadArray(f *testing.F) {
	for _, s := range [][]byte{nil, array("|i1", "3,", 1, 2, 3), array("<f4", "", 0, 0, 0x80, 0x3f), array("|b1", "2,", 0, 7), array("<f8", "2000000000,", 1),
		npy("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }\n"), []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadArray(bytes.NewReader(data))
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := WriteArray(&b, a); err != nil {
			t.Fatalf("%v was read and cannot be written: %v", a.Shape, err)
		}
		if _, err := ReadArray(&b); err != nil {
			t.Fatalf("%v was written and cannot be read: %v", a.Shape, err)
		}
	})
}

func FuzzReadFrom(f *testing.F) {
	good := array("|i1", "3,", 1, 2, 3)
	f.Add(zipped(f, zip.Deflate, good))
	f.Add(zipped(f, zip.Store, good, good, good))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		arrays, err := ReadFrom(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		if err := WriteTo(io.Discard, arrays); err != nil {
			t.Fatal(err)
		}
	})
}

func Example() {
	var file bytes.Buffer
	err := WriteTo(&file, map[string]*Array{"in0": {Shape: []int{2, 2}, Data: []int8{1, -2, 3, -4}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	arrays, err := ReadFrom(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(arrays["in0"].Shape, arrays["in0"].Float32s())
	// Output: [2 2] [1 -2 3 -4]
}
