package tflite

import (
	"strings"
	"testing"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/temper-ml/temper/export/tflite/internal/fb"
	"github.com/temper-ml/temper/fakequant/quant"
)

// TestSharedTables: n subgraphs that are the same table, of n tensors that are the same table, with one long name: a file of 200 kB stood for
// gigabytes.
func TestSharedTables(t *testing.T) {
	const n = 10000
	b := flatbuffers.NewBuilder(1 << 10)
	repeat := func(at flatbuffers.UOffsetT) flatbuffers.UOffsetT {
		b.StartVector(4, n, 4)
		for range n {
			b.PrependUOffsetT(at)
		}
		return b.EndVector(n)
	}
	name := b.CreateString(strings.Repeat("x", n))
	fb.TensorStart(b)
	fb.TensorAddName(b, name)
	tensors := repeat(fb.TensorEnd(b))
	fb.SubGraphStart(b)
	fb.SubGraphAddTensors(b, tensors)
	graphs := repeat(fb.SubGraphEnd(b))
	fb.ModelStart(b)
	fb.ModelAddVersion(b, 3)
	fb.ModelAddSubgraphs(b, graphs)
	b.FinishWithFileIdentifier(fb.ModelEnd(b), []byte("TFL3"))
	_, err := Read(b.FinishedBytes())
	if err == nil || !strings.Contains(err.Error(), "8 times as long as the file") {
		t.Errorf("error %v", err)
	}
}

// TestCheck: each rule of Check has its error, with the place.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Model)
		want   string
	}{
		{"version", func(m *Model) { m.Version = 2 }, "schema version 2"},
		{"no subgraph", func(m *Model) { m.Subgraphs = nil }, "no subgraph"},
		{"negative size", func(m *Model) { m.Subgraphs[0].Tensors[0].Shape[1] = -4 }, "tensor 0 (x): shape [1 -4]"},
		{"overflow of a product", func(m *Model) { m.Subgraphs[0].Tensors[0].Shape = []int{1 << 31, 1 << 31, 4} }, "together at most"},
		{"short contents", func(m *Model) { m.Subgraphs[0].Tensors[1].Data = []byte{1} }, "tensor 1 (w): 1 bytes for shape [2 4] of int8, want 8"},
		{"scale 0", func(m *Model) {
			m.Subgraphs[0].Tensors[0].Quant = &quant.Params{Scale: []float32{0}, ZeroPoint: []int32{0}}
		}, "scale 0"},
		{"zero point", func(m *Model) { p := quant.PerTensor(1, 128); m.Subgraphs[0].Tensors[0].Quant = &p }, "zero point 128 is no code of int8"},
		{"scales", func(m *Model) { p := quant.PerAxis([]float32{1, 1, 1}, 0); m.Subgraphs[0].Tensors[1].Quant = &p }, "3 scales along dimension 0"},
		{"axis", func(m *Model) { m.Subgraphs[0].Tensors[1].Quant.Axis = 2 }, "2 scales along dimension 2"},
		{"input", func(m *Model) { m.Subgraphs[0].Inputs = []int{7} }, "input or output is tensor 7 of 3"},
		{"operator's input", func(m *Model) { m.Subgraphs[0].Operators[0].Inputs[1] = -2 }, "operator 0 (FULLY_CONNECTED) reads tensor -2"},
		{"operator's output", func(m *Model) { m.Subgraphs[0].Operators[0].Outputs[0] = 3 }, "writes tensor 3 of 3"},
		{"writes a constant", func(m *Model) { m.Subgraphs[0].Operators[0].Outputs[0] = 1 }, "writes tensor 1 (w), which is an input, a constant"},
		{"writes an input", func(m *Model) { m.Subgraphs[0].Operators[0].Outputs[0] = 0 }, "writes tensor 0 (x), which is an input"},
		{"code", func(m *Model) { m.Subgraphs[0].Operators[0].Code = -1 }, "operator 0 has code -1"},
		{"signature", func(m *Model) { m.Signatures[0].Inputs[0].Tensor = 9 }, `signature "serving_default": "x" is tensor 9 of 3`},
	} {
		m := small()
		c.change(m)
		if err := m.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want %q", c.name, err, c.want)
		}
	}
}

// TestDump: names of a file cannot drive the terminal that shows them.
func TestDump(t *testing.T) {
	m := small()
	m.Subgraphs[0].Tensors[0].Name = "\x1b[2J"
	var s strings.Builder
	if err := Dump(&s, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`t0: "\x1b[2J" int8 [1 4], scale 0.5 zero -3`, "FULLY_CONNECTED v4 [0 1 -1] -> [2]", "w int8 [2 4] constant, 8 bytes, 2 scales 1 to 2 along 0", "inputs [x=t0]"} {
		if !strings.Contains(s.String(), want) {
			t.Errorf("%q is missing in\n%s", want, &s)
		}
	}
}
