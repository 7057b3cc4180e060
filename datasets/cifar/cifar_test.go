package cifar

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// batch makes n records: classes first, first+1, ...; pixel p of the image is p%256 red, its class green, 255 blue.
func batch(n, first int) (data []byte) {
	for i := range n {
		class := byte((first + i) % 10)
		data = append(data, class)
		for p := range plane {
			data = append(data, byte(p))
		}
		data = append(data, bytes.Repeat([]byte{class}, plane)...)
		data = append(data, bytes.Repeat([]byte{255}, plane)...)
	}
	return data
}

func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		put(t, dir, fmt.Sprintf("data_batch_%d.bin", i+1), batch(2, 2*i))
	}
	put(t, dir, "test_batch.bin", batch(3, 7))
	train, test, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 10 || test.Len() != 3 || fmt.Sprint(train.Shape()) != "[32 32 3]" || train.Classes[9] != "truck" {
		t.Fatalf("%d and %d examples of shape %v, classes %q", train.Len(), test.Len(), train.Shape(), train.Classes)
	}
	x, y := make([]float32, 3*plane), make([]float32, 1)
	for i := range 10 {
		train.Example(i, x, y)
		if y[0] != float32(i) {
			t.Errorf("example %d has class %g: the batches are not in order", i, y[0])
		}
		for p := range plane { // planes became pixels
			want := [3]float32{float32(byte(p)) / 255, float32(i) / 255, 1}
			for c := range 3 {
				if d := x[3*p+c] - want[c]; d > 1e-6 || d < -1e-6 {
					t.Fatalf("example %d, pixel %d: %v, want %v", i, p, x[3*p:3*p+3], want)
				}
			}
		}
	}
}

// TestRefused: the error names the one file of the six.
func TestRefused(t *testing.T) {
	bad := batch(2, 0)
	bad[record] = 10
	for says, data := range map[string][]byte{
		"0 bytes":                     {},
		"cut short":                   batch(2, 0)[:5000],
		"record 1 has class 10 of 10": bad,
	} {
		for _, broken := range []string{"data_batch_3.bin", "test_batch.bin"} {
			dir := t.TempDir()
			for _, n := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"} {
				put(t, dir, n, batch(1, 0))
			}
			put(t, dir, broken, data)
			train, _, err := Open(dir)
			if err == nil || train != nil || !strings.Contains(err.Error(), filepath.Join(dir, broken)) || !strings.Contains(err.Error(), says) {
				t.Errorf("error %v does not say %s: %q", err, broken, says)
			}
		}
	}
	dir := t.TempDir()
	put(t, dir, "data_batch_1.bin", batch(1, 0))
	if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "data_batch_2.bin") {
		t.Errorf("a missing batch: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range [][]byte{nil, batch(1, 3), batch(2, 9), batch(1, 0)[:100]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse("fuzz", data)
		if err == nil && s.Len()*record != len(data) {
			t.Errorf("%d examples of %d bytes", s.Len(), len(data))
		}
	})
}

func ExampleParse() {
	data := make([]byte, record)
	data[0] = 6
	s, err := Parse("one", data)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Shape(), Classes[s.Label(0)])
	// Output: [32 32 3] frog
}
