package graph_test

import (
	"path/filepath"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

// TestShapesOfFiles: the Kinds infer the shapes that stand in TFLite files which LiteRT has run (the frozen cases of package interp).
func TestShapesOfFiles(t *testing.T) {
	files, err := filepath.Glob("../export/interp/testdata/*.tflite")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[tflite.Code]int{}
	for _, file := range files {
		m, err := tflite.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		g := m.Subgraphs[0]
		for _, o := range g.Operators {
			shape := func(i int) graph.Shape { return g.Tensors[o.Inputs[i]].Shape }
			kind, in := kindOf(o, shape)
			if kind == nil {
				continue
			}
			seen[o.Code]++
			want := graph.Shape(g.Tensors[o.Outputs[0]].Shape)
			if got, err := kind.Shape(in); err != nil || !got.Equal(want) {
				t.Errorf("%s: %s %+v of %v is %v (%v), the file says %v", filepath.Base(file), graph.KindName(kind), kind, in, got, err, want)
			}
		}
	}
	for _, code := range []tflite.Code{tflite.CONV_2D, tflite.DEPTHWISE_CONV_2D, tflite.TRANSPOSE_CONV, tflite.MAX_POOL_2D, tflite.AVERAGE_POOL_2D} {
		if seen[code] == 0 {
			t.Errorf("no case of %v", code)
		}
	}
}

// kindOf is the Kind that says what a TFLite operator says, with the shapes of its inputs in our layout of kernels; nil for other operators.
func kindOf(o *tflite.Operator, shape func(input int) graph.Shape) (graph.Kind, []graph.Shape) {
	padding := func(p tflite.Padding) graph.Padding {
		if p == tflite.SAME {
			return graph.Same
		}
		return graph.Valid
	}
	switch p := o.Options.(type) {
	case *tflite.Conv2DOptions:
		w := shape(1) // [cout,kh,kw,cin]
		return graph.Conv2D{Stride: [2]int{p.StrideH, p.StrideW}, Dilation: [2]int{p.DilationH, p.DilationW}, Padding: padding(p.Padding)},
			[]graph.Shape{shape(0), {w[1], w[2], w[3], w[0]}}
	case *tflite.DepthwiseConv2DOptions:
		w := shape(1) // [1,kh,kw,c*multiplier]
		return graph.DepthwiseConv2D{Stride: [2]int{p.StrideH, p.StrideW}, Dilation: [2]int{p.DilationH, p.DilationW}, Padding: padding(p.Padding)},
			[]graph.Shape{shape(0), w[1:]}
	case *tflite.TransposeConvOptions:
		w := shape(1) // [cout,kh,kw,cin], after the shape of the output
		return graph.TransposeConv2D{Stride: [2]int{p.StrideH, p.StrideW}, Padding: padding(p.Padding)},
			[]graph.Shape{shape(2), {w[1], w[2], w[3], w[0]}}
	case *tflite.Pool2DOptions:
		k := graph.MaxPool2D{Size: [2]int{p.FilterHeight, p.FilterWidth}, Stride: [2]int{p.StrideH, p.StrideW}, Padding: padding(p.Padding)}
		if o.Code == tflite.AVERAGE_POOL_2D {
			return graph.AvgPool2D(k), []graph.Shape{shape(0)}
		}
		return k, []graph.Shape{shape(0)}
	}
	return nil, nil
}
