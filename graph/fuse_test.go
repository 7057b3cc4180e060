package graph

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// chains is a network with every chain that a session fuses, and places where it must not.
func chains(t *testing.T) *Graph {
	b := NewBuilder("chains", 3)
	conv := func(name string, x *Value, k Conv2D, size, out int) *Value {
		return b.Op(name, k, x, b.Var(name+"_kernel", Weight, Shape{size, size, x.Shape.Channels(), out}, gauss))
	}
	bias := func(name string, x *Value) *Value {
		return b.Op(name, BiasAdd{}, x, b.Var(name+"_bias", Bias, Shape{x.Shape.Channels()}, gauss))
	}
	pool := MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}
	x := b.Input("x", 12, 8, 3)
	y := b.Op("pool1", pool, b.Op("relu1", ReLU{}, bias("bias1", conv("conv1", x, Conv2D{Padding: Same}, 3, 33))))
	y = b.Op("relu2", ReLU6{}, bias("bias2", conv("conv2", y, Conv2D{Padding: Same, Stride: [2]int{2, 1}}, 3, 16)))
	z := conv("conv3", y, Conv2D{Padding: Same}, 1, 16) // read twice: not fused with its bias
	y = b.Op("add", Add{}, b.Op("relu3", ReLU{}, bias("bias3", z)), z)
	y = b.Op("depthwise", DepthwiseConv2D{Padding: Same}, y, b.Var("dw", Weight, Shape{3, 3, 32}, gauss))
	y = bias("bias4", y)
	y = batchNorm(b, "bn1", y, BatchNorm{})
	y = b.Op("relu4", ReLU6{}, y)
	y = batchNorm(b, "bn2", conv("conv5", y, Conv2D{Padding: Valid}, 1, 7), BatchNorm{Frozen: true})
	y = b.Op("pool2", MaxPool2D{Size: [2]int{3, 2}, Stride: [2]int{1, 2}, Padding: Same}, bias("bias6", conv("conv6", y, Conv2D{Padding: Same}, 3, 5)))
	y = b.Op("mean", GlobalAvgPool{}, y)
	return finish(t, b, y)
}

// TestFusion: chains compute what their Ops compute one by one, forward, backward and in the statistics that they move.
func TestFusion(t *testing.T) {
	const n = 5
	x, target := normal(n*12*8*3, 4), normal(n*5, 5)
	one, all := chains(t), chains(t)
	single, err := NewTrain(one, squares{}, Unfused)
	if err != nil {
		t.Fatal(err)
	}
	defer single.Close()
	fused := trainer(t, all, squares{})
	for range 3 {
		a, b := step(t, single, 0.01, target, x), step(t, fused, 0.01, target, x)
		if math.Abs(a-b) > 1e-5*math.Abs(a) {
			t.Fatalf("loss %g one by one, %g fused", a, b)
		}
		for i, v := range single.Params() {
			if v.Name == "bias4_bias" {
				continue // BatchNorm takes a bias before it away: the gradient is rounding errors around zero
			}
			close32(t, "gradient of "+v.Name, fused.Grads()[i], single.Grads()[i])
		}
	}
	for i, v := range one.Vars {
		close32(t, v.Name, all.Vars[i].Data, v.Data)
	}
	plain, err := NewEval(one, Unfused)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	close32(t, "inference", infer1(t, evaluator(t, one), x), infer1(t, plain, x))
}

// close32 allows the difference of sums in another order.
func close32(t *testing.T, what string, got, want []float32) {
	t.Helper()
	norm, diff := 0.0, 0.0
	for i, w := range want {
		norm += float64(w) * float64(w)
		d := float64(got[i] - w)
		diff += d * d
	}
	if !(math.Sqrt(diff) <= 1e-5*math.Sqrt(norm)+1e-7) {
		t.Errorf("%s: relative difference %.1e", what, math.Sqrt(diff/norm))
	}
}

// TestPlan: what is run as one, what an output keeps apart, and what Unfused does.
func TestPlan(t *testing.T) {
	g := chains(t)
	s := evaluator(t, g)
	want := []string{
		"Conv2D conv1 + BiasAdd bias1 + ReLU relu1 + MaxPool2D pool1",
		"Conv2D conv2 + BiasAdd bias2 + ReLU6 relu2",
		"Conv2D conv3",
		"BiasAdd bias3",
	}
	if d := cmp.Diff(want, strings.Split(s.Plan(), "\n")[:4]); d != "" {
		t.Error(d)
	}
	g.Outputs = append(g.Outputs, g.Value("relu1"))
	if s, err := NewEval(g); err != nil || !strings.Contains(s.Plan(), "ReLU relu1\nMaxPool2D pool1\n") {
		t.Errorf("an output inside a chain: %v\n%s", err, s.Plan())
	}
	u, err := NewEval(g, Unfused)
	if err != nil || strings.Contains(u.Plan(), "+") {
		t.Errorf("unfused: %v\n%s", err, u.Plan())
	}
}

// TestPlanOfTraining: what the readers of a value do when they load it stands behind a bar; a reader that cannot, or an output, keeps it with the stage.
func TestPlanOfTraining(t *testing.T) {
	g := chains(t)
	lines := func(text string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains("\n"+text, "\n"+w+"\n") {
				t.Errorf("no line %q in\n%s", w, text)
			}
		}
	}
	lines(trainer(t, g, squares{}).Plan(),
		"Conv2D conv2 + BiasAdd bias2 + ReLU6 relu2",
		"DepthwiseConv2D depthwise + BiasAdd bias4 | BatchNorm bn1/norm + ReLU6 relu4",
		"Conv2D conv5 | BatchNorm bn2/norm")
	s, err := NewTrain(g, squares{}, Readable("relu4"))
	if err != nil {
		t.Fatal(err)
	}
	lines(s.Plan(), "DepthwiseConv2D depthwise + BiasAdd bias4 + BatchNorm bn1/norm + ReLU6 relu4", "Conv2D conv5 | BatchNorm bn2/norm")
}

// TestPooledQuantizer: a pooling behind a FakeQuant takes the place of the largest value before rounding, the first of equals: as if it stood
// before it, with the range observed over all values.
func TestPooledQuantizer(t *testing.T) {
	net := func(poolFirst bool) *Graph {
		b := NewBuilder("pooled", 1)
		y := b.Op("conv", Conv2D{Padding: Same}, b.Input("x", 6, 4, 3), b.Var("kernel", Weight, Shape{3, 3, 3, 9}, gauss))
		y = b.Op("relu", ReLU{}, b.Op("biased", BiasAdd{}, y, b.Var("bias", Bias, Shape{9}, gauss)))
		r := b.Var("range", State, Shape{2}, fill(0.6))
		r.Var.Data[0] = -0.1
		pool, quant := MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}, FakeQuant{Bits: 4}
		if poolFirst {
			y = b.Op("quant", quant, b.Op("pool", pool, y), r)
		} else {
			y = b.Op("pool", pool, b.Op("quant", quant, y, r))
		}
		y = b.Op("flat", Reshape{To: []int{54}}, y)
		return finish(t, b, b.Op("dense", Dense{}, y, b.Var("dense/kernel", Weight, Shape{54, 2}, gauss)))
	}
	x, target := normal(3*72, 1), normal(6, 2)
	first, err := NewTrain(net(true), squares{}, Unfused)
	if err != nil {
		t.Fatal(err)
	}
	fused := trainer(t, net(false), squares{})
	if !strings.Contains(fused.Plan(), "ReLU relu + MaxPool2D pool | FakeQuant quant\n") {
		t.Fatalf("not fused:\n%s", fused.Plan())
	}
	if a, b := step(t, first, 0, target, x), step(t, fused, 0, target, x); a != b {
		t.Errorf("loss %g, %g fused", a, b)
	}
	for i, v := range first.Params() {
		close32(t, "gradient of "+v.Name, fused.Grads()[i], first.Grads()[i])
	}
}
