package graph

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quantizeWeights is a pass as conditioners write them: a fake quantizer between each kernel and its readers.
var quantizeWeights = Pass{"quantize weights", func(g *Graph) error {
	for _, v := range slices.Clone(g.Vars) {
		if v.Role != Weight {
			continue
		}
		r, err := g.AddVar(v.Name+"/range", State, false, Shape{2}, nil)
		if err != nil {
			return err
		}
		q, err := g.NewOp(v.Name+"/quant", FakeQuant{Bits: 8, Symmetric: true, Narrow: true, Observer: "last"}, v.Value, r.Value)
		if err != nil {
			return err
		}
		g.Rewire(v.Value, q.Out, func(o *Op) bool { return o == q })
	}
	return nil
}}

// mlp is two dense layers.
func mlp(t *testing.T) *Graph {
	b := NewBuilder("mlp", 1)
	y := b.Op("relu", ReLU{}, b.Op("dense", Dense{}, b.Input("x", 4), b.Var("a", Weight, Shape{4, 3}, gauss)))
	return finish(t, b, b.Op("last", Dense{}, y, b.Var("b", Weight, Shape{3, 2}, gauss)))
}

// TestPass: text before, text after.
func TestPass(t *testing.T) {
	g := mlp(t)
	before := g.String()
	c := g.Clone()
	if err := Apply(c, quantizeWeights); err != nil {
		t.Fatal(err)
	}
	want := `graph mlp
input x [batch,4]
var a [4,3] weight trainable
var b [3,2] weight trainable
var a/range [2] state
var b/range [2] state
b/quant = FakeQuant(b, b/range) {"Bits":8,"Symmetric":true,"Narrow":true,"Observer":"last"} [3,2]
a/quant = FakeQuant(a, a/range) {"Bits":8,"Symmetric":true,"Narrow":true,"Observer":"last"} [4,3]
dense = Dense(x, a/quant) [batch,3]
relu = ReLU(dense) [batch,3]
last = Dense(relu, b/quant) [batch,2]
output last
`
	if d := cmp.Diff(want, c.String()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(before, g.String()); d != "" {
		t.Errorf("a pass over a clone changed the original: %s", d)
	}
	c.Var("a").Data[0] = 100
	if g.Var("a").Data[0] == 100 {
		t.Error("a clone shares its numbers with the original")
	}
	// Const evaluates what the new readers see, as an eval session does.
	s := evaluator(t, c, Readable("a/quant"))
	infer1(t, s, make([]float32, 4))
	k := c.Op("dense").In[1]
	y, err := Const(k)
	if err != nil || !IsConst(k) || !slices.Equal(y, s.Value("a/quant")) || slices.Equal(y, c.Var("a").Data) {
		t.Errorf("constant %v, the session has %v (%v)", y, s.Value("a/quant"), err)
	}
	if _, err := Const(c.Op("relu").Out); err == nil || IsConst(c.Op("relu").Out) {
		t.Error("an activation is taken for a constant")
	}
}

// TestPassErrors: the error names the pass that failed, or that left a graph which does not hold.
func TestPassErrors(t *testing.T) {
	ran := false
	after := Pass{"after", func(*Graph) error { ran = true; return nil }}
	err := Apply(mlp(t), Pass{"fail", func(*Graph) error { return errors.New("no luck") }}, after)
	wantError(t, err, "pass fail: no luck")
	err = Apply(mlp(t), Pass{"spoil", func(g *Graph) error { slices.Reverse(g.Ops); return nil }}, after)
	wantError(t, err, "after pass spoil: graph mlp: last: input 0 is not defined before it is read")
	if ran {
		t.Error("a pass ran after one that failed")
	}
	err = Apply(mlp(t), quantizeWeights, quantizeWeights)
	wantError(t, err, "pass quantize weights", `the name "a/range" is taken twice`)
}

// TestRewire: readers and outputs follow; what skip names does not.
func TestRewire(t *testing.T) {
	g := mlp(t)
	y := g.Op("relu").Out
	extra, err := g.NewOp("tanh", Tanh{}, y)
	if err != nil {
		t.Fatal(err)
	}
	g.Outputs = append(g.Outputs, y)
	g.Rewire(y, extra.Out, func(o *Op) bool { return o == extra })
	if err := g.Check(); err != nil {
		t.Fatal(err)
	}
	if g.Op("last").In[0] != extra.Out || extra.In[0] != y || g.Outputs[1] != extra.Out {
		t.Errorf("rewired:\n%s", g)
	}
	if r := g.Readers(y); len(r) != 1 || r[0] != extra {
		t.Errorf("readers of relu: %v", r)
	}
	if !g.IsOutput(extra.Out) || g.IsOutput(y) {
		t.Error("outputs")
	}
}

// TestRemoveDead: Ops and Vars that no output depends on go, inputs stay.
func TestRemoveDead(t *testing.T) {
	g := mlp(t)
	g.Outputs = []*Value{g.Op("relu").Out}
	g.RemoveDead()
	want := "graph mlp\ninput x [batch,4]\nvar a [4,3] weight trainable\ndense = Dense(x, a) [batch,3]\nrelu = ReLU(dense) [batch,3]\noutput relu\n"
	if d := cmp.Diff(want, g.String()); d != "" {
		t.Error(d)
	}
}

// TestAddingErrors: names that are taken and values that do not fit leave the graph as it was.
func TestAddingErrors(t *testing.T) {
	g := mlp(t)
	before := g.String()
	x := g.Input()
	_, err := g.NewOp("relu", Tanh{}, x)
	wantError(t, err, `"relu" is taken twice`)
	_, err = g.Append("a", Tanh{}, x)
	wantError(t, err, `"a" is taken twice`)
	_, err = g.NewOp("new", BiasAdd{}, x, g.Var("a").Value)
	wantError(t, err, "new: BiasAdd", "[4,3]", "[batch,4]")
	_, err = g.Append("new", Tanh{}, nil)
	wantError(t, err, "new: Tanh", `"x" is missing`)
	_, err = g.AddVar("v", Weight, true, Shape{2}, []float32{1})
	wantError(t, err, "var v", "1 values for shape [2], want 2")
	_, err = g.AddVar("v", "kernel", true, Shape{2}, nil)
	wantError(t, err, "var v", `"kernel"`)
	if d := cmp.Diff(before, g.String()); d != "" {
		t.Error(d)
	}
	if g.Value("nothing") != nil || g.Op("a") != nil || g.Var("relu") != nil || g.Value("x") != x {
		t.Error("look-up by name")
	}
}

// TestGroup: an operator takes bias, norm and activation with it as far as nothing else reads the values between.
func TestGroup(t *testing.T) {
	members := func(g *Graph, head string) string {
		var names []string
		for _, o := range g.Group(g.Op(head)).Members() {
			names = append(names, o.Name)
		}
		return fmt.Sprint(names)
	}
	g := smallNet(t)
	for head, want := range map[string]string{"conv": "[conv bias bn/norm relu]", "pool": "[pool]", "dw": "[dw]", "bn/norm": "[bn/norm relu]"} {
		if got := members(g, head); got != want {
			t.Errorf("group of %s: %s, want %s", head, got, want)
		}
	}
	for _, o := range g.Ops {
		if want := o.Name == "conv" || o.Name == "dw" || o.Name == "dense"; o.IsLinear() != want {
			t.Errorf("%s: linear %v", o.Name, !want)
		}
	}
	if end := g.Group(g.Op("conv")).End; end != g.Op("relu").Out {
		t.Errorf("the group of conv ends at %s", end.Name)
	}
	g.Outputs = append(g.Outputs, g.Op("bias").Out)
	if got := members(g, "conv"); got != "[conv bias]" {
		t.Errorf("an output in the middle: %s", got)
	}
	g = smallNet(t)
	if _, err := g.NewOp("spy", Tanh{}, g.Op("bn/norm").Out); err != nil {
		t.Fatal(err)
	}
	if got := members(g, "conv"); got != "[conv bias bn/norm]" {
		t.Errorf("another reader in the middle: %s", got)
	}
}

// TestAffine: the two numbers a channel say what the BatchNorm says in inference.
func TestAffine(t *testing.T) {
	b := NewBuilder("norm", 1)
	g := finish(t, b, batchNorm(b, "bn", b.Input("x", 2), BatchNorm{Epsilon: 0.25}))
	copy(g.Var("bn/gamma").Data, []float32{3, -2})
	copy(g.Var("bn/beta").Data, []float32{1, 0.5})
	copy(g.Var("bn/moving_mean").Data, []float32{4, -1})
	copy(g.Var("bn/moving_variance").Data, []float32{2, 0.75})
	scale, shift, err := Affine(g.Op("bn/norm"))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([][]float32{{2, -2}, {-7, -1.5}}, [][]float32{scale, shift}); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]float32{-5, -3.5}, infer1(t, evaluator(t, g), []float32{1, 1})); d != "" {
		t.Error(d)
	}
	_, _, err = Affine(smallNet(t).Op("conv"))
	wantError(t, err, "conv is not a BatchNorm")
}
