package export_test

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// inTraining are the Kinds that leave no operator in a file, and why.
var inTraining = map[string]string{
	"Dropout":   "does nothing outside training",
	"Cluster":   "at most so many codes in a kernel",
	"Mask":      "zeros among the codes of a kernel",
	"FakeQuant": "becomes the quantization parameters of a tensor; QUANTIZE where a value gets others",
}

// TestKinds walks the registry of Kinds: each has samples, a lowering, an operator in the interpreter, and computes in the file what it computes in
// the graph, within one step of the output's scale.
func TestKinds(t *testing.T) {
	for _, name := range graph.Kinds() {
		d := graph.Lookup(name)
		if len(d.Samples) == 0 {
			t.Errorf("Kind %s has no sample", name)
		}
		if inTraining[name] != "" {
			continue
		}
		if !export.Lowers(name) {
			t.Errorf("Kind %s has no lowering in package export", name)
			continue
		}
		for i, s := range d.Samples {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) {
				if !s.In[0].Batched() {
					t.Skip("a constant expression")
				}
				compareSample(t, d, s)
			})
		}
	}
}

// compareSample quantizes a network of one Kind, exports it, and compares file and eval session.
func compareSample(t *testing.T, d *graph.Def, s graph.Sample) {
	g, inputs := sampleNetwork(t, d, s)
	data := random{g: g, n: 40}
	if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: data}}).Apply(g); err != nil {
		t.Fatal(err)
	}
	m, err := export.TFLite(g, export.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	compareFile(t, g, readBack(t, m), data, inputs)
}

// sampleNetwork is a graph of one Op with the sample's Vars.
func sampleNetwork(t *testing.T, d *graph.Def, s graph.Sample) (*graph.Graph, int) {
	t.Helper()
	b := graph.NewBuilder("sample", 1)
	r := rand.New(rand.NewPCG(3, 3))
	inputs := 0
	var in []*graph.Value
	for i, shape := range s.In {
		name := fmt.Sprintf("in%d", i)
		fill := func(x []float32, _ graph.Shape, _ *rand.Rand) {
			for j := range x {
				x[j] = float32(r.NormFloat64())
			}
			if y := make([]float32, len(x)); s.Fill != nil && s.Fill(i, y) {
				copy(x, y)
			}
		}
		switch {
		case shape.Batched():
			in = append(in, b.Input(name, shape[1:]...))
			inputs++
		case d.Port(i).State:
			in = append(in, b.Var(name, graph.State, shape, fill))
		default:
			in = append(in, b.Var(name, graph.Weight, shape, fill))
		}
	}
	g, err := b.Graph(b.Op("op", s.Kind, in...))
	if err != nil {
		t.Fatal(err)
	}
	return g, inputs
}

// random are examples of standard normal values for all inputs of a graph, one after the other in x.
type random struct {
	g *graph.Graph
	n int
}

func (d random) Len() int { return d.n }

func (d random) Batches(_ uint64, _, size, start int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		for at := start * size; at < d.n; at += size {
			var x []float32
			for i := at; i < min(at+size, d.n); i++ {
				x = append(x, d.example(i)...)
			}
			if !yield(x, nil) {
				return
			}
		}
	}
}

func (d random) example(i int) []float32 {
	r := rand.New(rand.NewPCG(uint64(i), 5))
	var x []float32
	for _, in := range d.g.Inputs {
		for range in.Shape.Volume() {
			x = append(x, float32(r.NormFloat64()))
		}
	}
	return x
}

func readBack(t *testing.T, m *tflite.Model) *tflite.Model {
	t.Helper()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	back, err := tflite.Read(data)
	if err != nil {
		t.Fatal(err)
	}
	return back
}

// compareFile runs file and graph on the same examples: outputs differ by at most one step.
func compareFile(t *testing.T, g *graph.Graph, m *tflite.Model, data random, inputs int) {
	t.Helper()
	it, err := interp.New(m, interp.TFLM)
	if err != nil {
		t.Fatal(err)
	}
	if len(it.Inputs()) != inputs {
		t.Fatalf("the file has %d inputs, the graph %d", len(it.Inputs()), inputs)
	}
	s, err := graph.NewEval(g)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range data.n {
		x := data.example(i)
		var parts [][]float32
		for k, in := range g.Inputs {
			n := in.Shape.Volume()
			parts = append(parts, x[:n])
			x = x[n:]
			if err := it.Inputs()[k].SetFloats(parts[k]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Forward(parts...); err != nil {
			t.Fatal(err)
		}
		it.Invoke()
		for k, out := range it.Outputs() {
			got := make([]float32, out.Volume())
			if err := out.Floats(got); err != nil {
				t.Fatal(err)
			}
			for j, w := range s.Output(k) {
				if d := math.Abs(float64(w-got[j])) / float64(out.Quant.Scale[0]); d > 1.01 {
					t.Fatalf("example %d, value %d: %g in the graph, %g in the file: %.2f steps apart\n%s", i, j, w, got[j], d, g)
				}
			}
		}
	}
}

// TestOperators: every operator code that a lowering wrote is one that the interpreter documents.
func TestOperators(t *testing.T) {
	var known []tflite.Code
	for _, o := range interp.Ops() {
		known = append(known, o.Code)
		if o.Doc == "" {
			t.Errorf("operator %s has no doc", o.Code)
		}
	}
	for _, name := range graph.Kinds() {
		for _, s := range graph.Lookup(name).Samples {
			if inTraining[name] != "" || !s.In[0].Batched() {
				continue
			}
			g, _ := sampleNetwork(t, graph.Lookup(name), s)
			if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: random{g: g, n: 4}}}).Apply(g); err != nil {
				t.Fatal(err)
			}
			m, err := export.TFLite(g, export.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range m.Subgraphs[0].Operators {
				if !slices.Contains(known, o.Code) {
					t.Errorf("Kind %s becomes %s, which the interpreter does not have", name, o.Code)
				}
			}
		}
	}
}
