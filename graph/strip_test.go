package graph

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// halfMask is an Init of ones and zeros in turn.
func halfMask() Init {
	return contents(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1)
}

// maskedNet is a dense layer behind a mask.
func maskedNet(t *testing.T) *Graph {
	b := NewBuilder("masked", 2)
	w := b.Var("d/kernel", Weight, Shape{4, 3}, gauss)
	m := b.Op("d/kernel/mask", Mask{N: 2, M: 4}, w, b.Var("d/kernel/mask/mask", State, Shape{4, 3}, halfMask()))
	return finish(t, b, b.Op("d/matmul", Dense{}, b.Input("x", 4), m))
}

// TestMask: zeros where the mask says, +0 even for negative weights; the gradient goes to masked weights, too; neither input is written.
func TestMask(t *testing.T) {
	g := maskedNet(t)
	w, mask := slices.Clone(g.Var("d/kernel").Data), slices.Clone(g.Var("d/kernel/mask/mask").Data)
	y, err := Const(g.Op("d/kernel/mask").Out)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range y {
		if want := w[i] * mask[i]; v != want || v == 0 && math.Signbit(float64(v)) {
			t.Errorf("element %d of weight %g is %g", i, w[i], v)
		}
	}
	s := trainer(t, g, squares{})
	x := []float32{1, 2, 3, 4}
	if _, err := s.Step([]float32{100, 100, 100}, x); err != nil {
		t.Fatal(err)
	}
	dense := maskedNet(t)
	dense.Op("d/matmul").In[1] = dense.Var("d/kernel").Value
	copy(dense.Var("d/kernel").Data, y)
	d := trainer(t, dense, squares{})
	if _, err := d.Step([]float32{100, 100, 100}, x); err != nil {
		t.Fatal(err)
	}
	if a, b := gradient(t, s, "d/kernel"), gradient(t, d, "d/kernel"); !slices.Equal(a, b) || slices.Contains(a, 0) {
		t.Errorf("gradient %v, that of the dense kernel with these values is %v", a, b)
	}
	if !slices.Equal(g.Var("d/kernel").Data, w) || !slices.Equal(g.Var("d/kernel/mask/mask").Data, mask) {
		t.Error("the mask wrote to its inputs")
	}
}

// TestStrip: the value in the graph is the value after stripping, bit for bit, and what was promised is on the Var.
func TestStrip(t *testing.T) {
	g := maskedNet(t)
	x := normal(8, 3)
	want := infer1(t, evaluator(t, g), x)
	p, err := PromiseOf(g.Op("d/kernel/mask").Out)
	if err != nil || p != (Promise{Zeros: 6, N: 2, M: 4}) {
		t.Fatalf("promise %v, %v", p, err)
	}
	if err := Strip(g); err != nil {
		t.Fatal(err)
	}
	const text = `graph masked
input x [batch,4]
var d/kernel [4,3] weight trainable zeros=6 nm=2:4
d/matmul = Dense(x, d/kernel) [batch,3]
output d/matmul
`
	if d := cmp.Diff(text, g.String()); d != "" {
		t.Error(d)
	}
	if got := infer1(t, evaluator(t, g), x); !slices.Equal(got, want) {
		t.Errorf("outputs changed: %v, before %v", got, want)
	}
	again := g.Clone()
	if err := Strip(again); err != nil || again.String() != text {
		t.Errorf("stripping twice: %v\n%s", err, again)
	}
	path := filepath.Join(t.TempDir(), "a.temper")
	if err := (&Checkpoint{Graph: g}).Save(path); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if v := c.Graph.Var("d/kernel"); v.Promise == nil || *v.Promise != p {
		t.Errorf("the file's promise is %v, want %v", v.Promise, p)
	}
	if again.Var("d/kernel").Promise.Zeros = 1; g.Var("d/kernel").Promise.Zeros != 6 {
		t.Error("a clone shares its promise")
	}
}

// TestStripShared: a kernel that is read without its mask, too, keeps its numbers.
func TestStripShared(t *testing.T) {
	b := NewBuilder("shared", 2)
	w := b.Var("kernel", Weight, Shape{3, 3}, gauss)
	m := b.Op("mask", Mask{}, w, b.Var("mask/mask", State, Shape{3, 3}, halfMask()))
	again := b.Op("again", Mask{}, m, b.Var("again/mask", State, Shape{3, 3}, contents(1, 1, 1)))
	x := b.Op("first", Dense{}, b.Input("x", 3), w)
	g := finish(t, b, b.Op("third", Dense{}, b.Op("second", Dense{}, x, again), again))
	want := infer1(t, evaluator(t, g), []float32{1, 2, 3})
	kernel := slices.Clone(w.Var.Data)
	if err := Strip(g); err != nil {
		t.Fatal(err)
	}
	const text = `graph shared
input x [batch,3]
var kernel [3,3] weight trainable
var again [3,3] weight trainable zeros=6
first = Dense(x, kernel) [batch,3]
second = Dense(first, again) [batch,3]
third = Dense(second, again) [batch,3]
output third
`
	if d := cmp.Diff(text, g.String()); d != "" {
		t.Error(d)
	}
	if got := infer1(t, evaluator(t, g), []float32{1, 2, 3}); !slices.Equal(got, want) || !slices.Equal(g.Var("kernel").Data, kernel) {
		t.Errorf("outputs %v, before %v", got, want)
	}
}

// TestPromiseText: promises that no kernel can hold are refused.
func TestPromiseText(t *testing.T) {
	for words, want := range map[string]string{
		"zeros=13": "13 zeros", "zeros=-1": "not a promise", "zeros=x": "not a promise", "nm=4:2": "0 < N < M", "nm=2": "not a promise",
		"block=0x2": "not a promise", "codes=": "not a promise", "ones=3": "unknown flag",
	} {
		_, err := Parse("graph g\ninput x [batch,4]\nvar w [4,3] weight " + words + "\ny = Dense(x, w) [batch,3]\noutput y")
		wantError(t, err, want)
	}
	const full = "var w [4,3] weight trainable zeros=12 codes=1 nm=1:2 block=2x3\n"
	g, err := Parse("graph g\ninput x [batch,4]\n" + full + "y = Dense(x, w) [batch,3]\noutput y")
	if err != nil {
		t.Fatal(err)
	}
	if *g.Var("w").Promise != (Promise{12, 1, 1, 2, [2]int{2, 3}}) {
		t.Errorf("%+v", g.Var("w").Promise)
	}
}

// BenchmarkMask is forward and backward of a mask of 36,864 weights, beside a copy of them.
func BenchmarkMask(b *testing.B) {
	n := 3 * 3 * 64 * 64
	x, mask, y, dy, dx := normal(n, 1), make([]float32, n), make([]float32, n), normal(n, 2), make([]float32, n)
	for i := range mask {
		if i%5 == 0 {
			mask[i] = 1
		}
	}
	b.Run("forward", func(b *testing.B) {
		for b.Loop() {
			maskKernel{}.Forward(y, [][]float32{x, mask})
		}
	})
	b.Run("backward", func(b *testing.B) {
		for b.Loop() {
			maskKernel{}.Backward([][]float32{dx, nil}, nil, y, dy)
		}
	})
}
