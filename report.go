package temper

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

// LayerReport compares one int8 value of a file with the float value of the same name.
type LayerReport struct {
	Name      string  `json:"name"`
	SQNR      float64 `json:"sqnr_db"`   // 10 log10 of signal energy over error energy
	MaxLSB    float64 `json:"max_lsb"`   // largest error in steps of the scale
	Saturated float64 `json:"saturated"` // part of the codes at -128 or 127 that lie outside the float value's range there
}

// CompareLayers runs a float (or fake-quantized) graph and a file on examples and compares every activation that both have under one name.
func CompareLayers(g *graph.Graph, m *tflite.Model, data *datasets.Set) ([]LayerReport, error) {
	if err := fits(m, data); err != nil {
		return nil, err
	}
	it, err := interp.New(m, interp.TFLM)
	if err != nil {
		return nil, err
	}
	s, err := graph.NewEval(g)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var pairs []*layerPair
	for _, t := range it.Tensors() {
		if v := g.Value(t.Name); v != nil && !t.Const && t.Type == tflite.INT8 && v.Var == nil {
			pairs = append(pairs, &layerPair{t: t, value: quantizedName(g, v), real: make([]float32, t.Volume())})
		}
	}
	for x := range data.Batches(0, 0, 1, 0) {
		if err := s.Forward(x); err != nil {
			return nil, err
		}
		if err := it.Inputs()[0].SetFloats(x); err != nil {
			return nil, err
		}
		it.Invoke()
		for _, p := range pairs {
			if err := p.add(s.Value(p.value)); err != nil {
				return nil, err
			}
		}
	}
	var reports []LayerReport
	for _, p := range pairs {
		reports = append(reports, p.report())
	}
	return reports, nil
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

type layerPair struct {
	t             *interp.Tensor
	value         string
	real          []float32
	signal, noise float64
	maxLSB        float64
	saturated, n  int
}

func (p *layerPair) add(want []float32) error {
	if err := p.t.Floats(p.real); err != nil {
		return err
	}
	if len(want) != len(p.real) {
		return fmt.Errorf("%s: %d values in the graph, %d in the file", p.t.Name, len(want), len(p.real))
	}
	scale := float64(p.t.Quant.Scale[0])
	codes := p.t.Int8()
	for i, w := range want {
		d := float64(w - p.real[i])
		p.signal += float64(w) * float64(w)
		p.noise += d * d
		p.maxLSB = max(p.maxLSB, math.Abs(d)/scale)
		if (codes[i] == -128 || codes[i] == 127) && math.Abs(d) > scale {
			p.saturated++
		}
	}
	p.n += len(want)
	return nil
}

func (p *layerPair) report() LayerReport {
	sqnr := 200.0 // no error
	if p.noise > 0 {
		sqnr = min(10*math.Log10(p.signal/p.noise), sqnr)
	}
	return LayerReport{p.t.Name, sqnr, p.maxLSB, float64(p.saturated) / float64(max(p.n, 1))}
}
