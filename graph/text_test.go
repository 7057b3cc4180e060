package graph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const digits = `graph digits
input x [batch,28,28,1]
var conv/kernel [3,3,1,4] weight trainable
var conv/bias [4] bias
var quant/range [2] state
conv/conv = Conv2D(x, conv/kernel) {"Stride":[2,1],"Padding":"same"} [batch,14,28,4]
conv/bias_add = BiasAdd(conv/conv, conv/bias) [batch,14,28,4]
quant = FakeQuant(conv/bias_add, quant/range) {"Bits":8,"Observer":"ema","Momentum":0.9} [batch,14,28,4]
flat = Reshape(quant) {"To":[1568]} [batch,1568]
both = Concat(flat, flat) {"Axis":-1} [batch,3136]
output both
output conv/conv
`

// TestTextRoundTrip: Parse reads what String writes, into the same typed attributes, and is lenient with blank lines, comments and space around.
func TestTextRoundTrip(t *testing.T) {
	g, err := Parse(digits)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(digits, g.String()); d != "" {
		t.Error(d)
	}
	loose, err := Parse("# a comment\n\n  " + strings.ReplaceAll(digits, "\n", "  \n\n\t") + "# the end")
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(digits, loose.String()); d != "" {
		t.Error(d)
	}
	if k := g.Op("quant").Kind; k != Kind(FakeQuant{Bits: 8, Observer: "ema", Momentum: 0.9}) {
		t.Errorf("attributes of quant: %+v", k)
	}
	if v := g.Var("conv/kernel"); v.Role != Weight || !v.Trainable || len(v.Data) != 36 {
		t.Errorf("conv/kernel: %+v", v)
	}
	if v := g.Var("quant/range"); v.Role != State || v.Trainable {
		t.Errorf("quant/range: %+v", v)
	}
	if len(g.Outputs) != 2 || g.Outputs[1] != g.Op("conv/conv").Out {
		t.Errorf("outputs: %v", g.Outputs)
	}
}

// TestTextOfBuilt: what a Builder made and what Clone copied read back, too.
func TestTextOfBuilt(t *testing.T) {
	g := smallNet(t)
	for _, g := range []*Graph{g, g.Clone()} {
		again, err := Parse(g.String())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(g.String(), again.String()); d != "" {
			t.Error(d)
		}
	}
}

// TestTextErrors: each change of one line of the text is refused, with the number of that line and what is wrong.
func TestTextErrors(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"graph digits", "graph two words", `line 1: the name "two words"`},
		{"input x [batch,28,28,1]", "inptu x [batch,28,28,1]", `line 2: "inptu" is neither`},
		{"input x [batch,28,28,1]", "input x", `line 2: "" is not a shape`},
		{"input x [batch,28,28,1]", "input x [28,28,1]", "line 2: input x: shape [28,28,1] has no batch"},
		{"input x [batch,28,28,1]", "input x [batch,28,28,1] again", `line 2: input x: text after the shape: "again"`},
		{"input x [batch,28,28,1]", "input x? [batch,28,28,1]", `line 2: the name "x?"`},
		{"var conv/bias [4] bias", "var conv/bias [4]", `line 4: var conv/bias: unknown role ""`},
		{"var conv/bias [4] bias", "var conv/bias [4] offset", `line 4: var conv/bias: unknown role "offset"`},
		{"var conv/bias [4] bias", "var conv/bias [4] bias frozen", `line 4: var conv/bias: unknown flag "frozen"`},
		{"var conv/bias [4] bias", "var conv/bias [batch,4] bias", "line 4: var conv/bias has a batch"},
		{"var conv/bias [4] bias", "var conv/kernel [4] bias", `line 4: the name "conv/kernel" is taken twice`},
		{"var conv/bias [4] bias", "var conv/bias [65536,65536] bias", "line 4: shape [65536,65536] has more than"},
		{"conv/conv = Conv2D", "conv/conv = Conv3D", `line 6: conv/conv: unknown Kind "Conv3D"; known are Add, `},
		{"(x, conv/kernel)", "(x, kernel)", `line 6: conv/conv reads "kernel", which is not defined`},
		{"(x, conv/kernel)", "(x, conv/bias_add)", `line 6: conv/conv reads "conv/bias_add", which is not defined before it`},
		{"(x, conv/kernel)", "(x)", "line 6: conv/conv: Conv2D reads 2 inputs, not 1"},
		{"(x, conv/kernel)", "(x, conv/kernel, conv/bias)", "line 6: conv/conv: Conv2D reads 2 inputs, not 3"},
		{"(x, conv/kernel)", "(conv/kernel, x)", "line 6: conv/conv: Conv2D: input [3,3,1,4] does not fit kernel [batch,28,28,1]"},
		{"(x, conv/kernel)", "x, conv/kernel", "line 6: conv/conv: want NAME = KIND(inputs)"},
		{`"Padding":"same"`, `"Padding":"full"`, `line 6: conv/conv: Conv2D: input [batch,28,28,1], kernel [3,3,1,4]: height: padding "full"`},
		{`"Padding":"same"`, `"Pading":"same"`, `line 6: conv/conv: attributes of Conv2D: json: unknown field "Pading"`},
		{`"Padding":"same"`, `"Padding":1`, "line 6: conv/conv: attributes of Conv2D: json: cannot unmarshal number"},
		{`"Padding":"same"}`, `"Padding":"same"} {}`, "line 6: conv/conv: attributes of Conv2D: text after the object"},
		{`"Padding":"same"}`, `"Padding":"same"`, "line 6: conv/conv: attributes of Conv2D: unexpected EOF"},
		{`} [batch,14,28,4]`, `} [batch,28,28,4]`, "line 6: conv/conv: written shape is [batch,28,28,4], inferred [batch,14,28,4]"},
		{`(conv/conv, conv/bias) [batch,14,28,4]`, `(conv/conv, conv/bias)`, "line 7: conv/bias_add: the shape of the output is missing"},
		{"conv/bias_add = ", "conv/conv = ", `line 7: the name "conv/conv" is taken twice`},
		{"conv/bias_add = ", "conv bias = ", `line 7: the name "conv bias"`},
		{"(conv/bias_add, quant/range)", "(conv/bias_add, conv/bias)", "line 8: quant: FakeQuant: range [4]"},
		{"output both", "output neither", `line 11: output "neither" is not defined`},
		{"output both\noutput conv/conv\n", "", "graph digits: no output"},
		{"graph digits\n", "", "name of the graph"},
	} {
		text := strings.Replace(digits, c.old, c.new, 1)
		if text == digits {
			t.Fatalf("%q is not in the text", c.old)
		}
		_, err := Parse(text)
		if err == nil {
			t.Errorf("%q is accepted in place of %q", c.new, c.old)
			continue
		}
		wantError(t, err, "graph text", c.want)
	}
}

// TestTextStatePort: a moving statistic must be a Var with role state.
func TestTextStatePort(t *testing.T) {
	_, err := Parse("graph g\ninput x [batch,4]\nvar count [1] weight\ny = Dropout(x, count) {\"Rate\":0.5} [batch,4]\noutput y\n")
	wantError(t, err, "line 4", `input "count" must be a Var with role "state"`)
}

// TestTextLimits: a line or a count of elements beyond all reason is refused before memory is taken.
func TestTextLimits(t *testing.T) {
	_, err := Parse("graph g\n# " + strings.Repeat("x", 2<<20))
	wantError(t, err, "line 2", "too long")
	_, err = Parse("graph " + strings.Repeat("g", 600))
	wantError(t, err, "line 1", "512")
	var vars strings.Builder
	vars.WriteString("graph g\n")
	for i := range 8 {
		fmt.Fprintf(&vars, "var v%d [16384,4096] weight\n", i) // 2^26 elements each
	}
	_, err = Parse(vars.String())
	wantError(t, err, "line 6", "268435456 elements together")
}

// odd are graphs at the edge of what Check admits: they run like any other.
var odd = []string{
	"graph scalar\ninput x [batch,2]\nvar s [] scale trainable\ny = Mul(x, s) [batch,2]\noutput y\n",
	"graph pointwise\ninput x [batch]\ny = Tanh(x) [batch]\noutput y\n",
	"graph identity\ninput x [batch,2]\noutput x\n",
	"graph constant\ninput x [batch,2]\nvar w [2] weight trainable\ny = Tanh(w) [2]\noutput y\noutput w\n",
	"graph scalars\ninput x [batch,2]\nvar w [] weight trainable\ny = Tanh(w) []\noutput y\n",
	"graph twice\ninput x [batch,2]\ny = Tanh(x) [batch,2]\nz = Add(y, y) [batch,2]\noutput z\noutput z\noutput y\n",
	"graph unused\ninput x [batch,2]\ninput z [batch,3]\nvar w [2] weight\ny = Tanh(x) [batch,2]\noutput y\n",
	"graph none\nvar w [2] weight\noutput w\n",
}

// TestOddGraphs runs them.
func TestOddGraphs(t *testing.T) {
	for _, text := range odd {
		g, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := tryRun(g); err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// TestScalarTrains: a Var without dimensions has a gradient.
func TestScalarTrains(t *testing.T) {
	g, err := Parse(odd[0])
	if err != nil {
		t.Fatal(err)
	}
	g.Var("s").Data[0] = 2
	s := trainer(t, g, squares{})
	step(t, s, 0, []float32{0, 0}, []float32{1, 3}) // dy = 2, 6
	if d := gradient(t, s, "s"); len(d) != 1 || d[0] != 20 {
		t.Errorf("gradient %v, want 20", d)
	}
}

// tryRun makes an eval session and runs it on two examples of zeros, unless that takes much memory.
func tryRun(g *Graph) error {
	total := 0
	values := slices.Clone(g.Inputs)
	for _, o := range g.Ops {
		values = append(values, o.Out)
		values = append(values, o.In...)
	}
	for _, v := range values {
		total += v.Shape.Volume()
	}
	if total > 1<<16 || len(g.Inputs) == 0 {
		return nil
	}
	s, err := NewEval(g)
	if err != nil {
		return err
	}
	defer s.Close()
	var x [][]float32
	for _, v := range g.Inputs {
		x = append(x, make([]float32, 2*v.Shape.Volume()))
	}
	return s.Forward(x...)
}

// FuzzParse: no text makes Parse panic; what it accepts is a fixed point of the text form, and runs.
func FuzzParse(f *testing.F) {
	f.Add(digits)
	for _, text := range odd {
		f.Add(text)
	}
	f.Add("graph g\nvar a [2] state\ninput x [batch,2]\ninput = Mul(x, a) [batch,2]\noutput = Tanh(input) [batch,2]\noutput output\n")
	for _, name := range Kinds() {
		for _, s := range Lookup(name).Samples {
			b := NewBuilder("sample", 1)
			if g, err := b.Graph(b.Op("op", s.Kind, sampleValues(b, s.Kind, s.In)...)); err == nil {
				f.Add(g.String())
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		g, err := parse(text, 1<<16)
		if err != nil {
			return
		}
		again, err := Parse(g.String())
		if err != nil {
			t.Fatalf("%v\n%s", err, g)
		}
		if again.String() != g.String() {
			t.Fatalf("text changed:\n%s\n%s", g, again)
		}
		if err := tryRun(g); err != nil {
			t.Fatalf("%v\n%s", err, g)
		}
	})
}
