package export_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/golden"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/layers/models"
)

// net traces layers.
func net(t *testing.T, input layers.Shape, list ...layers.Layer) *graph.Graph {
	t.Helper()
	g, err := layers.Model{Name: "net", Seed: 1, Input: input, Layer: layers.Sequential(list)}.Trace()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// quantized applies PTQ with random samples.
func quantized(t *testing.T, g *graph.Graph, c fakequant.Config) *graph.Graph {
	t.Helper()
	if c.Calibration == nil {
		c.Calibration = random{g: g, n: 8}
	}
	if err := (fakequant.PTQ{Config: c}).Apply(g); err != nil {
		t.Fatal(err)
	}
	return g
}

// exported is the file of a quantized graph, read back.
func exported(t *testing.T, g *graph.Graph, o export.Options) *tflite.Model {
	t.Helper()
	m, err := export.TFLite(g, o)
	if err != nil {
		t.Fatal(err)
	}
	return readBack(t, m)
}

// tensor finds a tensor by name.
func tensor(t *testing.T, m *tflite.Model, name string) *tflite.Tensor {
	t.Helper()
	var names []string
	for _, x := range m.Subgraphs[0].Tensors {
		if x.Name == name {
			return x
		}
		names = append(names, x.Name)
	}
	t.Fatalf("no tensor %s among %v", name, names)
	return nil
}

// kernelNet has every operator with a kernel; the depthwise one is followed by a BatchNorm with factors of both signs.
func kernelNet(t *testing.T) *graph.Graph {
	g := net(t, layers.Shape{6, 6, 2},
		layers.Conv2D{Name: "conv", Filters: 3, KernelSize: [2]int{3, 2}, Activation: layers.ReLU},
		layers.DepthwiseConv2D{Name: "depthwise", Kernel: 3, Multiplier: 2, NoBias: true}, layers.BatchNorm{Name: "norm", Activation: layers.ReLU6},
		layers.TransposeConv2D{Name: "transpose", Filters: 4, KernelSize: [2]int{2, 3}, Stride: 2},
		layers.Flatten{}, layers.Dense{Name: "dense", Units: 5})
	gamma := g.Var("norm/gamma")
	if gamma == nil {
		t.Fatalf("no norm/gamma in\n%s", g)
	}
	for i := range gamma.Data {
		gamma.Data[i] = float32(i) - 2.5
	}
	return g
}

// TestWeights: the file holds the very codes that the fake quantizer gives to the kernels, in TFLite's layouts; a BatchNorm behind a convolution goes
// into the scales, its sign into the codes.
func TestWeights(t *testing.T) {
	for _, bits := range []int{8, 4} {
		g := quantized(t, kernelNet(t), fakequant.Config{WeightBits: bits, PerChannelDense: true})
		m := exported(t, g, export.Options{})
		for _, c := range []struct {
			name  string
			axis  int
			index func(file []int) []int // of the graph's kernel, channels last
		}{
			{"conv", 0, func(f []int) []int { return []int{f[1], f[2], f[3], f[0]} }},
			{"depthwise", 3, func(f []int) []int { return f[1:] }},
			{"transpose", 0, func(f []int) []int { return []int{f[1], f[2], f[3], f[0]} }},
			{"dense", 0, func(f []int) []int { return []int{f[1], f[0]} }},
		} {
			file, kernel := tensor(t, m, c.name+"/kernel"), g.Var(c.name+"/kernel")
			if file.Quant.Axis != c.axis || len(file.Quant.Scale) != kernel.Shape.Channels() {
				t.Errorf("%s: %d scales along dimension %d, want %d along %d", c.name, len(file.Quant.Scale), file.Quant.Axis, kernel.Shape.Channels(), c.axis)
				continue
			}
			q := g.Op(c.name + "/kernel/fake_quant")
			n, err := q.Kind.(graph.FakeQuant).Quantizers(kernel.Data, q.In[1].Var.Data)
			if err != nil {
				t.Fatal(err)
			}
			factor := slices.Repeat([]float32{1}, len(n))
			if c.name == "depthwise" {
				if factor, _, err = graph.Affine(g.Op("norm/batch_norm")); err != nil {
					t.Fatal(err)
				}
			}
			at := make([]int, len(file.Shape))
			for i := range file.Data {
				from := 0
				for d, k := range c.index(at) {
					from = from*kernel.Shape[d] + k
				}
				ch := from % len(n)
				code := n[ch].Code(kernel.Data[from])
				if factor[ch] < 0 {
					code = -code
				}
				if got := int32(int8(file.Data[i])); got != code {
					t.Fatalf("%d bits, %s at %v: code %d, want %d", bits, c.name, at, got, code)
				}
				if want := float64(n[ch].Scale) * math.Abs(float64(factor[ch])); math.Abs(float64(file.Quant.Scale[ch])-want) > 1e-6*want {
					t.Fatalf("%s, channel %d: scale %g, want %g", c.name, ch, file.Quant.Scale[ch], want)
				}
				for d := len(at) - 1; d >= 0; d-- {
					if at[d]++; at[d] < file.Shape[d] {
						break
					}
					at[d] = 0
				}
			}
		}
	}
}

// TestOperatorsOfModels: what the reference networks become, with nothing fused that is not and no QUANTIZE between layers.
func TestOperatorsOfModels(t *testing.T) {
	var text strings.Builder
	for _, name := range []string{"arm-example", "ds-cnn", "resnet-8"} {
		model, err := models.ByName(name, models.Options{Softmax: true})
		if err != nil {
			t.Fatal(err)
		}
		g, err := model.Trace()
		if err != nil {
			t.Fatal(err)
		}
		m := exported(t, quantized(t, g, fakequant.Config{Calibration: random{g: g, n: 1}}), export.Options{})
		fmt.Fprintf(&text, "%s\n", name)
		for _, o := range m.Subgraphs[0].Operators {
			fmt.Fprintf(&text, "  %s%s -> %s\n", o.Code, fused(o), m.Subgraphs[0].Tensors[o.Outputs[0]].Name)
			if o.Code == tflite.QUANTIZE {
				t.Errorf("%s has a QUANTIZE", name)
			}
		}
	}
	golden.Equal(t, "testdata/operators.txt", text.String())
}

// fused is the name of an operator's fused activation.
func fused(o *tflite.Operator) string {
	a := tflite.NONE
	switch x := o.Options.(type) {
	case *tflite.Conv2DOptions:
		a = x.Activation
	case *tflite.DepthwiseConv2DOptions:
		a = x.Activation
	case *tflite.FullyConnectedOptions:
		a = x.Activation
	case *tflite.AddOptions:
		a = x.Activation
	}
	return map[tflite.Activation]string{tflite.NONE: "", tflite.RELU_ACT: " RELU", tflite.RELU6_ACT: " RELU6"}[a]
}

// TestFile: names, signature, description and runtime version of a file.
func TestFile(t *testing.T) {
	g := quantized(t, kernelNet(t), fakequant.Config{})
	m := exported(t, g, export.Options{})
	for _, name := range []string{"input", "conv/kernel", "conv/bias", "conv/relu", "depthwise/kernel", "norm/relu6", "transpose/bias", "flatten/reshape", "dense/kernel", "dense/bias_add"} {
		tensor(t, m, name)
	}
	if m.Description != "Temper: net" || exported(t, g, export.Options{Description: "mine"}).Description != "mine" {
		t.Errorf("the description is %q", m.Description)
	}
	s := m.Signatures[0]
	sub := m.Subgraphs[0]
	if len(m.Signatures) != 1 || s.Key != "serving_default" || s.Inputs[0] != (tflite.Named{Name: "input", Tensor: sub.Inputs[0]}) || s.Outputs[0] != (tflite.Named{Name: "output_0", Tensor: sub.Outputs[0]}) {
		t.Errorf("the signature is %+v", s)
	}
	if md := m.Metadata[0]; md.Name != "min_runtime_version" || string(md.Data) != "2.3.0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" {
		t.Errorf("metadata %s: %q", md.Name, md.Data) // TRANSPOSE_CONV 3 came with 2.3.0
	}
	small := exported(t, quantized(t, net(t, layers.Shape{4}, layers.Dense{Units: 2}), fakequant.Config{}), export.Options{})
	if v := strings.TrimRight(string(small.Metadata[0].Data), "\x00"); v != "1.14.0" {
		t.Errorf("a FULLY_CONNECTED needs %s", v)
	}
	for i, x := range sub.Tensors {
		if slices.Contains(x.Shape, -1) || len(x.Shape) > 0 && !x.IsConst() && x.Shape[0] != 1 {
			t.Errorf("tensor %d (%s) has shape %v: batches are 1", i, x.Name, x.Shape)
		}
	}
	if again, err := export.TFLite(g, export.Options{}); err != nil {
		t.Error(err)
	} else if a, b := marshal(t, m), marshal(t, again); string(a) != string(b) {
		t.Error("two exports of a graph differ")
	}
}

func marshal(t *testing.T, m *tflite.Model) []byte {
	t.Helper()
	data, err := m.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFloatEnds: with float32 input and output the file is the int8 one between a QUANTIZE and a DEQUANTIZE.
func TestFloatEnds(t *testing.T) {
	g := quantized(t, kernelNet(t), fakequant.Config{})
	data := random{g: g, n: 1}
	var out [2][]float32
	for i, o := range []export.Options{{}, {FloatInput: true, FloatOutput: true}} {
		m := exported(t, g, o)
		it, err := interp.New(m, interp.TFLM)
		if err != nil {
			t.Fatal(err)
		}
		if want := []tflite.Type{tflite.INT8, tflite.FLOAT32}[i]; it.Inputs()[0].Type != want || it.Outputs()[0].Type != want {
			t.Errorf("%+v: input %s, output %s", o, it.Inputs()[0].Type, it.Outputs()[0].Type)
		}
		if err := it.Inputs()[0].SetFloats(data.example(3)); err != nil {
			t.Fatal(err)
		}
		it.Invoke()
		out[i] = make([]float32, it.Outputs()[0].Volume())
		if err := it.Outputs()[0].Floats(out[i]); err != nil {
			t.Fatal(err)
		}
		ops := m.Subgraphs[0].Operators
		if i == 1 && (ops[0].Code != tflite.QUANTIZE || ops[len(ops)-1].Code != tflite.DEQUANTIZE) {
			t.Errorf("operators are %s ... %s", ops[0].Code, ops[len(ops)-1].Code)
		}
	}
	if !slices.Equal(out[0], out[1]) {
		t.Errorf("the outputs differ: %v and %v", out[0], out[1])
	}
}

// TestBiasOverflow: a bias beyond half of the int32 range, in steps of input scale times weight scale, gets larger weight scales, for one scale as for
// one a channel; the value of the bias stays.
func TestBiasOverflow(t *testing.T) {
	for _, perChannel := range []bool{false, true} {
		g := net(t, layers.Shape{4}, layers.Dense{Name: "dense", Units: 3, Init: layers.Constant(1e-9)})
		copy(g.Var("dense/bias").Data, []float32{1e3, -2e3, 0})
		m := exported(t, quantized(t, g, fakequant.Config{PerChannelDense: perChannel}), export.Options{})
		bias := tensor(t, m, "dense/bias")
		for i, want := range []float64{1e3, -2e3, 0} {
			code := int32(binary.LittleEndian.Uint32(bias.Data[4*i:]))
			scale := float64(bias.Quant.Scale[min(i, len(bias.Quant.Scale)-1)])
			if math.Abs(float64(code)) > 1<<30 || math.Abs(float64(code)*scale-want) > 1e-5*math.Abs(want) {
				t.Errorf("per channel %v: bias %d is %d steps of %g, want %g", perChannel, i, code, scale, want)
			}
		}
		data := random{g: g, n: 5}
		compareFile(t, g, m, data, 1)
	}
}

// TestRefusals: what cannot be a fully quantized file says why.
func TestRefusals(t *testing.T) {
	two := []layers.Layer{layers.Dense{Name: "one", Units: 3, Activation: layers.ReLU}, layers.Dense{Name: "two", Units: 2}}
	float := net(t, layers.Shape{4}, two...)
	skipped := quantized(t, net(t, layers.Shape{4}, two...), fakequant.Config{Rules: []fakequant.Rule{{Match: "one", Skip: true}}})
	narrow := quantized(t, net(t, layers.Shape{4}, two...), fakequant.Config{})
	o := narrow.Op("one/relu/fake_quant")
	o.Kind = graph.FakeQuant{Bits: 16}
	for _, c := range []struct {
		g    *graph.Graph
		want string
	}{
		{float, "the network is not quantized: run ptq or qat first"},
		{skipped, "one/dense: the kernel is not quantized (a rule skipped this layer?)"},
		{narrow, "one/relu/fake_quant: an int8 file holds activations of 8 bits"},
	} {
		if _, err := export.TFLite(c.g, export.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
	}
}
