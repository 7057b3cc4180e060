package graph

import (
	"math"
	"slices"
	"testing"
)

// TestCheck: each rule of Check has a graph that breaks it and nothing before it.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(g *Graph)
		want  string
	}{
		{"the graph's name", func(g *Graph) { g.Name = "a b" }, `name of the graph: the name "a b"`},
		{"no name", func(g *Graph) { g.Name = "" }, `name of the graph: the name ""`},
		{"input's name", func(g *Graph) { g.Inputs[0].Name = "x=y" }, `the name "x=y"`},
		{"input without batch", func(g *Graph) { g.Inputs[0].Shape = Shape{16, 16, 2} }, "input x of shape [16,16,2] is not a batched input"},
		{"input that an op makes", func(g *Graph) { g.Inputs[0] = g.Ops[0].Out }, "input conv of shape [batch,16,16,8] is not a batched input"},
		{"input of no size", func(g *Graph) { g.Inputs[0].Shape = Shape{Batch, 0} }, "input x: shape [batch,0]: dimension 1"},
		{"input missing", func(g *Graph) { g.Inputs[0] = nil }, "without a value"},
		{"two inputs of a name", func(g *Graph) { g.Inputs = append(g.Inputs, &Value{Name: "x", Shape: Shape{Batch, 1}}) }, `the name "x" is taken twice`},
		{"var named as an input", func(g *Graph) { g.Vars[0].Name, g.Vars[0].Value.Name = "x", "x" }, `the name "x" is taken twice`},
		{"var without value", func(g *Graph) { g.Vars[0].Value = nil }, "without a value"},
		{"var and value named differently", func(g *Graph) { g.Vars[0].Name = "other" }, "var other and its value disagree"},
		{"var and value shaped differently", func(g *Graph) { g.Vars[1].Shape = Shape{9} }, "var conv/bias and its value disagree"},
		{"value of another var", func(g *Graph) { g.Vars[0].Value.Var = g.Vars[1] }, "var conv/kernel and its value disagree"},
		{"var with too little data", func(g *Graph) { g.Vars[1].Data = g.Vars[1].Data[:7] }, "var conv/bias: 7 values for shape [8], want 8"},
		{"var of negative size", func(g *Graph) {
			g.Vars[1].Shape = Shape{-2, -4}
			g.Vars[1].Value.Shape = g.Vars[1].Shape
		}, "var conv/bias: shape [-2,-4]: dimension 0"},
		{"var with a batch", func(g *Graph) {
			g.Vars[1].Shape = Shape{Batch, 8}
			g.Vars[1].Value.Shape = g.Vars[1].Shape
		}, "var conv/bias: shape [batch,8] has a batch dimension"},
		{"var without role", func(g *Graph) { g.Vars[1].Role = "" }, `var conv/bias: unknown role ""`},
		{"var named as the trainer's state", func(g *Graph) { g.Vars[1].Name, g.Vars[1].Value.Name = "state:m", "state:m" }, "var state:m: the name belongs to the checkpoint"},
		{"var named as the metadata", func(g *Graph) {
			g.Vars[1].Name, g.Vars[1].Value.Name = "__metadata__", "__metadata__"
		}, "var __metadata__: the name belongs to the checkpoint"},
		{"op missing", func(g *Graph) { g.Ops[3] = nil }, "an op is missing"},
		{"op named as a var", func(g *Graph) { g.Ops[0].Name, g.Ops[0].Out.Name = "conv/bias", "conv/bias" }, `the name "conv/bias" is taken twice`},
		{"op that reads nothing", func(g *Graph) { g.Ops[3].In[0] = nil }, "relu: input 0 is not defined"},
		{"op before what it reads", func(g *Graph) { slices.Reverse(g.Ops[2:4]) }, "relu: input 0 is not defined before it is read"},
		{"op that reads another graph", func(g *Graph) { g.Ops[0].In[1] = g.Clone().Vars[0].Value }, "conv: input 1 is not defined"},
		{"op without Kind", func(g *Graph) { g.Ops[3].Kind = nil }, "relu: no Kind"},
		{"unknown Kind", func(g *Graph) { g.Ops[3].Kind = broken{} }, `relu: unknown Kind "broken"; known are Add, `},
		{"Kind that does not fit", func(g *Graph) { g.Ops[1].In[1] = g.Vars[0].Value }, "bias: BiasAdd: bias of shape [3,3,2,8]"},
		{"too few inputs", func(g *Graph) { g.Ops[1].In = g.Ops[1].In[:1] }, "bias: BiasAdd reads 2 inputs, not 1"},
		{"state that is none", func(g *Graph) { g.Var("drop/count").Role = Weight }, `drop: Dropout: input "count" must be a Var with role "state"`},
		{"op without output", func(g *Graph) { g.Ops[3].Out = nil }, "relu: output is not the value of shape [batch,16,16,8] that ReLU makes"},
		{"stale shape", func(g *Graph) { g.Ops[3].Out.Shape = Shape{Batch, 8} }, "relu: output is not the value of shape [batch,16,16,8]"},
		{"output named differently", func(g *Graph) { g.Ops[3].Out.Name = "other" }, "relu: output is not the value"},
		{"output of another op", func(g *Graph) { g.Ops[3].Out.Op = g.Ops[2] }, "relu: output is not the value"},
		{"attribute that no text carries", func(g *Graph) { g.Ops[3].Kind = LeakyReLU{float32(math.Inf(1))} }, "relu: attributes of LeakyReLU cannot be written"},
		{"no output", func(g *Graph) { g.Outputs = nil }, "no output"},
		{"nil output", func(g *Graph) { g.Outputs[0] = nil }, "an output is missing"},
		{"output of another graph", func(g *Graph) { g.Outputs[0] = g.Clone().Outputs[0] }, "output dense is not a value of the graph"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := smallNet(t)
			if err := g.Check(); err != nil {
				t.Fatal(err)
			}
			c.spoil(g)
			err := g.Check()
			wantError(t, err, c.want)
			if g.Name == "small" {
				wantError(t, err, "graph small: ")
			}
			if _, err := NewEval(g); err == nil {
				t.Error("a session takes it")
			}
			if _, err := (&Checkpoint{Graph: g}).Marshal(); err == nil {
				t.Error("a checkpoint takes it")
			}
		})
	}
}

// TestInferPanic: a Kind whose shape inference panics is an error of that Op.
func TestInferPanic(t *testing.T) {
	register(t, Def{Kind: rash{}, In: []Port{{Name: "x"}}})
	b := NewBuilder("g", 1)
	_, err := b.Graph(b.Op("layer/op", rash{}, b.Input("x", 2)))
	wantError(t, err, "layer/op", "rash cannot take inputs of shapes [[batch,2]]", "out of range")
}

type rash struct{ broken }

func (rash) Shape(in []Shape) (Shape, error) { return in[len(in[0])], nil }

// TestBuilderErrors: the first error stands, with the path of its layer, and nothing after it panics.
func TestBuilderErrors(t *testing.T) {
	b := NewBuilder("net", 1)
	x := b.Input("x", 4)
	b.Scope("stage", func() {
		b.Scope("dense", func() {
			w := b.Var("kernel", Weight, Shape{4, 0}, gauss)
			if w != nil {
				t.Error("a value in spite of an error")
			}
			if y := b.Op("dense", Dense{}, x, w); y != nil {
				t.Error("an op after an error")
			}
		})
		b.Failf("a second error")
	})
	if b.Input("late", 1) != nil {
		t.Error("an input after an error")
	}
	_, err := b.Graph(nil)
	wantError(t, err, "net: layer stage/dense: var stage/dense/kernel: shape [4,0]")

	for what, f := range map[string]func(b *Builder){
		`the name "x" is taken twice`:  func(b *Builder) { b.Var("x", Weight, Shape{1}, nil) },
		"has a batch dimension":        func(b *Builder) { b.Var("v", Weight, Shape{Batch, 1}, nil) },
		"dimension 1 must be positive": func(b *Builder) { b.Input("y", -1) },
		`layer a b: the name "a b/v"`:  func(b *Builder) { b.Scope("a b", func() { b.Var("v", Weight, Shape{1}, nil) }) },
		"an output is missing":         func(b *Builder) {},
	} {
		b := NewBuilder("net", 1)
		b.Input("x", 4)
		f(b)
		_, err := b.Graph(nil)
		wantError(t, err, what)
	}
	_, err = NewBuilder("two words", 1).Graph()
	wantError(t, err, "two words")
}

// TestScopes: equal names in a scope are numbered, in other scopes not.
func TestScopes(t *testing.T) {
	b := NewBuilder("net", 1)
	var paths []string
	note := func() { paths = append(paths, b.Path()) }
	b.Scope("dense", note)
	b.Scope("dense", note)
	b.Scope("block", func() { b.Scope("dense", note) })
	b.Scope("block", func() { b.Scope("dense", note); b.Scope("dense", note) })
	want := []string{"dense", "dense_1", "block/dense", "block_1/dense", "block_1/dense_1"}
	if !slices.Equal(paths, want) {
		t.Errorf("%v, want %v", paths, want)
	}
}

// TestInitialStreams: what a Var draws depends on seed and name alone, not on what stands beside it.
func TestInitialStreams(t *testing.T) {
	draw := func(seed uint64, names ...string) []float32 {
		b := NewBuilder("net", seed)
		var last *Value
		for _, n := range names {
			last = b.Var(n, Weight, Shape{8}, gauss)
		}
		return last.Var.Data
	}
	alone := draw(1, "w")
	if !slices.Equal(alone, draw(1, "a", "b", "w")) {
		t.Error("another Var before it changes what a Var draws")
	}
	if slices.Equal(alone, draw(1, "v")) || slices.Equal(alone, draw(2, "w")) {
		t.Error("another name or seed draws the same")
	}
}
