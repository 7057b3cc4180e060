package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/temper-ml/temper/internal/compute"
	"gorgonia.org/gorgonia"
)

// Gorgonia has traps for who builds on it. Each test here steps on one of them.

// TestEqualOpsStayDistinct: Gorgonia merges nodes of equal hash. Ops with the same inputs and other attributes, and Vars of equal shape and
// contents, must stay apart, and each Var must get its own gradient.
func TestEqualOpsStayDistinct(t *testing.T) {
	b := NewBuilder("twins", 1)
	x := b.Input("x", 2)
	left := b.Op("left", Dense{}, x, b.Var("a", Weight, Shape{2, 2}, fill(-1)))
	right := b.Op("right", Dense{}, x, b.Var("b", Weight, Shape{2, 2}, fill(-1)))
	little := b.Op("little", LeakyReLU{Alpha: 0.25}, left)
	much := b.Op("much", LeakyReLU{Alpha: 0.5}, left)
	other := b.Op("other", LeakyReLU{Alpha: 0.5}, right)
	sum := b.Op("sum", Add{}, b.Op("leaky", Add{}, little, much), other)
	g := finish(t, b, sum)
	s := trainer(t, g, squares{}, Readable("little", "much", "other"))
	// left = right = [-3 -3]; outputs -0.75 - 1.5 - 1.5 = -3.75, which is also the gradient by each output for target 0.
	step(t, s, 0, []float32{0, 0}, []float32{1, 2})
	for name, want := range map[string][]float32{"little": {-0.75, -0.75}, "much": {-1.5, -1.5}, "other": {-1.5, -1.5}, "sum": {-3.75, -3.75}} {
		if d := cmp.Diff(want, s.Value(name)); d != "" {
			t.Errorf("value %s: %s", name, d)
		}
	}
	d := float32(-3.75)
	if diff := cmp.Diff([]float32{0.75 * d, 0.75 * d, 2 * 0.75 * d, 2 * 0.75 * d}, gradient(t, s, "a")); diff != "" {
		t.Errorf("gradient of a: %s", diff)
	}
	if diff := cmp.Diff([]float32{0.5 * d, 0.5 * d, 2 * 0.5 * d, 2 * 0.5 * d}, gradient(t, s, "b")); diff != "" {
		t.Errorf("gradient of b: %s", diff)
	}
}

// TestHashCollision: when two hashes of 32 bits collide after all, realising fails rather than compute one Op twice.
func TestHashCollision(t *testing.T) {
	eg := gorgonia.NewGraph()
	leaf := gorgonia.NewTensor(eg, gorgonia.Float32, 1, gorgonia.WithName("x"), gorgonia.WithShape(3))
	twin := func() *sumOp {
		return &sumOp{base: base{"sum same", nil, []Shape{{3}}, Shape{3}}, y: newBuffer(Shape{3})}
	}
	if _, err := apply(twin(), leaf); err != nil {
		t.Fatal(err)
	}
	_, err := apply(twin(), leaf)
	wantError(t, err, "sum same", "rename")
}

// TestStatisticsSurviveSessions: a second training session goes on with the moving statistics of the first.
func TestStatisticsSurviveSessions(t *testing.T) {
	once, twice := smallNet(t), smallNet(t)
	x, target := normal(4*16*16*2, 1), normal(4*3, 2)
	s := trainer(t, once, squares{})
	for range 4 {
		step(t, s, 0.1, target, x)
	}
	for range 2 {
		s := trainer(t, twice, squares{})
		for range 2 {
			step(t, s, 0.1, target, x)
		}
	}
	sameVars(t, "a run cut into two sessions", once, twice)
	if v := once.Var("bn/moving_variance").Data; slices.Contains(v, 1) {
		t.Errorf("moving variance did not move: %v", v)
	}
}

// TestSessionsDoNotDisturbEachOther: evaluating between the steps changes nothing in training, and evaluation sees the new weights at once.
func TestSessionsDoNotDisturbEachOther(t *testing.T) {
	alone, watched := smallNet(t), smallNet(t)
	x, target := normal(4*16*16*2, 1), normal(4*3, 2)
	a, w, eval := trainer(t, alone, squares{}), trainer(t, watched, squares{}), evaluator(t, watched)
	var last []float32
	for range 3 {
		if la, lw := step(t, a, 0.1, target, x), step(t, w, 0.1, target, x); la != lw {
			t.Fatalf("loss %g alone, %g with evaluation between the steps", la, lw)
		}
		y := infer1(t, eval, x)
		if again := infer1(t, eval, x); !slices.Equal(y, again) {
			t.Error("two evaluations of the same weights differ: something is written or random in inference")
		}
		if fresh := infer1(t, evaluator(t, watched), x); !slices.Equal(y, fresh) {
			t.Error("an older eval session does not see the weights that training wrote")
		}
		if slices.Equal(y, last) {
			t.Error("a step of training changed no output")
		}
		last = y
	}
	sameVars(t, "with evaluation between the steps", alone, watched)
}

// TestSamePadding: at stride 2, TFLite's SAME puts the odd line of padding after the image; Gorgonia's symmetric padding cannot say that.
func TestSamePadding(t *testing.T) {
	count := make([]float32, 16)
	for i := range count {
		count[i] = float32(i)
	}
	// 4x4, window 3, stride 2: out 2, padding 1 in all, 0 before. Windows begin at 0 and 2 and are cut at the end.
	want := []float32{45, 39, 66, 50}

	b := NewBuilder("conv", 1)
	x := b.Input("x", 4, 4, 1)
	k := Conv2D{Padding: Same, Stride: [2]int{2, 2}}
	g := finish(t, b, b.Op("y", k, x, b.Var("k", Weight, Shape{3, 3, 1, 1}, fill(1))))
	if d := cmp.Diff(want, infer1(t, evaluator(t, g), count)); d != "" {
		t.Errorf("Conv2D: %s", d)
	}

	// Depthwise, one input channel by two filters: ones and the half.
	b = NewBuilder("depthwise", 1)
	x = b.Input("x", 4, 4, 1)
	ones := make([]float32, 18)
	for i := range ones {
		ones[i] = 1 / float32(1+i%2)
	}
	g = finish(t, b, b.Op("y", DepthwiseConv2D(k), x, b.Var("k", Weight, Shape{3, 3, 2}, contents(ones...))))
	if d := cmp.Diff([]float32{45, 22.5, 39, 19.5, 66, 33, 50, 25}, infer1(t, evaluator(t, g), count)); d != "" {
		t.Errorf("DepthwiseConv2D: %s", d)
	}

	// The mean of a window divides by what is inside the image: 9, 6, 6, 4.
	b = NewBuilder("mean", 1)
	x = b.Input("x", 4, 4, 1)
	g = finish(t, b, b.Op("y", AvgPool2D{Size: [2]int{3, 3}, Stride: [2]int{2, 2}, Padding: Same}, x))
	if d := cmp.Diff([]float32{5, 6.5, 11, 12.5}, infer1(t, evaluator(t, g), count)); d != "" {
		t.Errorf("AvgPool2D: %s", d)
	}
}

// TestGlobalAvgPoolTrains: the gradient reaches what is below the pool, spread evenly.
func TestGlobalAvgPoolTrains(t *testing.T) {
	b := NewBuilder("gap", 1)
	y := b.Op("shift", Add{}, b.Input("x", 2, 3, 2), b.Var("w", Weight, Shape{2, 3, 2}, nil))
	g := finish(t, b, b.Op("gap", GlobalAvgPool{}, y))
	s := trainer(t, g, squares{})
	step(t, s, 0, []float32{-6, 12}, make([]float32, 12))
	if d := cmp.Diff([]float32{1, -2, 1, -2, 1, -2, 1, -2, 1, -2, 1, -2}, gradient(t, s, "w")); d != "" {
		t.Error(d)
	}
}

// TestTextIsTheModel: the expression graph cannot be read back into layers; the text can, with one Op a layer, and sessions leave it as it is.
func TestTextIsTheModel(t *testing.T) {
	g := smallNet(t)
	before := g.String()
	step(t, trainer(t, g, squares{}), 0.1, normal(3, 1), normal(16*16*2, 2))
	infer1(t, evaluator(t, g), normal(16*16*2, 2))
	if d := cmp.Diff(before, g.String()); d != "" {
		t.Errorf("running changed the graph: %s", d)
	}
	again, err := Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Ops) != 9 || again.Op("dw").Kind != Kind(DepthwiseConv2D{Padding: Same, Stride: [2]int{2, 2}}) {
		t.Errorf("the text lost a layer or its attributes:\n%s", again)
	}
}

// broken is a Kind that panics, in its backward pass where Late, on a worker of the pool where Wide.
type broken struct{ Late, Wide bool }

func (broken) Shape(in []Shape) (Shape, error)  { return in[0], nil }
func (k broken) Kernel(Context) (Kernel, error) { return k, nil }

func (k broken) Forward(y []float32, in [][]float32) {
	copy(y, in[0])
	if !k.Late {
		k.fail()
	}
}

func (k broken) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	copy(dx[0], dy)
	k.fail()
}

func (k broken) fail() {
	n := 1
	if k.Wide {
		n = 16
	}
	compute.Each(n, func(i int) {
		if i == n-1 {
			panic("out of cheese")
		}
	})
}

// register adds a Kind for the length of a test.
func register(t *testing.T, d Def) {
	Register(d)
	t.Cleanup(func() { delete(defs, KindName(d.Kind)) })
}

// TestPanicIsAnError: a panic inside an op, on whatever thread, becomes an error that names the op; the session lives on.
func TestPanicIsAnError(t *testing.T) {
	register(t, Def{Kind: broken{}, In: []Port{{Name: "x", Diff: true}}})
	for _, k := range []broken{{}, {Wide: true}, {Late: true}, {Late: true, Wide: true}} {
		t.Run(fmt.Sprintf("%+v", k), func(t *testing.T) {
			b := NewBuilder("broken", 1)
			y := b.Op("block/dense", Dense{}, b.Input("x", 2), b.Var("w", Weight, Shape{2, 2}, fill(1)))
			g := finish(t, b, b.Op("block/bad", k, y))
			s := trainer(t, g, squares{})
			for range 2 {
				_, err := s.Step([]float32{0, 0}, []float32{1, 2})
				wantError(t, err, "broken", "block/bad", "out of cheese")
			}
		})
	}
}

// TestLossPanicIsAnError: so does one of the caller's loss.
func TestLossPanicIsAnError(t *testing.T) {
	g := smallNet(t)
	s := trainer(t, g, short{})
	_, err := s.Step(nil, normal(16*16*2, 1))
	wantError(t, err, "loss of dense")
}

// short is a loss that claims to need no targets, and then reads them.
type short struct{ squares }

func (short) TargetLen(int) int { return 0 }

// TestDropoutMasks: another mask for each step, the same masks for the same seed and step, none in inference.
func TestDropoutMasks(t *testing.T) {
	net := func(seed uint64) *Graph {
		b := NewBuilder("drop", 1)
		y := b.Op("shift", Add{}, b.Input("x", 200), b.Var("w", Weight, Shape{200}, fill(1)))
		return finish(t, b, b.Op("drop", Dropout{Rate: 0.5, Seed: seed}, y, b.Var("count", State, Shape{1}, nil)))
	}
	x := make([]float32, 400)
	masks := func(g *Graph, steps int) (all [][]float32) {
		s := trainer(t, g, squares{})
		for range steps {
			step(t, s, 0, make([]float32, 400), x)
			all = append(all, slices.Clone(s.Value("drop")))
		}
		return all
	}
	g := net(1)
	all := masks(g, 3)
	for i, m := range all {
		kept := 0
		for _, v := range m {
			if v != 0 && v != 2 {
				t.Fatalf("step %d: %g is neither dropped nor doubled", i, v)
			}
			kept += int(v) / 2
		}
		if kept < 150 || kept > 250 {
			t.Errorf("step %d keeps %d of 400", i, kept)
		}
		if i > 0 && slices.Equal(m, all[i-1]) {
			t.Errorf("steps %d and %d have the same mask", i-1, i)
		}
		if slices.Equal(m[:200], m[200:]) {
			t.Errorf("step %d: two examples have the same mask", i)
		}
	}
	if same := masks(net(1), 3); !cmp.Equal(all, same) {
		t.Error("the same seed gives other masks")
	}
	if other := masks(net(2), 1); cmp.Equal(all[0], other[0]) {
		t.Error("another seed gives the same mask")
	}
	// A run that is cut after two steps goes on with the third mask.
	cut := net(1)
	masks(cut, 2)
	if third := masks(cut, 1); !cmp.Equal(all[2], third[0]) {
		t.Error("a new session does not go on with the masks of the first")
	}
	if y := infer1(t, evaluator(t, g), x); slices.ContainsFunc(y, func(v float32) bool { return v != 1 }) {
		t.Error("dropout drops in inference")
	}
	if n := g.Var("count").Data[0]; n != 3 {
		t.Errorf("count is %g after three steps", n)
	}
}

// TestDropoutGradient: what was dropped gets no gradient, the rest gets it with the same factor.
func TestDropoutGradient(t *testing.T) {
	b := NewBuilder("drop", 1)
	y := b.Op("shift", Add{}, b.Input("x", 50), b.Var("w", Weight, Shape{50}, fill(1)))
	g := finish(t, b, b.Op("drop", Dropout{Rate: 0.5}, y, b.Var("count", State, Shape{1}, nil)))
	s := trainer(t, g, squares{})
	step(t, s, 0, make([]float32, 50), make([]float32, 50))
	for i, v := range s.Value("drop") {
		if d := gradient(t, s, "w")[i]; d != 2*v { // dy is v, times 2 where kept
			t.Fatalf("value %g has gradient %g", v, d)
		}
	}
}

// TestReports: errors of the session name the graph, the input and both sizes.
func TestReports(t *testing.T) {
	g := smallNet(t)
	s := trainer(t, g, squares{})
	if s.Grads() != nil || s.Value("dense") != nil {
		t.Error("gradients or values before the first step")
	}
	x := normal(16*16*2, 1)
	_, err := s.Step(normal(3, 1), x, x)
	wantError(t, err, "small", "1 inputs, 2 given")
	_, err = s.Step(normal(3, 1), x[1:])
	wantError(t, err, "input x", "[batch,16,16,2]", "511", "512")
	_, err = s.Step(normal(3, 1), nil)
	wantError(t, err, "input x", "0 values")
	_, err = s.Step(normal(4, 1), x)
	wantError(t, err, "4 target values for 1 examples, want 3")
	wantError(t, s.Forward(x), "small", "eval session")
	_, err = evaluator(t, g).Step(normal(3, 1), x)
	wantError(t, err, "small", "training session")
	for _, v := range g.Vars {
		v.Trainable = false
	}
	_, err = NewTrain(g, squares{})
	wantError(t, err, "small", "no trainable Var", "dense")
	if strings.Contains(fmt.Sprint(err), "%!") {
		t.Error(err)
	}
}
