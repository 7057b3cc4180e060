package interp

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// notFloat are models of testdata whose operator has no float32 form, or another meaning in it.
var notFloat = map[string]string{
	"quantize":   "changes the type",
	"dequantize": "changes the type",
	"l2norm":     "int8 only",
	"argmax":     "the largest of equal codes may differ",
	"neg":        "negates the code, not the value",
}

// TestFloatKernels: the float32 kernel of an operator computes what the int8 kernel does, which the recorded outputs vouch for, within two steps.
func TestFloatKernels(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".tflite")
		operator, _, _ := strings.Cut(name, "_")
		if notFloat[operator] != "" {
			continue
		}
		m, err := tflite.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		integer, err := New(m, LiteRTRef)
		if err != nil {
			t.Fatal(err)
		}
		float, err := New(inFloat(m), TFLM)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r := rand.New(rand.NewPCG(7, 7))
		for i, in := range integer.Inputs() {
			for j := range in.Int8() {
				in.Int8()[j] = int8(r.IntN(256) - 128)
			}
			if err := in.Floats(float.Inputs()[i].Float32()); err != nil {
				t.Fatal(err)
			}
		}
		integer.Invoke()
		float.Invoke()
		for i, out := range integer.Outputs() {
			q := out.Quant
			want := make([]float32, out.Volume())
			if err := out.Floats(want); err != nil {
				t.Fatal(err)
			}
			for j, w := range want {
				f := float.Outputs()[i].Float32()[j]
				lo, hi := q.Scale[0]*float32(-128-q.ZeroPoint[0]), q.Scale[0]*float32(127-q.ZeroPoint[0])
				if d := math.Abs(float64(min(max(f, lo), hi)-w)) / float64(q.Scale[0]); !(d <= 2) {
					t.Errorf("%s, output %d, value %d: %g in float32, %g in int8, %.1f steps apart", name, i, j, f, w, d)
					break
				}
			}
		}
	}
}

// inFloat is an int8 model with float32 tensors.
func inFloat(m *tflite.Model) *tflite.Model {
	g := *m.Subgraphs[0]
	g.Tensors = nil
	for _, t := range m.Subgraphs[0].Tensors {
		f := *t
		if q := t.Quant; q != nil && (t.Type == tflite.INT8 || t.Type == tflite.INT32) {
			f.Type, f.Quant, f.Data = tflite.FLOAT32, nil, nil
			inner := 1
			if q.IsPerAxis() {
				inner = volume(t.Shape[q.Axis+1:])
			}
			for i := 0; t.IsConst() && i < t.Volume(); i++ {
				c := i / inner % len(q.Scale)
				code := int32(0)
				if t.Type == tflite.INT8 {
					code = int32(int8(t.Data[i]))
				} else {
					code = int32(binary.LittleEndian.Uint32(t.Data[4*i:]))
				}
				f.Data = binary.LittleEndian.AppendUint32(f.Data, math.Float32bits(float32(code-q.ZeroPoint[c])*q.Scale[c]))
			}
		}
		g.Tensors = append(g.Tensors, &f)
	}
	return &tflite.Model{Version: 3, Subgraphs: []*tflite.Graph{&g}}
}
