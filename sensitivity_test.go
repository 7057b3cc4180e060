package temper

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/sparsity"
)

// TestSensitivity: the numbers are those of files made by hand from the same examples, only one layer is touched, and the network stays as it is.
func TestSensitivity(t *testing.T) {
	digits, err := mnist.Load()
	if err != nil {
		t.Fatal(err)
	}
	g, err := Network("arm-example", 1, digits.Train)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, g, digits.Train)
	before := g.Clone()
	l := Ladder{Sparsities: []float64{0.9}, Codes: []int{4}, Bits: []int{}, Examples: 100, Calibration: 20, Tolerance: 0.99}
	s, err := l.Sensitivity(context.Background(), g, digits.Train.Take(0, 1000))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range g.Vars {
		for j, x := range v.Data {
			if x != before.Vars[i].Data[j] {
				t.Fatalf("%s changed", v.Name)
			}
		}
	}
	if s.Examples != 100 || len(s.Layers) != 4 || len(s.Layers[0].Bits) != 0 || len(s.Together) != 3 {
		t.Fatalf("%+v", s)
	}
	rest, held := digits.Train.Take(0, 1000).Split(0.9, sensitivitySeed)
	for i, layer := range []string{"conv2d", "conv2d_1", "conv2d_2", "dense"} {
		c := g.Clone()
		p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: 0.9}, Rules: []sparsity.Rule{{Match: layer}, {Match: "*", Skip: true}}}
		for _, f := range []func(*graph.Graph) error{p.Apply, p.Finish, graph.Strip, fakequant.PTQ{Config: fakequant.Config{Calibration: rest.Sample(20, 1)}}.Apply} {
			if err := f(c); err != nil {
				t.Fatal(err)
			}
		}
		a, err := interp.Accuracy(context.Background(), exported(t, c), interp.TFLM, held, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := s.Layers[i]
		if r := got.Sparsity[0]; got.Layer != layer || r.Accuracy != a || math.Abs(r.Loss-(s.Accuracy-a)) > 1e-12 {
			t.Errorf("%+v, by hand %g", got, a)
		}
	}
	if a := s.Layers[0].Advice; !a.LeaveAlone() || !strings.Contains(a.Reason, "little to gain") {
		t.Errorf("a layer of 288 weights: %+v", a)
	}
	text, err := s.Recipe(`a "b".temper`, "mnist")
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecipe([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 || r.Train.Epochs != 0 || r.Model != `a "b".temper` {
		t.Fatalf("%+v", r)
	}
	prune := r.Results[0].Steps[0].Prune
	if len(prune.Rules) != 4 || !prune.Rules[0].Skip || prune.Rules[1] != (PruneRule{Match: "conv2d_1", Sparsity: 0.9}) {
		t.Errorf("%+v", prune.Rules)
	}

	if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: rest.Sample(2, 1)}}).Apply(g); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Sensitivity(context.Background(), g, digits.Train); err == nil || !strings.Contains(err.Error(), "start from the float checkpoint") {
		t.Errorf("a quantized network: %v", err)
	}
}

// TestAdvice: the furthest setting before the first that costs too much, from the mildest on, whatever their order.
func TestAdvice(t *testing.T) {
	rungs := func(x ...float64) (r []Rung) {
		for i := 0; i < len(x); i += 2 {
			r = append(r, Rung{Setting: x[i], Loss: x[i+1], Possible: true})
		}
		return r
	}
	l := LayerSensitivity{
		Part:     0.5,
		Sparsity: rungs(0.9, 0, 0.5, -0.1, 0.7, 0.005+1e-12, 0.8, 0.006), // 0.9 is good again by chance
		Codes:    append(rungs(16, 0.001, 4, 0.3), Rung{Setting: 64}),
		Bits:     rungs(4, 0.1, 2, 0.5),
	}
	l.advise(0.005)
	if l.Advice != (Advice{Sparsity: 0.7, Codes: 16, Bits: 8}) {
		t.Errorf("%+v", l.Advice)
	}
	l.Sparsity, l.Codes = rungs(0.5, 0.1), rungs(64, 0.1)
	if l.advise(0.005); !l.Advice.LeaveAlone() || !strings.Contains(l.Advice.Reason, "more than 0.5 points") {
		t.Errorf("%+v", l.Advice)
	}
	for _, l := range []Ladder{{Sparsities: []float64{1}}, {Codes: []int{2}}, {Bits: []int{9}}, {Examples: -1}, {Tolerance: math.NaN()},
		{Sparsities: []float64{}, Codes: []int{}, Bits: []int{}}} {
		if l.Check() == nil {
			t.Errorf("%+v is accepted", l)
		}
	}
}
