package sparsity

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
)

// TestPerTensorAndGlobal: each layer has the sparsity, or all together, and no layer is cut through.
func TestPerTensorAndGlobal(t *testing.T) {
	g := smallNet(t)
	for i := range g.Var("point/kernel").Data {
		g.Var("point/kernel").Data[i] *= 1e-3 // the whole layer is under the global threshold
	}
	each, all := g.Clone(), g.Clone()
	p := Prune{Schedule: Constant{Sparsity: 0.75}}
	must(t, p.Apply(each))
	must(t, p.Finish(each))
	n, z := 0, 0
	for _, l := range []string{"conv2d", "point", "conv2d_transpose", "dense"} {
		w := kernel(t, each, l)
		if got := zeros(w); got != len(w)-kept(len(w), 0.75) {
			t.Errorf("%s: %d zeros of %d", l, got, len(w))
		}
	}
	p.Global = true
	must(t, p.Apply(all))
	must(t, p.Finish(all))
	for _, l := range []string{"conv2d", "point", "conv2d_transpose", "dense"} {
		w := kernel(t, all, l)
		n, z = n+len(w), z+zeros(w)
		if l == "point" && zeros(w) != len(w)-1 {
			t.Errorf("point: %d zeros of %d, want all but the largest", zeros(w), len(w))
		}
	}
	if want := n - kept(n, 0.75) - 1; z != want {
		t.Errorf("%d zeros of %d together, want %d", z, n, want)
	}
	if zeros(kernel(t, all, "depthwise_conv2d")) != 0 {
		t.Error("the depthwise layer is pruned")
	}
}

// TestRules: what is taken by default, by rule, and what is told of it.
func TestRules(t *testing.T) {
	g := trace(t, layers.Shape{8, 8, 1},
		layers.Conv2D{Name: "stem", Filters: 4, Kernel: 3}, layers.DepthwiseConv2D{Kernel: 3}, layers.Conv2D{Name: "mid", Filters: 8, Kernel: 3},
		layers.Conv2D{Name: "wide", Filters: 16, Kernel: 3}, layers.Flatten{}, layers.Dense{Units: 40}, layers.Dense{Name: "out", Units: 4})
	p := Prune{Schedule: Polynomial{Initial: 0.4, Final: 0.8, End: 100, Frequency: 50}, Rules: []Rule{
		{Match: "mid", N: 2, M: 4}, {Match: "wide", Sparsity: 0.5}, {Match: "Depthwise*"}, {Match: "Dense", Skip: true},
	}}
	rows, err := p.Describe(g)
	must(t, err)
	const want = `stem              left alone          little to gain: the first layer, under 1 % of the weights
depthwise_conv2d  sparsity 0.8        rule "Depthwise*"
mid               2 zeros of every 4  rule "mid"
wide              sparsity 0.5        rule "wide"
dense             left alone          rule "Dense"
out               left alone          rule "Dense"
`
	if d := cmp.Diff(want, graph.Table(rows)); d != "" {
		t.Error(d)
	}
	must(t, p.Apply(g))
	if rows, err = p.Describe(g); err != nil || graph.Table(rows) != want {
		t.Errorf("after Apply: %v\n%s", err, graph.Table(rows))
	}
	sparsities := func() (all []float64) {
		for _, l := range []string{"depthwise_conv2d", "mid", "wide"} {
			w := kernel(t, g, l)
			all = append(all, math.Round(100*float64(zeros(w))/float64(len(w)))/100)
		}
		return all
	}
	for _, c := range []struct {
		step int
		want []float64
	}{{0, []float64{0, 0, 0}}, {48, []float64{0, 0, 0}}, {49, []float64{0.75, 0.47, 0.47}}, {99, []float64{0.81, 0.5, 0.5}}, {149, []float64{0.81, 0.5, 0.5}}} {
		must(t, p.BeforeStep(g, c.step))
		if got := sparsities(); !slices.Equal(got, c.want) {
			t.Errorf("before step %d: sparsities %v, want %v", c.step, got, c.want)
		}
	}
}

// TestGrowBack: a weight that grew under its mask is let in by the next update, another goes.
func TestGrowBack(t *testing.T) {
	g := dense(t, []int{4, 1}, []float32{1, -2, 3, -4})
	p := Prune{Schedule: Constant{Sparsity: 0.5, Frequency: 1, End: 2}}
	must(t, p.Apply(g))
	must(t, p.BeforeStep(g, 0))
	if w := kernel(t, g, "d"); !slices.Equal(w, []float32{0, 0, 3, -4}) {
		t.Fatalf("kernel %v", w)
	}
	g.Var("d/kernel").Data[0] = 10
	if w := kernel(t, g, "d"); w[0] != 0 {
		t.Errorf("between updates the mask lets %v through", w)
	}
	must(t, p.BeforeStep(g, 1))
	if w := kernel(t, g, "d"); !slices.Equal(w, []float32{10, 0, 0, -4}) {
		t.Errorf("after the update: %v", w)
	}
	g.Var("d/kernel").Data[1] = 20
	must(t, p.BeforeStep(g, 2))
	if w := kernel(t, g, "d"); w[1] != 0 {
		t.Errorf("after its end the schedule updates: %v", w)
	}
}

// TestNMSchedule: the part of the groups follows the schedule, those that lose least first; a finished group has its zeros.
func TestNMSchedule(t *testing.T) {
	g := dense(t, []int{8, 3}, normal(24, 4))
	p := Prune{N: 2, M: 4, Schedule: Polynomial{Final: 0.5, Power: 1, End: 6, Frequency: 1}}
	must(t, p.Apply(g))
	for step := range 6 {
		must(t, p.BeforeStep(g, step))
		w, full := kernel(t, g, "d"), g.Var("d/kernel").Data
		var kept, lost []float32
		for o := range 3 {
			for i := 0; i < 8; i += 4 {
				z := 0
				var m []float32
				for j := i; j < i+4; j++ {
					m = append(m, abs(full[j*3+o]))
					if w[j*3+o] == 0 {
						z++
					}
				}
				slices.Sort(m)
				switch z {
				case 0:
					kept = append(kept, m[0]+m[1])
				case 2:
					lost = append(lost, m[0]+m[1])
				default:
					t.Errorf("step %d: a group with %d zeros", step+1, z)
				}
			}
		}
		if len(lost) != step+1 {
			t.Errorf("step %d: %d groups of 6", step+1, len(lost))
		}
		if len(kept) > 0 && slices.Max(lost) > slices.Min(kept) {
			t.Errorf("step %d: lost %v, kept %v", step+1, lost, kept)
		}
	}
}

// TestBlocks: ragged planes of a convolution keep or lose whole blocks.
func TestBlocks(t *testing.T) {
	for _, pooling := range []string{"", "max"} {
		g := trace(t, layers.Shape{4, 4, 5}, layers.Conv2D{Filters: 7, Kernel: 3})
		p := Prune{Schedule: Constant{Sparsity: 0.5}, Block: [2]int{2, 4}, Pooling: pooling}
		must(t, p.Apply(g))
		must(t, p.Finish(g))
		w := kernel(t, g, "conv2d")
		gone := 0
		for tap := range 9 {
			for r := 0; r < 5; r += 2 {
				for c := 0; c < 7; c += 4 {
					z, n := 0, 0
					for i := r; i < min(r+2, 5); i++ {
						for o := c; o < min(c+4, 7); o++ {
							n++
							if w[(tap*5+i)*7+o] == 0 {
								z++
							}
						}
					}
					if z != 0 && z != n {
						t.Errorf("a block with %d zeros of %d", z, n)
					}
					gone += z / n
				}
			}
		}
		if gone != 27 {
			t.Errorf("%d blocks of 54 are gone", gone)
		}
		pr, err := graph.PromiseOf(g.Op("conv2d/kernel/mask").Out)
		if err != nil || pr.Block != p.Block || pr.Zeros != zeros(w) {
			t.Errorf("promise %+v, %v", pr, err)
		}
	}
}

// TestTiedKernels: layers that share a kernel share its mask, and one that a rule leaves alone reads the kernel itself.
func TestTiedKernels(t *testing.T) {
	b := graph.NewBuilder("tied", 1)
	w := b.Var("kernel", graph.Weight, graph.Shape{4, 4}, func(x []float32, _ graph.Shape, r *rand.Rand) { copy(x, normal(16, 1)) })
	x := b.Op("a/dense", graph.Dense{}, b.Input("x", 4), w)
	x = b.Op("b/dense", graph.Dense{}, x, w)
	g, err := b.Graph(b.Op("c/dense", graph.Dense{}, x, w))
	must(t, err)
	p := Prune{Schedule: Constant{Sparsity: 0.75}, Rules: []Rule{{Match: "b", Skip: true}}}
	must(t, p.Apply(g))
	must(t, p.Finish(g))
	for layer, want := range map[string]int{"a": 12, "b": 0, "c": 12} {
		if got := zeros(kernel(t, g, layer)); got != want {
			t.Errorf("%s: %d zeros, want %d", layer, got, want)
		}
	}
	x1 := normal(4, 2)
	before := outputs(t, g, x1)
	must(t, graph.Strip(g))
	if after := outputs(t, g, x1); !slices.Equal(before, after) {
		t.Errorf("stripping: %v, before %v", after, before)
	}
}

// TestErrors: what cannot be done is said before anything changes.
func TestErrors(t *testing.T) {
	ok := Constant{Sparsity: 0.5}
	g := smallNet(t)
	pruned := g.Clone()
	must(t, Prune{}.Apply(pruned))
	quantized := g.Clone()
	must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: examples(t, g, 8)}}.Apply(quantized))
	for _, c := range []struct {
		name string
		p    Prune
		g    *graph.Graph
		want []string
	}{
		{"sparsity 1", Prune{Schedule: Constant{Sparsity: 1}}, g, []string{"sparsity 1 ", "[0, 1)"}},
		{"negative sparsity", Prune{Schedule: Constant{Sparsity: -0.1}}, g, []string{"-0.1", "[0, 1)"}},
		{"not a number", Prune{Schedule: Constant{Sparsity: math.NaN()}}, g, []string{"NaN", "[0, 1)"}},
		{"polynomial", Prune{Schedule: Polynomial{Final: 1, End: 5}}, g, []string{"[0, 1)"}},
		{"polynomial without end", Prune{Schedule: Polynomial{Final: 0.5}}, g, []string{"begin < end"}},
		{"no update", Prune{Schedule: Polynomial{Final: 0.5, End: 50}}, g, []string{"no update", "frequency 100"}},
		{"begin after end", Prune{Schedule: Constant{Sparsity: 0.5, Begin: 9, End: 5}}, g, []string{"begin 9", "end 5"}},
		{"rule's sparsity", Prune{Rules: []Rule{{Match: "point", Sparsity: 1.5}}}, g, []string{`rule "point"`, "1.5"}},
		{"4 of 4", Prune{N: 4, M: 4}, g, []string{"4 zeros of every 4", "N < M"}},
		{"too long a group", Prune{N: 4, M: 128}, g, []string{"M <= 64"}},
		{"impossible for the shape", Prune{Schedule: ok, Rules: []Rule{{Match: "conv2d", N: 2, M: 4}}}, g, []string{"conv2d", "2 zeros of every 4 along 2 input channels", "[3,3,2,8]"}},
		{"impossible for depthwise", Prune{N: 2, M: 4, Rules: []Rule{{Match: "DepthwiseConv2D"}}}, g, []string{"depthwise_conv2d", "1 input channels"}},
		{"another sparsity", Prune{Schedule: Constant{Sparsity: 0.8}, N: 2, M: 4}, g, []string{"0.5", "0.8"}},
		{"both patterns", Prune{N: 2, M: 4, Block: [2]int{2, 2}}, g, []string{"exclude"}},
		{"global blocks", Prune{Global: true, Block: [2]int{2, 2}}, g, []string{"Global"}},
		{"pooling", Prune{Pooling: "sum", Block: [2]int{2, 2}}, g, []string{`"sum"`, "avg"}},
		{"pattern", Prune{Rules: []Rule{{Match: "pont", Sparsity: 0.5}}}, g, []string{`"pont" matches no layer`, "point"}},
		{"nothing left", Prune{Rules: []Rule{{Match: "*", Skip: true}}}, g, []string{"no layer to prune", "left alone"}},
		{"twice", Prune{}, pruned, []string{"conv2d is pruned already", "Strip"}},
		{"after quantization", Prune{}, quantized, []string{"quantized already", "the order is prune, cluster, quantize"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := c.g.String()
			err := c.p.Apply(c.g)
			wantError(t, err, append(c.want, "prune: ")...)
			if c.g.String() != before {
				t.Error("the graph changed")
			}
		})
	}
	wantError(t, Prune{}.BeforeStep(g, 99), "step 100", "no mask")
	must(t, Prune{}.BeforeStep(g, 5)) // nothing is looked at between updates
}

// fit is a short training of smallNet with a schedule of Prune in it.
func fit(path string) optim.Fit {
	return optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Solver: &optim.Adam{LearningRate: 0.01}, Batch: 8, Epochs: 2, Seed: 3, Checkpoint: path}
}

func hook(p Prune) optim.Hook { return optim.Hook{BeforeStep: p.BeforeStep} }

// TestResume: a training that stops anywhere in the schedule goes on to the same bits.
func TestResume(t *testing.T) {
	for name, p := range map[string]Prune{
		"polynomial": {Schedule: Polynomial{Initial: 0.2, Final: 0.8, Begin: 1, End: 9, Frequency: 2}},
		"global":     {Schedule: Constant{Sparsity: 0.6, Begin: 2, Frequency: 3}, Global: true},
		"nm":         {Schedule: Polynomial{Final: 0.5, Begin: 1, End: 9, Frequency: 2}, N: 2, M: 4},
		"block":      {Schedule: Polynomial{Final: 0.5, Begin: 1, End: 9, Frequency: 2}, Block: [2]int{1, 4}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			start := smallNet(t)
			data := examples(t, start, 44) // 6 steps an epoch
			must(t, p.Apply(start))
			whole := filepath.Join(dir, "whole.temper")
			_, err := fit(whole).Run(context.Background(), start.Clone(), data, hook(p))
			must(t, err)
			want, err := os.ReadFile(whole)
			must(t, err)
			for stop := 1; stop < 12; stop += 2 {
				path := filepath.Join(dir, "stopped.temper")
				ctx, cancel := context.WithCancel(context.Background())
				stopper := optim.Hook{AfterStep: func(step int, _ float64) error {
					if step == stop {
						cancel()
					}
					return nil
				}}
				_, err := fit(path).Run(ctx, start.Clone(), data, hook(p), stopper)
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("stopped at step %d with %v", stop, err)
				}
				c, err := graph.Load(path)
				must(t, err)
				_, err = fit(path).Resume(context.Background(), c, data, hook(p))
				must(t, err)
				if got, err := os.ReadFile(path); err != nil || !slices.Equal(got, want) {
					t.Errorf("stopped at step %d: another file, %v", stop, err)
				}
			}
		})
	}
}

// TestNMThroughQAT: 2:4 stays in the file after quantization-aware training, with BatchNorm, folded or not, and depthwise layers around.
func TestNMThroughQAT(t *testing.T) {
	g := smallNet(t)
	data := examples(t, g, 48)
	p := Prune{N: 2, M: 4, Schedule: Polynomial{Final: 0.5, End: 10, Frequency: 2}}
	must(t, p.Apply(g))
	_, err := fit("").Run(context.Background(), g, data, hook(p))
	must(t, err)
	for _, fold := range []bool{false, true} {
		q := g.Clone()
		must(t, fakequant.QAT{Config: fakequant.Config{Calibration: data, FoldBatchNorm: fold}}.Apply(q))
		_, err = fit("").Run(context.Background(), q, data)
		must(t, err)
		m, err := export.TFLite(q, export.Options{})
		must(t, err)
		checkNM(t, m)
	}
}

// checkNM counts zeros in the groups of the codes.
func checkNM(t *testing.T, m *tflite.Model) {
	t.Helper()
	promised := map[string]bool{"point/kernel": true, "conv2d_transpose/kernel": true, "dense/kernel": true}
	for _, x := range m.Subgraphs[0].Tensors {
		if !promised[x.Name] {
			continue
		}
		delete(promised, x.Name)
		in := x.Shape[len(x.Shape)-1] // OHWI and OI: the input channels are last
		for i := 0; i < len(x.Data); i += in {
			for j := i; j < i+in; j += 4 {
				z, n := 0, min(4, i+in-j)
				for _, b := range x.Data[j : j+n] {
					if b == 0 {
						z++
					}
				}
				if z < n-2 {
					t.Fatalf("%s: a group of %d codes with %d zeros", x.Name, n, z)
				}
			}
		}
	}
	if len(promised) > 0 {
		t.Errorf("tensors %v are not in the file", promised)
	}
}
