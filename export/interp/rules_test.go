package interp

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

// act is an int8 activation with scale 1 and zero point 0.
func act(name string, shape ...int) *tflite.Tensor {
	q := quant.PerTensor(1, 0)
	return &tflite.Tensor{Name: name, Type: tflite.INT8, Shape: shape, Quant: &q}
}

// ints is a constant of int32.
func ints(name string, x ...int32) *tflite.Tensor {
	t := &tflite.Tensor{Name: name, Type: tflite.INT32, Shape: []int{len(x)}}
	for _, v := range x {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, uint32(v))
	}
	return t
}

// filter is a constant of int8 weights.
func filter(shape ...int) *tflite.Tensor {
	t := act("w", shape...)
	t.Data = slices.Repeat([]byte{1}, t.Volume())
	return t
}

// one is a model of one operator: its inputs are tensors, in their order, then its only output.
func one(c tflite.Code, options any, tensors ...*tflite.Tensor) *tflite.Model {
	n := len(tensors) - 1
	g := &tflite.Graph{Tensors: tensors, Outputs: []int{n}}
	o := &tflite.Operator{Code: c, Options: options, Outputs: []int{n}}
	for i, t := range tensors[:n] {
		if o.Inputs = append(o.Inputs, i); !t.IsConst() {
			g.Inputs = append(g.Inputs, i)
		}
	}
	g.Operators = []*tflite.Operator{o}
	return &tflite.Model{Version: 3, Subgraphs: []*tflite.Graph{g}}
}

// TestRules: what no kernel can do is refused when the model is prepared, with the tensor and the rule.
func TestRules(t *testing.T) {
	conv := func(change func(*tflite.Conv2DOptions)) *tflite.Conv2DOptions {
		o := &tflite.Conv2DOptions{StrideW: 1, StrideH: 1, DilationW: 1, DilationH: 1}
		change(o)
		return o
	}
	same := conv(func(*tflite.Conv2DOptions) {})
	pool := &tflite.Pool2DOptions{StrideW: 1, StrideH: 1, FilterWidth: 2, FilterHeight: 2, Padding: tflite.VALID}
	fine := act("y", 1, 4)
	fine.Quant = &quant.Params{Scale: []float32{1.0 / 256}, ZeroPoint: []int32{0}}
	perAxis := act("x", 1, 2)
	perAxis.Quant = &quant.Params{Scale: []float32{1, 2}, ZeroPoint: []int32{0, 0}, Axis: 1}
	for _, c := range []struct {
		m    *tflite.Model
		want string
	}{
		{&tflite.Model{Version: 3}, "no subgraph"},
		{one(tflite.CONV_2D, nil, act("x", 1, 4, 4, 2), filter(3, 3, 3, 2), act("y", 1, 4, 4, 3)), "operator 0 (CONV_2D): the operator's options are missing"},
		{one(tflite.CONV_2D, conv(func(o *tflite.Conv2DOptions) { o.StrideW = 0 }), act("x", 1, 4, 4, 2), filter(3, 3, 3, 2), act("y", 1, 4, 4, 3)), "stride 1x0"},
		{one(tflite.CONV_2D, conv(func(o *tflite.Conv2DOptions) { o.Activation = tflite.TANH_ACT }), act("x", 1, 4, 4, 2), filter(3, 3, 3, 2), act("y", 1, 4, 4, 3)), "fused activation 4"},
		{one(tflite.CONV_2D, same, act("x", 1, 4, 4, 2), filter(3, 3, 3, 5), act("y", 1, 4, 4, 3)), "kernel w of shape [3 3 3 5] does not fit input [1 4 4 2]"},
		{one(tflite.CONV_2D, same, act("x", 1, 4, 4, 2), filter(3, 3, 3, 2), act("y", 1, 4, 5, 3)), "output y has shape [1 4 5 3], the operator makes [1 4 4 ...]"},
		{one(tflite.CONV_2D, same, act("x", 1, 4, 4, 2), filter(3, 3, 3, 2), ints("b", 1, 2), act("y", 1, 4, 4, 3)), "bias b is int32 of 2 values, want int32 of 3"},
		{one(tflite.CONV_2D, same, act("x", 1, 4, 4, 2), filter(3, 3, 3), act("y", 1, 4, 4, 3)), "tensor w has shape [3 3 3], want 4 dimensions"},
		{one(tflite.FULLY_CONNECTED, &tflite.FullyConnectedOptions{}, act("x", 2), filter(1, 2), act("y")), "do not fit input [2] and output []"},
		{one(tflite.MAX_POOL_2D, pool, act("x", 1, 1, 1, 1), act("y", 1, 1, 1, 1)), "output y has shape"},
		{one(tflite.LOGISTIC, nil, perAxis, act("y", 1, 2)), "tensor x: an int8 activation needs one scale"},
		{one(tflite.RELU, nil, act("x", 1, 0), act("y", 1, 0)), "tensor x of shape [1 0] is empty"},
		{one(tflite.CONCATENATION, &tflite.ConcatenationOptions{Axis: 2}, act("x", 1, 2), act("y", 1, 2)), "axis 2 of 2 dimensions"},
		{one(tflite.PACK, &tflite.PackOptions{Axis: 3}, act("x", 2), act("y", 1, 2)), "axis 3"},
		{one(tflite.SPLIT, &tflite.SplitOptions{}, ints("axis", 0, 1), act("x", 2), act("y", 2)), "2 axes, want 1"},
		{one(tflite.SPLIT, &tflite.SplitOptions{}, ints("axis", -3), act("x", 2), act("y", 2)), "axis -2 of 1 dimensions"},
		{one(tflite.PAD, nil, act("x"), ints("p"), act("y")), "tensor p of shape [0] is empty"},
		{one(tflite.PAD, nil, act("x", 2), ints("p", -1, 1), act("y", 2)), "paddings [-1 1] of 1 dimensions"},
		{one(tflite.MIRROR_PAD, &tflite.MirrorPadOptions{}, act("x", 2), ints("p", 2, 0), act("y", 4)), "paddings [2 0] of shape [2]"},
		{one(tflite.MIRROR_PAD, &tflite.MirrorPadOptions{Mode: 2}, act("x", 2), ints("p", 1, 0), act("y", 3)), "mode 2"},
		{one(tflite.TRANSPOSE, nil, act("x", 2, 3), ints("perm", 0, 0), act("y", 2, 2)), "permutation [0 0]"},
		{one(tflite.SLICE, nil, act("x", 3), ints("begin", 2), ints("size", 2), act("y", 2)), "begin [2] and size [2] of shape [3]"},
		{one(tflite.STRIDED_SLICE, &tflite.StridedSliceOptions{}, act("x", 3), ints("b", 0), ints("e", 3), ints("s", 0), act("y", 3)), "stride 0 along dimension 0"},
		{one(tflite.STRIDED_SLICE, &tflite.StridedSliceOptions{ShrinkAxisMask: 1}, act("x", 2, 3), ints("b", 2, 0), ints("e", 3, 3), ints("s", 1, 1), act("y", 3)), "index 2 of dimension 0"},
		{one(tflite.MEAN, &tflite.ReducerOptions{}, act("x", 2, 3), ints("axes", 2), act("y", 2)), "axes [2] of shape [2 3]"},
		{one(tflite.SPACE_TO_DEPTH, &tflite.SpaceToDepthOptions{}, act("x", 1, 2, 2, 1), act("y", 1, 2, 2, 1)), "blocks of 0"},
		{one(tflite.RESIZE_BILINEAR, &tflite.ResizeBilinearOptions{}, act("x", 1, 2, 2, 1), ints("size", 0, 2), act("y", 1, 1, 2, 1)), "size [0 2]"},
		{one(tflite.SOFTMAX, &tflite.SoftmaxOptions{Beta: float32(math.NaN())}, act("x", 1, 4), act("y", 1, 4)), "beta is NaN"},
		{one(tflite.LEAKY_RELU, &tflite.LeakyReluOptions{Alpha: float32(math.Inf(1))}, act("x", 1, 4), act("y", 1, 4)), "alpha is +Inf"},
		{one(tflite.HARD_SWISH, nil, act("x", 1, 4), fine), "outputs no finer than 1/128 of the input"},
		{one(tflite.L2_NORMALIZATION, &tflite.L2NormOptions{}, act("x"), act("y")), "at least one dimension"},
		{one(tflite.BATCH_MATMUL, &tflite.BatchMatMulOptions{}, act("x", 2, 3), act("z", 2, 3), act("y", 2, 3)), "inner dimensions 3 and 2"},
		{one(tflite.ADD, &tflite.AddOptions{}, act("x", 2, 3), act("z", 4), act("y", 2, 4)), "does not broadcast"},
		{one(tflite.QUANTIZE, nil, ints("x", 1), act("y", 1)), "from int32 to int8"},
		{one(tflite.CUSTOM, nil, act("x", 1), act("y", 1)), "the interpreter has no such operator"},
		{one(tflite.RELU, nil, &tflite.Tensor{Name: "x", Type: tflite.STRING, Shape: []int{1}}, act("y", 1)), "input x is a constant, or has elements without a fixed size (string)"},
		{one(tflite.ADD, &tflite.AddOptions{}, act("x", 2), act("y", 2)), "want at least 2 and 1"},
		{one(tflite.RELU, nil, act("x", 1<<29), act("y", 1<<29)), "need more than"},
	} {
		if _, err := New(c.m, TFLM); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
	}
}

// TestOrder: operators read what was written before, and do not write twice.
func TestOrder(t *testing.T) {
	m := one(tflite.RELU, nil, act("x", 2), act("y", 2))
	g := m.Subgraphs[0]
	g.Inputs = nil
	if _, err := New(m, TFLM); err == nil || !strings.Contains(err.Error(), "input x is not written before it is read") {
		t.Errorf("the error is %v", err)
	}
	g.Inputs, g.Operators = []int{0}, nil
	if _, err := New(m, TFLM); err == nil || !strings.Contains(err.Error(), "output y is written by no operator") {
		t.Errorf("the error is %v", err)
	}
	m = one(tflite.RELU, nil, act("x", 2), act("y", 2))
	m.Subgraphs[0].Operators = append(m.Subgraphs[0].Operators, m.Subgraphs[0].Operators[0])
	if _, err := New(m, TFLM); err == nil || !strings.Contains(err.Error(), "written already") {
		t.Errorf("the error is %v", err)
	}
}

// run prepares a model and runs it on codes of the first input.
func run(t *testing.T, m *tflite.Model, x ...int8) []int8 {
	t.Helper()
	it, err := New(m, TFLM)
	if err != nil {
		t.Fatal(err)
	}
	copy(it.Inputs()[0].Int8(), x)
	it.Invoke()
	return it.Outputs()[0].Int8()
}

// TestHugeWindow: a pool of 2^32 positions around one pixel, which ran for minutes.
func TestHugeWindow(t *testing.T) {
	for _, c := range []tflite.Code{tflite.MAX_POOL_2D, tflite.AVERAGE_POOL_2D} {
		o := &tflite.Pool2DOptions{StrideW: 1, StrideH: 1, FilterWidth: 1 << 16, FilterHeight: 1 << 16, Padding: tflite.SAME}
		if y := run(t, one(c, o, act("x", 1, 1, 2, 1), act("y", 1, 1, 2, 1)), 3, 5); y[0] < 4 || y[1] < 4 {
			t.Errorf("%s: %v", c, y)
		}
	}
}

// TestLongResize: the rounded fixed-point step of a long output leads past the end of the input, where the last value stands.
func TestLongResize(t *testing.T) {
	for _, o := range []*tflite.ResizeBilinearOptions{{}, {AlignCorners: true}, {HalfPixelCenters: true}} {
		for _, n := range []int32{1366, 2048} {
			y := run(t, one(tflite.RESIZE_BILINEAR, o, act("x", 1, 1, 3, 1), ints("size", 1, n), act("y", 1, 1, int(n), 1)), 0, 50, 100)
			if y[0] != 0 || y[n-1] != 100 || !slices.IsSorted(y) {
				t.Errorf("%+v, %d values: %d ... %d", *o, n, y[0], y[n-1])
			}
		}
	}
}

// TestComputedWeights: weights that are not in the file but come at each run were read once, before they were there.
func TestComputedWeights(t *testing.T) {
	w := act("w", 1, 2)
	m := one(tflite.FULLY_CONNECTED, &tflite.FullyConnectedOptions{}, act("x", 1, 2), w, act("y", 1, 1))
	it, err := New(m, TFLM)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int8{11, 25} {
		copy(it.Inputs()[0].Int8(), []int8{1, 2})
		copy(it.Inputs()[1].Int8(), [][]int8{{3, 4}, {5, 10}}[i])
		if it.Invoke(); it.Outputs()[0].Int8()[0] != want {
			t.Errorf("run %d: %d, want %d", i, it.Outputs()[0].Int8()[0], want)
		}
	}
}

// TestNaN: a value that is no number has the code of zero.
func TestNaN(t *testing.T) {
	it, err := New(one(tflite.RELU, nil, act("x", 4), act("y", 4)), TFLM)
	if err != nil {
		t.Fatal(err)
	}
	inf := float32(math.Inf(1))
	if err := it.Inputs()[0].SetFloats([]float32{float32(math.NaN()), inf, -inf, 1e30}); err != nil {
		t.Fatal(err)
	}
	if x := it.Inputs()[0].Int8(); !slices.Equal(x, []int8{0, 127, -128, 127}) {
		t.Errorf("codes %v", x)
	}
}
