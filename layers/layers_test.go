package layers

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/internal/golden"
)

func trace(t testing.TB, input Shape, l Layer) *graph.Graph {
	t.Helper()
	g, err := Model{Name: "net", Seed: 1, Input: input, Layer: l}.Trace()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestGolden has the text and the summary of small nets that together use every layer.
func TestGolden(t *testing.T) {
	for _, c := range []struct {
		file  string
		input Shape
		layer Layer
	}{
		{"digits", Shape{28, 28, 1}, Sequential{
			Conv2D{Filters: 4, Kernel: 3, Activation: ReLU}, MaxPool2D{Size: 2}, Conv2D{Filters: 8, KernelSize: [2]int{5, 3}, Strides: [2]int{2, 1}, Padding: graph.Valid},
			BatchNorm{Activation: ReLU6}, Flatten{}, Dropout{Rate: 0.5}, Dense{Units: 10}, Softmax,
		}},
		{"separable", Shape{12, 10, 3}, Sequential{
			DepthwiseConv2D{Kernel: 3, Multiplier: 2, Stride: 2, Activation: HardSwish}, SeparableConv2D{Filters: 4, Kernel: 3},
			Scope{"head", Sequential{AvgPool2D{Size: 3, Stride: 1, Padding: graph.Same}, GlobalAvgPool{}, PReLU{}, Dense{Units: 2, NoBias: true, Activation: Sigmoid}}},
		}},
		{"branches", Shape{8, 8, 4}, Sequential{
			Residual{Body: Conv2D{Filters: 4, Kernel: 3}, Activation: ReLU},
			Residual{Body: Conv2D{Filters: 6, Kernel: 3, Stride: 2}, Shortcut: Conv2D{Filters: 6, Kernel: 1, Stride: 2, Name: "project"}, Name: "down"},
			Branches{Layers: []Layer{nil, Conv2D{Filters: 2, Kernel: 1}, MaxPool2D{Size: 3, Stride: 1, Padding: graph.Same}}},
			Branches{Layers: []Layer{Sigmoid, Tanh, nil}, Join: Mul, Name: "gate"},
			Branches{Layers: []Layer{LeakyReLU(0.1), nil}, Join: Add},
		}},
		{"decoder", Shape{4, 4, 2}, Sequential{
			TransposeConv2D{Filters: 3, Kernel: 3, Stride: 2, Activation: ReLU}, UpSampling2D{}, UpSampling2D{Size: 2, Bilinear: true},
			Pad{Before: [2]int{1, 0}, After: [2]int{0, 1}}, Conv2D{Filters: 1, Kernel: 3, Dilation: 2, Padding: graph.Valid}, Reshape{To: Shape{29 * 29}},
		}},
	} {
		g := trace(t, c.input, c.layer)
		golden.Equal(t, "testdata/"+c.file+".txt", g.String()+"\n"+Summary(g).String())
	}
}

// TestErrors name the path of the layer, and where shapes do not fit, both shapes. None is a panic.
func TestErrors(t *testing.T) {
	image := Shape{8, 8, 3}
	for _, c := range []struct {
		input Shape
		layer Layer
		want  []string
	}{
		{Shape{10}, Conv2D{Filters: 4, Kernel: 3}, []string{"net: conv2d/conv2d", "[batch,10]", "[3,3,10,4]"}},
		{image, Sequential{Conv2D{Filters: 4, Kernel: 3}, Conv2D{Filters: 4, Kernel: 11, Padding: graph.Valid}}, []string{"conv2d_1/conv2d", "[batch,8,8,4]", "[11,11,4,4]"}},
		{image, Scope{"stem", Residual{Body: Conv2D{Filters: 4, Kernel: 3}}}, []string{"stem/residual/add", "[batch,8,8,4]", "[batch,8,8,3]"}},
		{image, Branches{Layers: []Layer{nil, MaxPool2D{}}}, []string{"branches/concat", "[batch,8,8,3]", "[batch,4,4,3]"}},
		{image, Branches{Layers: []Layer{nil}}, []string{"layer branches", "1 branches"}},
		{image, Branches{Layers: []Layer{nil, nil}, Join: "sum"}, []string{"layer branches", `join "sum"`}},
		{image, Reshape{To: Shape{7, 7}}, []string{"reshape/reshape", "[batch,8,8,3]", "[batch,7,7]"}},
		{image, Conv2D{Kernel: 3}, []string{"conv2d", "kernel", "[3,3,3,0]"}},
		{image, Conv2D{Filters: -1, Kernel: 3}, []string{"[3,3,3,-1]"}},
		{image, Conv2D{Filters: 2, Strides: [2]int{2, 0}}, []string{"conv2d/conv2d", "stride 0"}},
		{image, Conv2D{Filters: 2, Dilation: -1}, []string{"conv2d/conv2d", "dilation -1"}},
		{image, Conv2D{Filters: 2, Padding: "half"}, []string{"conv2d/conv2d", `padding "half"`}},
		{image, DepthwiseConv2D{Kernel: 3, Multiplier: -2}, []string{"depthwise_conv2d", "[3,3,-6]"}},
		{image, MaxPool2D{Size: 9}, []string{"max_pooling2d/max_pool", "[batch,8,8,3]", "9"}},
		{image, AvgPool2D{Size: -1}, []string{"average_pooling2d/avg_pool", "-1"}},
		{Shape{5}, GlobalAvgPool{}, []string{"global_average_pooling2d/mean", "[batch,5]"}},
		{Shape{5}, UpSampling2D{}, []string{"layer up_sampling2d", "[batch,5]"}},
		{image, UpSampling2D{Size: -3}, []string{"up_sampling2d/resize"}},
		{image, Pad{Before: [2]int{-1, 0}}, []string{"zero_padding2d/pad"}},
		{Shape{5}, TransposeConv2D{Filters: 2, Kernel: 2}, []string{"conv2d_transpose", "[batch,5]"}},
		{image, Dropout{Rate: 1}, []string{"dropout/dropout", "rate 1"}},
		{image, Dense{}, []string{"layer dense", "[3,0]"}},
		{image, Dense{Units: 1 << 40}, []string{"layer dense", "elements"}},
		{image, Residual{}, []string{"layer residual", "without a body"}},
		{image, Scope{Name: "empty"}, []string{"layer empty", "without a layer"}}, // was a panic
		{image, Sequential{nil}, []string{"a layer of Sequential is nil"}},
		{image, Sequential{Dense{Units: 2, Name: "two words"}}, []string{"two words"}},
		{image, nowhere{}, []string{"net"}}, // a layer of somebody's that returns no value
		{image, Sequential{nowhere{}, ReLU}, []string{"relu/relu", "missing"}},
		{Shape{0, 3}, ReLU, []string{"net", "[batch,0,3]"}},
		{Shape{}, Dense{Units: 2}, []string{"dense"}},
		{image, nil, []string{"model net has no layer"}},
	} {
		_, err := Model{Name: "net", Input: c.input, Layer: c.layer}.Trace()
		for _, part := range c.want {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%+v on %v: error %v, want %q", c.layer, c.input, err, part)
			}
		}
	}
}

type nowhere struct{}

func (nowhere) Build(*graph.Builder, *graph.Value) *graph.Value { return nil }

// TestActivations computes each as a layer and, where it can be, as the activation of a layer.
func TestActivations(t *testing.T) {
	x := []float32{-4, -1, 0, 0.5, 7}
	e := func(v float64) float32 { return float32(math.Exp(v)) }
	sum := e(-4) + e(-1) + e(0) + e(0.5) + e(7)
	for _, c := range []struct {
		layer Layer
		want  []float32
	}{
		{Linear, x},
		{ReLU, []float32{0, 0, 0, 0.5, 7}},
		{ReLU6, []float32{0, 0, 0, 0.5, 6}},
		{LeakyReLU(0.25), []float32{-1, -0.25, 0, 0.5, 7}},
		{PReLU{Init: Constant(0.5)}, []float32{-2, -0.5, 0, 0.5, 7}},
		{PReLU{}, []float32{-1, -0.25, 0, 0.5, 7}},
		{HardSwish, []float32{0, -1.0 / 3, 0, 0.5 * 3.5 / 6, 7}},
		{Sigmoid, []float32{1 / (1 + e(4)), 1 / (1 + e(1)), 0.5, 1 / (1 + e(-0.5)), 1 / (1 + e(-7))}},
		{Tanh, []float32{float32(math.Tanh(-4)), float32(math.Tanh(-1)), 0, float32(math.Tanh(0.5)), float32(math.Tanh(7))}},
		{Softmax, []float32{e(-4) / sum, e(-1) / sum, e(0) / sum, e(0.5) / sum, e(7) / sum}},
	} {
		nets := []Layer{Sequential{c.layer}}
		if a, ok := c.layer.(Activation); ok {
			nets = append(nets, Dense{Units: 5, Init: Orthogonal, Activation: a}) // the identity, below
		}
		for _, l := range nets {
			g := trace(t, Shape{5}, l)
			if w := g.Var("dense/kernel"); w != nil {
				clear(w.Data)
				for i := range 5 {
					w.Data[6*i] = 1
				}
			}
			if len(g.Ops) == 0 {
				continue // Linear alone is nothing
			}
			s, err := graph.NewEval(g)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Forward(x); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, s.Output(0), cmpopts.EquateApprox(1e-5, 1e-6)); d != "" {
				t.Errorf("%+v: %s", l, d)
			}
			s.Close()
		}
	}
}

// TestResidualAdds: f(x) + x, and with a shortcut f(x) + g(x).
func TestResidualAdds(t *testing.T) {
	double := DepthwiseConv2D{Init: Constant(2), NoBias: true}
	for _, c := range []struct {
		layer Layer
		want  []float32
	}{
		{Residual{Body: double}, []float32{3, -6}},
		{Residual{Body: double, Shortcut: ReLU}, []float32{3, -4}},
		{Residual{Body: double, Activation: ReLU}, []float32{3, 0}},
		{Branches{Layers: []Layer{double, nil, nil}, Join: Add}, []float32{4, -8}},
		{Branches{Layers: []Layer{double, nil}, Join: Mul}, []float32{2, 8}},
		{Branches{Layers: []Layer{double, nil}}, []float32{2, -4, 1, -2}},
	} {
		s, err := graph.NewEval(trace(t, Shape{1, 1, 2}, c.layer))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Forward([]float32{1, -2}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, s.Output(0)); d != "" {
			t.Errorf("%+v: %s", c.layer, d)
		}
		s.Close()
	}
}

// TestSummaryCounts has counts worked out by hand. A Var with two readers, and a kernel behind another Op, count once.
func TestSummaryCounts(t *testing.T) {
	g := trace(t, Shape{8, 8, 3}, Sequential{
		Conv2D{Filters: 4, Kernel: 3, Stride: 2},                // 4*4 outputs of 4, 27 products each
		DepthwiseConv2D{Kernel: 3, Multiplier: 2, NoBias: true}, // 4*4*8 of 9
		TransposeConv2D{Filters: 5, Kernel: 2, Stride: 2},       // 4*4*8 inputs, each 2*2*5
		BatchNorm{}, Flatten{}, Dense{Units: 3}, // 8*8*5 by 3
	})
	s := Summary(g)
	var got []Row
	for _, r := range s.Rows {
		got = append(got, Row{Layer: r.Layer, Parameters: r.Parameters, MACs: r.MACs})
	}
	want := []Row{
		{Layer: "conv2d", Parameters: 27*4 + 4, MACs: 4 * 4 * 4 * 27},
		{Layer: "depthwise_conv2d", Parameters: 9 * 8, MACs: 4 * 4 * 8 * 9},
		{Layer: "conv2d_transpose", Parameters: 4*8*5 + 5, MACs: 4 * 4 * 8 * 20},
		{Layer: "batch_normalization", Parameters: 20},
		{Layer: "flatten"},
		{Layer: "dense", Parameters: 320*3 + 3, MACs: 960},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if all := 112 + 72 + 165 + 20 + 963; s.NonTrainable != 10 || s.Trainable != all-10 || s.MACs != 1728+1152+2560+960 {
		t.Errorf("totals %d, %d, %d MACs", s.Trainable, s.NonTrainable, s.MACs)
	}
}
