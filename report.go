package temper

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

// LayerReport compares one int8 value of a file with the value of the same name in a graph.
type LayerReport struct {
	Name      string  `json:"name"`
	SQNR      float64 `json:"sqnr_db"`   // from the network's input on: 10 log10 of signal energy over error energy
	MaxLSB    float64 `json:"max_lsb"`   // from the network's input on: the largest error in steps of the scale
	LayerLSB  float64 `json:"layer_lsb"` // of this layer alone, both sides fed with the file's values: the largest error in steps of the scale
	Saturated float64 `json:"saturated"` // part of the codes at -128 or 127 whose value in the graph lies more than a step away
}

// CompareLayers runs a graph (float or fake-quantized) and a file on examples and compares every activation that both have under one name: once
// from the network's input on, where errors add up, and once layer by layer.
func CompareLayers(g *graph.Graph, m *tflite.Model, data *datasets.Set) ([]LayerReport, error) {
	it, err := interp.New(m, interp.TFLM)
	if err != nil {
		return nil, err
	}
	if err := it.Takes(data); err != nil {
		return nil, err
	}
	pairs := pairUp(g, it)
	whole, err := graph.NewEval(g, graph.Unfused)
	if err != nil {
		return nil, err
	}
	defer whole.Close()
	cut, err := cutApart(g, pairs)
	if err != nil {
		return nil, err
	}
	single, err := graph.NewEval(cut)
	if err != nil {
		return nil, err
	}
	defer single.Close()
	for x := range data.Batches(0, 0, 1, 0) {
		if err := compareOne(x, it, whole, single, pairs); err != nil {
			return nil, err
		}
	}
	var reports []LayerReport
	for _, p := range pairs {
		reports = append(reports, p.report())
	}
	return reports, nil
}

// compareOne runs both sides on one example and adds to the sums.
func compareOne(x []float32, it *interp.Interpreter, whole, single *graph.Session, pairs []*layerPair) error {
	if err := whole.Forward(x); err != nil {
		return err
	}
	if err := it.Inputs()[0].SetFloats(x); err != nil {
		return err
	}
	it.Invoke()
	feeds := [][]float32{x}
	for _, p := range pairs {
		if err := p.t.Floats(p.file); err != nil {
			return err
		}
		feeds = append(feeds, p.file)
	}
	if err := single.Forward(feeds...); err != nil {
		return err
	}
	for _, p := range pairs {
		if err := p.add(whole.Value(p.value), single.Value(p.value)); err != nil {
			return err
		}
	}
	return nil
}

// layerPair is an int8 tensor of the file and the value of its name in the graph.
type layerPair struct {
	t             *interp.Tensor
	value         string // in the graph: the fake-quantized form where there is one
	file          []float32
	signal, noise float64
	whole, single float64
	saturated, n  int
}

// pairUp finds the activations that file and graph have under one name.
func pairUp(g *graph.Graph, it *interp.Interpreter) []*layerPair {
	var pairs []*layerPair
	for _, t := range it.Tensors() {
		if v := g.Value(t.Name); v != nil && !t.Const && t.Type == tflite.INT8 && v.Var == nil {
			pairs = append(pairs, &layerPair{t: t, value: quantizedName(g, v), file: make([]float32, t.Volume())})
		}
	}
	return pairs
}

// quantizedName is the fake-quantized form of a value where the graph has one.
func quantizedName(g *graph.Graph, v *graph.Value) string {
	for _, r := range g.Readers(v) {
		if _, ok := r.Kind.(graph.FakeQuant); ok {
			return r.Name
		}
	}
	return v.Name
}

// cutApart is a copy of g in which the readers of each pair's value read an input instead, in the order of the pairs behind the network's own.
func cutApart(g *graph.Graph, pairs []*layerPair) (*graph.Graph, error) {
	c := g.Clone()
	c.Outputs = nil
	for _, p := range pairs {
		v := c.Value(p.value)
		if v == nil {
			return nil, fmt.Errorf("%s is not in the graph", p.value)
		}
		in := &graph.Value{Name: p.value + "/from_file", Shape: v.Shape}
		c.Rewire(v, in, nil)
		c.Inputs = append(c.Inputs, in)
		c.Outputs = append(c.Outputs, v)
	}
	return c, nil
}

func (p *layerPair) add(whole, single []float32) error {
	if len(whole) != len(p.file) || len(single) != len(p.file) {
		return fmt.Errorf("%s: %d values in the graph, %d in the file", p.t.Name, len(whole), len(p.file))
	}
	scale := float64(p.t.Quant.Scale[0])
	codes := p.t.Int8()
	for i, got := range p.file {
		w := float64(whole[i])
		d := math.Abs(w - float64(got))
		p.signal += w * w
		p.noise += d * d
		p.whole = max(p.whole, d/scale)
		p.single = max(p.single, math.Abs(float64(single[i]-got))/scale)
		if (codes[i] == -128 || codes[i] == 127) && d > scale {
			p.saturated++
		}
	}
	p.n += len(p.file)
	return nil
}

func (p *layerPair) report() LayerReport {
	sqnr := 200.0 // no error
	if p.noise > 0 {
		sqnr = max(min(10*math.Log10(p.signal/p.noise), sqnr), -sqnr)
	}
	return LayerReport{p.t.Name, sqnr, p.whole, p.single, float64(p.saturated) / float64(max(p.n, 1))}
}
