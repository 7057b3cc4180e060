package temper

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/atomicfile"
	"github.com/temper-ml/temper/internal/report"
)

// ReportFile is the run as a page, in the folder of the results.
const ReportFile = "report.html"

// noiseExamples are the test examples on which layers are compared for the page.
const noiseExamples = 50

// page writes report.html.
func (u *runner) page() error {
	p := report.Page{Network: u.r.Model, Data: filepath.Base(u.r.Data), Examples: u.test.Len(), Float: math.NaN()}
	if u.base != nil {
		p.Network = u.base.graph.Name
	}
	seen := map[string]bool{}
	for _, r := range u.results {
		p.Trainings = append(p.Trainings, trainings(r.Stages, seen)...)
		if r.Name == floatName {
			p.Float = r.Accuracy
			continue
		}
		x, err := shown(r, u.test)
		if err != nil {
			return fmt.Errorf("report: %s: %w", r.Name, err)
		}
		p.Results = append(p.Results, x)
	}
	if len(p.Results) == 0 {
		return nil
	}
	for _, o := range u.base.graph.Heads() {
		if o.IsLinear() {
			p.Weights += o.In[1].Shape.Volume()
		}
	}
	return atomicfile.Write(filepath.Join(u.o.Out, ReportFile), func(w io.Writer) error { return report.Write(w, p) })
}

// trainings are the stages that were not seen before.
func trainings(stages []Stage, seen map[string]bool) []report.Training {
	var all []report.Training
	after := ""
	for _, s := range stages {
		t := report.Training{Name: strings.TrimSuffix(filepath.Base(s.Checkpoint), checkpointExt), After: after}
		after = t.Name
		if seen[t.Name] {
			continue
		}
		seen[t.Name] = true
		for _, e := range s.Epochs {
			t.Accuracy, t.Loss = append(t.Accuracy, e.Accuracy), append(t.Loss, e.Loss)
			if v, ok := e.Validation["accuracy"]; ok {
				t.Validation = append(t.Validation, v)
			}
		}
		all = append(all, t)
	}
	return all
}

// shown is a result as the page has it.
func shown(r Result, test *datasets.Set) (report.Result, error) {
	x := report.Result{Name: r.Name, File: filepath.Base(r.File), Chain: r.Chain, Accuracy: r.Accuracy, Bytes: r.Bytes, Gzip: r.Gzip, Entropy: r.EntropyBytes,
		Zeros: r.Zeros, Codes: r.Codes, Seconds: r.Seconds}
	for _, a := range r.Audit {
		x.Audit = append(x.Audit, report.Weights{Tensor: a.Tensor, Count: a.Elements, Zeros: a.Sparsity(), InFour: a.InFour, Codes: a.Codes, Bits: a.Entropy,
			Bytes: a.EntropyBytes(), Promise: a.Promise, Broken: a.Broken})
	}
	var err error
	if x.Layers, err = weightsOf(r.float, r.graph); err != nil {
		return x, err
	}
	m, err := tflite.ReadFile(r.File)
	if err != nil {
		return x, err
	}
	rows, err := CompareLayers(unrounded(r.graph), m, test.Take(0, min(noiseExamples, test.Len())))
	if err != nil {
		x.NoiseMissing = fmt.Sprintf("Not measured: %v.", err)
		return x, nil
	}
	for _, row := range rows {
		x.Noise = append(x.Noise, report.Noise{Layer: row.Name, SQNR: row.SQNR})
	}
	return x, nil
}

// weightsOf are the kernels of both networks, layer by layer.
func weightsOf(before, after *graph.Graph) ([]report.Layer, error) {
	var all []report.Layer
	for _, o := range after.Heads() {
		if !o.IsLinear() || !graph.IsConst(o.In[1]) {
			continue
		}
		l := report.Layer{Name: o.Layer()}
		var err error
		if l.After, err = graph.Const(o.In[1]); err != nil {
			return nil, err
		}
		if b := before.Op(o.Name); b != nil && b.IsLinear() && graph.IsConst(b.In[1]) {
			if l.Before, err = graph.Const(b.In[1]); err != nil {
				return nil, err
			}
		}
		all = append(all, l)
	}
	return all, nil
}

// unrounded is the network without its quantizers: what the file would compute if nothing was rounded.
func unrounded(g *graph.Graph) *graph.Graph {
	c := g.Clone()
	for _, o := range c.Ops {
		if _, ok := o.Kind.(graph.FakeQuant); ok {
			c.Rewire(o.Out, o.In[0], nil)
		}
	}
	c.RemoveDead()
	return c
}
