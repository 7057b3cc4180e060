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
