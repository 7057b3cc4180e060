package export_test

import (
	"fmt"
	"math"
	"regexp"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// TestRandomNetworks: what a network of any Kinds in any places computes in the eval graph, its file computes, layer by layer within one step.
func TestRandomNetworks(t *testing.T) {
	const nets = 150
	for seed := range uint64(nets) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g, err := randomNet(seed)
			if err != nil {
				t.Fatal(err)
			}
			data := random{g: g, n: 8}
			config := fakequant.Config{Calibration: data, PerChannelDense: seed%3 == 0, FoldBatchNorm: seed%4 == 0}
			quantize := fakequant.PTQ{Config: config}.Apply
			if seed%5 == 0 {
				quantize = fakequant.QAT{Config: config, Learned: seed%2 == 0}.Apply
			}
			if err := quantize(g); err != nil {
				t.Fatalf("%v\n%s", err, g)
			}
			m, err := export.TFLite(g, export.Options{})
			if err != nil {
				t.Fatalf("%v\n%s", err, g)
			}
			m = readBack(t, m)
			for _, p := range []interp.Profile{interp.TFLM, interp.LiteRTRef} {
				compareLayers(t, g, m, p, data)
			}
		})
	}
}

// layer is an int8 value of a file and the value of its name in the graph.
type layer struct {
	t     *interp.Tensor
	value string
	file  []float32
	empty bool // all samples of the calibration were 0
}

// compareLayers runs file and eval graph on examples, each layer of the graph fed with the file's values, so that errors do not add up.
func compareLayers(t *testing.T, g *graph.Graph, m *tflite.Model, p interp.Profile, data random) {
	t.Helper()
	it, err := interp.New(m, p)
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	layers := layersOf(t, g, it)
	s, err := graph.NewEval(cutApart(g, layers))
	if err != nil {
		t.Fatalf("%v\n%s", err, g)
	}
	defer s.Close()
	for i := range data.n {
		var feeds [][]float32
		x := data.example(i + 1000) // other examples than those of the calibration: some saturate
		for k, in := range g.Inputs {
			n := in.Shape.Volume()
			if err := it.Inputs()[k].SetFloats(x[:n]); err != nil {
				t.Fatal(err)
			}
			feeds, x = append(feeds, x[:n]), x[n:]
		}
		it.Invoke()
		for _, l := range layers {
			if err := l.t.Floats(l.file); err != nil {
				t.Fatal(err)
			}
			feeds = append(feeds, l.file)
		}
		if err := s.Forward(feeds...); err != nil {
			t.Fatal(err)
		}
		for _, l := range layers {
			for j, w := range s.Value(l.value) {
				if l.empty && w != 0 && math.Abs(float64(l.file[j])) < 1e-3 {
					continue // both saturate, at ends that are next to nothing
				}
				if d := math.Abs(float64(w-l.file[j])) / float64(l.t.Quant.Scale[0]); !(d <= 1.01) {
					t.Fatalf("profile %d, example %d, %s, value %d: %g in the graph, %g in the file: %.2f steps apart\n%s", p, i, l.t.Name, j, w, l.file[j], d, g)
				}
			}
		}
	}
}

// copies are tensors of the file that the graph has no value for: the reshapes around a BatchNorm, and an output that is an input or another output.
var copies = regexp.MustCompile("/(image|normalized|before_activation|output_[0-9]+)$")

// layersOf pairs every int8 activation of the file with the graph's value of that name, behind its quantizer where it has one.
func layersOf(t *testing.T, g *graph.Graph, it *interp.Interpreter) []*layer {
	t.Helper()
	var layers []*layer
	for _, x := range it.Tensors() {
		if x.Const || x.Type != tflite.INT8 {
			continue
		}
		v := g.Value(x.Name)
		if v == nil {
			if !copies.MatchString(x.Name) {
				t.Fatalf("tensor %s of the file is no value of\n%s", x.Name, g)
			}
			continue
		}
		l := &layer{t: x, value: v.Name, file: make([]float32, x.Volume())}
		if own := g.Op(v.Name + "/fake_quant"); own != nil {
			r := own.In[1].Var.Data
			l.value, l.empty = own.Name, r[1]-r[0] < 2e-6
		}
		layers = append(layers, l)
	}
	return layers
}

// cutApart is the graph in which every layer reads an input instead of what the layer before it makes.
func cutApart(g *graph.Graph, layers []*layer) *graph.Graph {
	c := g.Clone()
	c.Outputs = nil
	for _, l := range layers {
		v := c.Value(l.value)
		in := &graph.Value{Name: l.value + "/from_file", Shape: v.Shape}
		c.Rewire(v, in, nil)
		c.Inputs, c.Outputs = append(c.Inputs, in), append(c.Outputs, v)
	}
	return c
}
