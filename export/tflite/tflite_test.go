package tflite

import (
	"bytes"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/temper-ml/temper/fakequant/quant"
)

// small is a model with a constant, options, a signature and metadata.
func small() *Model {
	p := quant.PerTensor(0.5, -3)
	return &Model{
		Version: 3, Description: "small",
		Subgraphs: []*Graph{{
			Name: "main",
			Tensors: []*Tensor{
				{Name: "x", Type: INT8, Shape: []int{1, 4}, Quant: &p},
				{Name: "w", Type: INT8, Shape: []int{2, 4}, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Quant: &quant.Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}}},
				{Name: "y", Type: INT8, Shape: []int{1, 2}, Quant: &p},
			},
			Inputs: []int{0}, Outputs: []int{2},
			Operators: []*Operator{{Code: FULLY_CONNECTED, Version: 4, Inputs: []int{0, 1, -1}, Outputs: []int{2}, Options: &FullyConnectedOptions{Activation: RELU_ACT}}},
		}},
		Signatures: []Signature{{Key: "serving_default", Inputs: []Named{{"x", 0}}, Outputs: []Named{{"y", 2}}}},
		Metadata:   []Metadata{{"min_runtime_version", []byte("1.14.0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")}},
	}
}

func TestRoundTrip(t *testing.T) {
	m := small()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(data)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m, again, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}

// TestCorpus reads every model of the corpus, writes it, and reads the same again.
func TestCorpus(t *testing.T) {
	root, err := filepath.EvalSymlinks(filepath.Join("..", "..", "..", "shared"))
	if err != nil {
		t.Skip("the corpus (../shared beside the repository) is not here")
	}
	n := 0
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".tflite") {
			return err
		}
		m, err := ReadFile(path)
		if err != nil {
			t.Error(err)
			return nil
		}
		data, err := m.Marshal()
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		again, err := Read(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return nil
		}
		if twice, err := again.Marshal(); err != nil || !bytes.Equal(twice, data) {
			t.Errorf("%s: written again it differs: %v", path, err)
		}
		n++
		return nil
	})
	if err != nil || n < 100 {
		t.Errorf("%d models read: %v", n, err)
	}
}

// TestDamage: truncated and changed files give errors or models that pass the check, never a panic.
func TestDamage(t *testing.T) {
	data, err := small().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if _, err := Read(data[:n]); err == nil && n < len(data)-16 {
			t.Errorf("a file cut to %d of %d bytes was read", n, len(data))
		}
		for _, x := range []byte{0x80, 0xff, 1} {
			bad := bytes.Clone(data)
			bad[n] ^= x
			if m, err := Read(bad); err == nil {
				if err := m.Check(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
