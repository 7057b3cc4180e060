package export_test

import (
	"slices"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// What the random networks found, each in its smallest form.

// codes are the operators of a file.
func codes(m *tflite.Model) []tflite.Code {
	var list []tflite.Code
	for _, o := range m.Subgraphs[0].Operators {
		list = append(list, o.Code)
	}
	return list
}

// TestDeadReLU: a layer that is zero on all samples had a scale so small that the fixed-point product of large negative sums overflowed: zeros in the
// graph were the largest code in the file, and the HARD_SWISH behind it had no multiplier.
func TestDeadReLU(t *testing.T) {
	g := net(t, layers.Shape{4}, layers.Dense{Name: "dead", Units: 3, Activation: layers.ReLU}, layers.HardSwish, layers.Dense{Units: 2})
	for i := range g.Var("dead/bias").Data {
		g.Var("dead/bias").Data[i] = -1000
	}
	quantized(t, g, fakequant.Config{})
	before := slices.Clone(g.Var("dead/relu/fake_quant/range").Data)
	m := exported(t, g, export.Options{})
	if !slices.Equal(before, g.Var("dead/relu/fake_quant/range").Data) {
		t.Error("the export changed the graph")
	}
	for _, p := range []interp.Profile{interp.TFLM, interp.LiteRTRef} {
		compareLayers(t, g, m, p, random{g: g, n: 5})
	}
	compareFile(t, g, m, random{g: g, n: 5}, 1)
}

// TestSmallHardSwish: on negative inputs alone the output is much finer than the input, finer than the kernel can write.
func TestSmallHardSwish(t *testing.T) {
	g := net(t, layers.Shape{4}, layers.Dense{Name: "low", Units: 3}, layers.HardSwish)
	for i := range g.Var("low/bias").Data {
		g.Var("low/bias").Data[i] = -200
	}
	quantized(t, g, fakequant.Config{})
	compareFile(t, g, exported(t, g, export.Options{}), random{g: g, n: 5}, 1)
}

// TestTransposeConvInConcat: the range that a concatenation shares goes below zero; a TRANSPOSE_CONV has no fused activation, so that a RELU must follow.
func TestTransposeConvInConcat(t *testing.T) {
	for _, c := range []struct {
		act  layers.Activation
		want tflite.Code
	}{{layers.ReLU, tflite.RELU}, {layers.ReLU6, tflite.RELU6}} {
		g := net(t, layers.Shape{3, 3, 2}, layers.Branches{Layers: []layers.Layer{
			layers.TransposeConv2D{Filters: 3, Kernel: 3, Stride: 2, Activation: c.act, Init: layers.Constant(2)},
			layers.TransposeConv2D{Filters: 3, Kernel: 3, Stride: 2},
		}})
		quantized(t, g, fakequant.Config{})
		m := exported(t, g, export.Options{})
		if got := codes(m); !slices.Equal(got, []tflite.Code{tflite.TRANSPOSE_CONV, c.want, tflite.TRANSPOSE_CONV, tflite.CONCATENATION}) {
			t.Errorf("operators are %v", got)
		}
		for _, p := range []interp.Profile{interp.TFLM, interp.LiteRTRef} {
			compareLayers(t, g, m, p, random{g: g, n: 5})
		}
	}
}

// TestOneValueForTwoOutputs: outputs that are the same value in the file (dropout does nothing there), or an input, get tensors of their own.
func TestOneValueForTwoOutputs(t *testing.T) {
	b := graph.NewBuilder("net", 1)
	x := b.Input("x", 4)
	count := func(name string) *graph.Value { return b.Var(name, graph.State, graph.Shape{1}, nil) }
	y := b.Op("relu", graph.ReLU{}, x)
	again := b.Op("dropout", graph.Dropout{Rate: 0.5}, y, count("count"))
	input := b.Op("dropped_input", graph.Dropout{Rate: 0.5}, x, count("count_1"))
	g, err := b.Graph(y, again, input)
	if err != nil {
		t.Fatal(err)
	}
	quantized(t, g, fakequant.Config{})
	for _, o := range []export.Options{{}, {FloatOutput: true}} {
		m := exported(t, g, o)
		tensors := slices.Concat(m.Subgraphs[0].Inputs, m.Subgraphs[0].Outputs)
		slices.Sort(tensors)
		if len(slices.Compact(tensors)) != 4 {
			t.Errorf("inputs %v and outputs %v", m.Subgraphs[0].Inputs, m.Subgraphs[0].Outputs)
		}
	}
	compareFile(t, g, exported(t, g, export.Options{}), random{g: g, n: 5}, 1)
}
