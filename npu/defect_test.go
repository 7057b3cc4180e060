package npu

import (
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// TestDefect: a file in which Vela 5.2.0 put a table behind the end of SHRAM. The simulator does not run it, lint and hazard checker say why. It was found with random
// nets (gen_random_net.py 5017 --wide, compiled for ethos-u55-64).
func TestDefect(t *testing.T) {
	m, all := programs(t, "testdata/defect/tables_beyond_shram__u55-64.tflite")
	found := map[string]bool{}
	for _, p := range all {
		for _, f := range p.Check() {
			found[f.Rule] = true
		}
	}
	if !found["shram"] || !found["bounds"] {
		t.Errorf("found are %v", found)
	}
	it, err := NewSimulator(m)
	if err != nil {
		t.Fatal(err)
	}
	if it.Invoke(); it.Err() == nil || !strings.Contains(it.Err().Error(), "outside the SHRAM of 16384 bytes") {
		t.Errorf("the error is %v", it.Err())
	}
}

// TestReadProgramsRefuses: errors name operator and rule.
func TestReadProgramsRefuses(t *testing.T) {
	_, all := programs(t, "testdata/t_add__u55-64.tflite")
	if len(all) != 1 {
		t.Fatal(len(all))
	}
	for what, c := range map[string]struct {
		change func(m *tflite.Model)
		want   string
	}{
		"no places":       {func(m *tflite.Model) { m.Metadata = nil }, "operator 0 (ethos-u): tensor serving_default_input_1:0 has no place in the arena"},
		"other places":    {func(m *tflite.Model) { m.Metadata[len(m.Metadata)-1].Data = []byte{1, 2, 3, 4} }, "OfflineMemoryAllocation of 4 bytes"},
		"no stream":       {func(m *tflite.Model) { m.Subgraphs[0].Tensors[0].Data = nil }, "operator 0 (ethos-u): the command stream ethos_u_command_stream has no contents"},
		"a short stream":  {func(m *tflite.Model) { x := m.Subgraphs[0].Tensors[0]; x.Data = x.Data[:len(x.Data)-4] }, "words, but"},
		"another machine": {func(m *tflite.Model) { m.Subgraphs[0].Tensors[0].Data[8] = 9 }, "is that of no known target"},
		"few inputs":      {func(m *tflite.Model) { o := m.Subgraphs[0].Operators[0]; o.Inputs = o.Inputs[:3] }, "3 inputs, want"},
		"a small arena":   {func(m *tflite.Model) { m.Subgraphs[0].Tensors[2].Shape = []int{16} }, "is outside the arena of 16 bytes"},
		"nothing for it":  {func(m *tflite.Model) { m.Subgraphs[0].Operators[0].Custom = "other" }, "the model has no operator ethos-u"},
	} {
		m, err := tflite.ReadFile("testdata/t_add__u55-64.tflite")
		if err != nil {
			t.Fatal(err)
		}
		c.change(m)
		if _, err := ReadPrograms(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
