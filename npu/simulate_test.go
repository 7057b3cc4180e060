package npu

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
)

// vectors are inputs and expected outputs of a model.
type vectors struct {
	n       int
	in, out [][]byte // of all vectors, one after the other
}

// readVectors reads inputs and TFLite Micro's outputs; LiteRT's where those are the same, or if they are asked for.
func readVectors(t testing.TB, path string, litert bool) vectors {
	t.Helper()
	arrays, err := npz.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	v := vectors{n: arrays["in0"].Shape[0]}
	for i := 0; arrays[fmt.Sprintf("in%d", i)] != nil; i++ {
		v.in = append(v.in, rawBytes(t, arrays[fmt.Sprintf("in%d", i)]))
	}
	for i := 0; arrays[fmt.Sprintf("out%d", i)] != nil; i++ {
		a := arrays[fmt.Sprintf("out%d", i)]
		if b := arrays[fmt.Sprintf("tflm_out%d", i)]; b != nil && !litert {
			a = b
		}
		v.out = append(v.out, rawBytes(t, a))
	}
	return v
}

func rawBytes(t testing.TB, a *npz.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, a.Data); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// compare runs all vectors and counts differing bytes.
func (v vectors) compare(it *interp.Interpreter) (differ, total int, err error) {
	for n := range v.n {
		for i, in := range it.Inputs() {
			copy(in.Bytes(), v.in[i][n*len(in.Bytes()):])
		}
		if it.Invoke(); it.Err() != nil {
			return 0, 0, it.Err()
		}
		for i, out := range it.Outputs() {
			got, want := out.Bytes(), v.out[i][n*len(out.Bytes()):]
			total += len(got)
			if bytes.Equal(got, want[:len(got)]) {
				continue
			}
			for j := range got {
				if got[j] != want[j] {
					differ++
				}
			}
		}
	}
	return differ, total, nil
}

// TestCorpus: every compiled file of the corpus gives the recorded bytes.
func TestCorpus(t *testing.T) {
	for _, path := range compiledFiles(t) {
		path := path
		name := filepath.Base(filepath.Dir(filepath.Dir(path))) + "/" + filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := readVectors(t, filepath.Join(filepath.Dir(filepath.Dir(path)), "vectors.npz"), false)
			m, err := tflite.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			it, err := NewSimulator(m)
			if err != nil {
				t.Fatal(err)
			}
			differ, total, err := v.compare(it)
			if err != nil {
				t.Fatal(err)
			}
			if differ > 0 {
				t.Errorf("%d of %d bytes differ", differ, total)
			}
		})
	}
}
