package clustering

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
	"github.com/temper-ml/temper/sparsity"
)

// chains are what may happen to a network, in the order of conditioners.
func chains() map[string][]func(g *graph.Graph) error {
	prune := func(g *graph.Graph) error {
		p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: 0.6}}
		if err := p.Apply(g); err != nil {
			return err
		}
		return p.Finish(g)
	}
	all := map[string][]func(g *graph.Graph) error{}
	for _, c := range []Cluster{
		{Codes: 8}, {Codes: 5, Grid: Float}, {Codes: 6, PerChannel: true}, {Codes: 6, PerChannel: true, Grid: Float},
		{Codes: 7, Init: Linear, PerChannelDense: true}, {Codes: 7, Init: Density, Mean: true}, {Codes: 4, Init: Random, Grid: Float},
	} {
		name := fmt.Sprintf("%+v", c)
		all[name] = []func(g *graph.Graph) error{c.Apply}
		all["prune "+name] = []func(g *graph.Graph) error{prune, c.Apply}
		all["prune strip "+name] = []func(g *graph.Graph) error{prune, graph.Strip, c.Apply}
	}
	return all
}

// clusterOps are the Ops that Apply put in.
func clusterOps(g *graph.Graph) (ops []*graph.Op) {
	for _, o := range g.Ops {
		if graph.KindName(o.Kind) == "Cluster" {
			ops = append(ops, o)
		}
	}
	return ops
}

// train makes a few steps, so that weights, centroids and ranges are not where they began.
func train(t *testing.T, g *graph.Graph, steps int) {
	t.Helper()
	fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Solver: &optim.Adam{LearningRate: 0.01}, Batch: 8}
	_, err := fit.Run(context.Background(), g, examples(t, g, 8*steps))
	must(t, err)
}

// TestLaws: for every chain, at once and after training steps: shapes are kept, zeros stay zero and with pruning nothing else becomes zero, equal weights
// of a channel become equal, no more values than promised, applied twice nothing changes, the network after Strip computes the same bits.
func TestLaws(t *testing.T) {
	for name, chain := range chains() {
		t.Run(name, func(t *testing.T) {
			g := small(t)
			for _, apply := range chain {
				must(t, apply(g))
			}
			for _, steps := range []int{0, 5} {
				if steps > 0 {
					train(t, g, steps)
				}
				ops := clusterOps(g)
				if len(ops) < 4 {
					t.Fatalf("%d clusters in\n%s", len(ops), g)
				}
				for _, o := range ops {
					checkLaws(t, o)
				}
				x := make([]float32, g.Input().Shape.Volume())
				for i := range x {
					x[i] = float32(i%7) - 3
				}
				stripped := g.Clone()
				must(t, graph.Strip(stripped))
				if len(clusterOps(stripped)) > 0 || !slices.Equal(outputs(t, g, x), outputs(t, stripped, x)) {
					t.Error("the stripped network computes something else")
				}
			}
		})
	}
}

func checkLaws(t *testing.T, o *graph.Op) {
	t.Helper()
	x, err := graph.Const(o.In[0])
	must(t, err)
	y, err := graph.Const(o.Out)
	must(t, err)
	kind, channels := o.Kind.(graph.Cluster), o.Out.Shape.Channels()
	type seen struct {
		channel int
		x       float32
	}
	equal, values := map[seen]float32{}, make([]map[float32]bool, channels)
	for i, v := range x {
		c := i % channels
		if kind.Zero && v == 0 && y[i] != 0 || kind.Apart && v != 0 && y[i] == 0 {
			t.Fatalf("%s: %g became %g", o.Name, v, y[i])
		}
		if was, ok := equal[seen{c, v}]; ok && was != y[i] {
			t.Fatalf("%s: %g became %g and %g", o.Name, v, was, y[i])
		}
		equal[seen{c, v}] = y[i]
		if values[c] == nil {
			values[c] = map[float32]bool{}
		}
		values[c][y[i]] = true
	}
	for c, v := range values {
		if most := kind.Codes(o.In[1].Shape); len(v) > most {
			t.Fatalf("%s: %d values in channel %d of a codebook of %d", o.Name, len(v), c, most)
		}
	}
	again := slices.Clone(y)
	k, err := kind.Kernel(graph.Context{In: []graph.Shape{o.Out.Shape, o.In[1].Shape, o.In[len(o.In)-1].Shape}[:len(o.In)], Out: o.Out.Shape})
	must(t, err)
	in := [][]float32{y}
	for _, v := range o.In[1:] {
		in = append(in, v.Var.Data)
	}
	k.Forward(again, in)
	if !slices.Equal(again, y) {
		t.Fatalf("%s: applied twice it differs", o.Name)
	}
}

// TestFile: the int8 file has no more codes than promised in every clustered kernel, and after pruning exactly the zeros of the mask; after
// quantization with and without training, with BatchNorm of both signs.
func TestFile(t *testing.T) {
	networks := map[string]*graph.Graph{"small": small(t), "ds-cnn": model(t, "ds-cnn"), "resnet-8": model(t, "resnet-8")}
	for name, base := range networks {
		for _, pruned := range []bool{false, true} {
			for _, steps := range []int{0, 3} {
				for _, c := range []Cluster{{Codes: 16, Rules: []Rule{{Match: "dense_1", Skip: true}}}, {Codes: 6, Init: Linear, PerChannelDense: true}} {
					if name != "small" {
						c.Rules = nil
					}
					t.Run(fmt.Sprintf("%s pruned %v steps %d codes %d", name, pruned, steps, c.Codes), func(t *testing.T) {
						g := base.Clone()
						for i, v := range g.Vars {
							if v.Role == graph.Scale && i%2 == 0 { // gamma
								for j := range v.Data {
									v.Data[j] = float32(j%5) - 2.5
								}
							}
						}
						if pruned {
							p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: 0.7}}
							must(t, p.Apply(g))
							must(t, p.Finish(g))
						}
						must(t, c.Apply(g))
						q := fakequant.Config{Calibration: examples(t, g, 4)}
						if steps == 0 {
							must(t, fakequant.PTQ{Config: q}.Apply(g))
						} else {
							must(t, fakequant.QAT{Config: q}.Apply(g))
							train(t, g, steps)
						}
						m, err := export.TFLite(g, export.Options{})
						must(t, err)
						checkFile(t, g, m, pruned)
					})
				}
			}
		}
	}
}

func checkFile(t *testing.T, g *graph.Graph, m *tflite.Model, pruned bool) {
	t.Helper()
	data, err := m.Marshal()
	must(t, err)
	if m, err = tflite.Read(data); err != nil {
		t.Fatal(err)
	}
	for _, o := range clusterOps(g) {
		p, err := graph.PromiseOf(o.Out)
		must(t, err)
		name := root(o.Out).Name
		i := slices.IndexFunc(m.Subgraphs[0].Tensors, func(x *tflite.Tensor) bool { return x.Name == name })
		if i < 0 {
			t.Fatalf("no tensor %s in the file", name)
		}
		codes, zeros := map[byte]bool{}, 0
		for _, b := range m.Subgraphs[0].Tensors[i].Data {
			codes[b] = true
			if b == 0 {
				zeros++
			}
		}
		if len(codes) > p.Codes || p.Codes == 0 {
			t.Errorf("%s: %d codes, promised %d", name, len(codes), p.Codes)
		}
		if pruned && (p.Zeros == 0 || zeros != p.Zeros) {
			t.Errorf("%s: %d zeros, promised %d", name, zeros, p.Zeros)
		}
	}
}

// TestNegativeNorms: turning the sign of a channel changes no output.
func TestNegativeNorms(t *testing.T) {
	g := trace(t, layers.Shape{6, 6, 3}, layers.Conv2D{Filters: 8, Kernel: 3}, layers.BatchNorm{Activation: layers.ReLU}, layers.Conv2D{Filters: 4, Kernel: 3})
	for _, v := range g.Vars {
		for i := range v.Data {
			if v.Role != graph.Weight {
				v.Data[i] = float32(math.Sin(float64(i+len(v.Name)))) / 2
				if v.Shape.Volume() == 8 && v.Role == graph.State {
					v.Data[i] += 0.6
				}
			}
		}
	}
	x := examples(t, g, 1).Sample(1, 1)
	want := g.Clone()
	for _, o := range g.Heads() {
		must(t, positiveNorm(g, o))
	}
	for in := range x.Batches(0, 0, 1, 0) {
		if !slices.Equal(outputs(t, g, in), outputs(t, want, in)) {
			t.Error("the outputs differ")
		}
	}
	changed := 0
	for _, o := range want.Ops {
		if graph.KindName(o.Kind) != "BatchNorm" {
			continue
		}
		for i, v := range o.In[1].Var.Data {
			if g.Var(o.In[1].Name).Data[i] < 0 {
				t.Errorf("gamma %d is still negative", i)
			}
			if v < 0 {
				changed++
			}
		}
	}
	if changed == 0 {
		t.Error("no factor was negative: the test shows nothing")
	}
}

// TestResume: stopped at any step and gone on with from the checkpoint, the weights, centroids and ranges are the same bits.
func TestResume(t *testing.T) {
	run := func(stop int) *graph.Graph {
		g := small(t)
		must(t, Cluster{Codes: 8}.Apply(g))
		must(t, fakequant.QAT{Config: fakequant.Config{Calibration: examples(t, g, 4)}}.Apply(g))
		fit := optim.Fit{Loss: optim.SoftmaxCrossEntropy{}, Batch: 4, Epochs: 2, Checkpoint: t.TempDir() + "/x.temper"}
		data := examples(t, g, 16)
		if stop == 0 {
			_, err := fit.Run(context.Background(), g, data)
			must(t, err)
			return g
		}
		ctx, cancel := context.WithCancel(context.Background())
		_, err := fit.Run(ctx, g, data, optim.Hook{AfterStep: func(step int, _ float64) error {
			if step == stop {
				cancel()
			}
			return nil
		}})
		if err == nil {
			t.Fatal("it was not stopped")
		}
		c, err := graph.Load(fit.Checkpoint)
		must(t, err)
		_, err = fit.Resume(context.Background(), c, data)
		must(t, err)
		return c.Graph
	}
	want := run(0)
	for _, stop := range []int{1, 4, 6} {
		for i, v := range run(stop).Vars {
			if !slices.Equal(v.Data, want.Vars[i].Data) {
				t.Fatalf("stopped at step %d, %s differs", stop, v.Name)
			}
		}
	}
}

// TestRefusals: what cannot be says what to do, and leaves the graph alone.
func TestRefusals(t *testing.T) {
	quantized, clustered := small(t), small(t)
	must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: examples(t, quantized, 4)}}.Apply(quantized))
	must(t, Cluster{Codes: 8}.Apply(clustered))
	yes := true
	for _, c := range []struct {
		g    *graph.Graph
		by   Cluster
		want []string
	}{
		{quantized, Cluster{Codes: 8}, []string{"quantized already", "prune, cluster, quantize"}},
		{clustered, Cluster{Codes: 8}, []string{"clustered already"}},
		{small(t), Cluster{Codes: 256}, []string{"256 codes: want 3 to 255"}},
		{small(t), Cluster{Codes: 2, Grid: Float, PreserveSparsity: &yes}, []string{"2 codes: want 3 to 255"}},
		{small(t), Cluster{Codes: 100}, []string{"point: 100 codes for 96 weights", "skip"}},
		{small(t), Cluster{Codes: 13, PerChannel: true}, []string{"13 codes for 8 weights a channel"}},
		{small(t), Cluster{Rules: []Rule{{Match: "densee"}}}, []string{`"densee" matches no layer`, "dense"}},
		{small(t), Cluster{Grid: "int4"}, []string{`grid "int4"`}},
		{small(t), Cluster{Init: "kmeans"}, []string{`"kmeans"`, "k-means++"}},
		{small(t), Cluster{Rules: []Rule{{Match: "*", Skip: true}}}, []string{"no layer"}},
	} {
		before := c.g.String()
		wantError(t, c.by.Apply(c.g), c.want...)
		if c.g.String() != before {
			t.Errorf("%+v: the graph changed", c.by)
		}
	}
	wantError(t, sparsity.Prune{}.Apply(clustered), "clustered already", "prune, cluster, quantize")
	must(t, Cluster{Codes: 8}.Apply(small(t)))
	narrow := fakequant.PTQ{Config: fakequant.Config{Calibration: examples(t, clustered, 4), WeightBits: 4}}
	wantError(t, narrow.Apply(clustered), "grid of 8 bits")
}

// TestDescribe: every layer with a kernel has a row with its reason.
func TestDescribe(t *testing.T) {
	rows, err := Cluster{Codes: 8, Rules: []Rule{{Match: "point", PerChannel: true}, {Match: "dense", Codes: 5}, {Match: "dense_1", Skip: true}}}.Describe(small(t))
	must(t, err)
	var want []graph.Row
	for _, w := range [][3]string{
		{"conv2d", "8 codes, int8 grid, a scale a channel, k-means++", ""},
		{"depthwise", "left alone", "depthwise kernels have few weights and lose much accuracy"},
		{"point", "8 codes, int8 grid, a codebook a channel, a scale a channel, k-means++",
			"codebooks a channel fill the int8 file with nearly all codes: an NPU's weight decoder saves nothing by them (Vela: up to 6 % more bytes than without clusters)"},
		{"conv2d_transpose", "8 codes, int8 grid, a scale a channel, k-means++", ""},
		{"dense", "5 codes, int8 grid, k-means++", ""},
		{"dense_1", "left alone", `rule "dense_1" skips it`},
	} {
		want = append(want, graph.Row{Layer: w[0], Setting: w[1], Reason: w[2]})
	}
	if !slices.Equal(rows, want) {
		t.Errorf("%q", rows)
	}
	rows, err = Cluster{Codes: 4, Grid: Float}.Describe(model(t, "arm-example"))
	must(t, err)
	if rows[0].Setting != "left alone" || rows[1].Reason == "" || rows[3].Setting != "4 codes, float grid, k-means++" {
		t.Errorf("%q", rows)
	}
}

// TestFit: what the search for codes and scales reaches on kernels that lie on a grid, or nearly.
func TestFit(t *testing.T) {
	const channels = 6
	r := graph.Stream(1, "fit")
	codes := []float32{-127, -60, -31, 0, 5, 40, 90}
	x := make([]float32, 200*channels)
	for i := range x {
		x[i] = codes[r.IntN(len(codes))] / 127 * float32(i%channels+1) / 10
	}
	for _, noise := range []float32{0, 0.002} {
		noisy := slices.Clone(x)
		for i := range noisy {
			noisy[i] += noise * float32(r.NormFloat64())
		}
		for _, k := range []Init{KMeansPlusPlus, Density} {
			f := gridFit{x: noisy, scales: channels, n: len(codes) - 1, init: k, r: r}
			book, ranges := f.run()
			if e := math.Sqrt(f.error() / float64(len(x))); noise == 0 && e > 1e-3 || e > 3e-3 {
				t.Errorf("%s, noise %g: error %g, codes %v, ranges %v", k, noise, e, book, ranges)
			}
		}
	}
}

// TestLargeBias: a bias that forces a larger weight scale on a channel rounds its codes anew, but to codes that the kernel has.
func TestLargeBias(t *testing.T) {
	g := trace(t, layers.Shape{30}, layers.Dense{Name: "dense", Units: 4})
	for i := range g.Var("dense/kernel").Data {
		g.Var("dense/kernel").Data[i] *= 1e-6
	}
	copy(g.Var("dense/bias").Data, []float32{1, 40, -400, 0})
	for _, perChannel := range []bool{false, true} {
		g := g.Clone()
		must(t, Cluster{Codes: 5, PerChannelDense: perChannel}.Apply(g))
		must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: examples(t, g, 4)}}.Apply(g))
		q := g.Op("dense/kernel/cluster/fake_quant")
		was := slices.Clone(g.Var("dense/kernel/cluster/range").Data)
		m, err := export.TFLite(g, export.Options{})
		must(t, err)
		checkFile(t, g, m, false)
		i := slices.IndexFunc(m.Subgraphs[0].Tensors, func(x *tflite.Tensor) bool { return x.Name == "dense/kernel" })
		scale := m.Subgraphs[0].Tensors[i].Quant.Scale
		if last := scale[max(0, len(scale)-2)]; !(last > 1.01*was[len(was)-1]/127) {
			t.Errorf("per channel %v: scale %v of %s did not grow from %v: the test shows nothing", perChannel, scale, q.Name, was)
		}
	}
}

// TestShared: layers that share a kernel share its clusters; one that is left alone reads the kernel as it is, and its row says so.
func TestShared(t *testing.T) {
	b := graph.NewBuilder("shared", 1)
	y := b.Input("x", 8)
	w := b.Var("kernel", graph.Weight, graph.Shape{8, 8}, func(x []float32, _ graph.Shape, r *rand.Rand) {
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
	})
	for _, name := range []string{"a", "b", "c"} {
		b.Scope(name, func() { y = b.Op("dense", graph.Dense{}, y, w) })
	}
	g, err := b.Graph(y)
	must(t, err)
	c := Cluster{Codes: 4, Rules: []Rule{{Match: "a", Skip: true}}}
	rows, err := c.Describe(g)
	must(t, err)
	if rows[0].Setting != "left alone" || rows[2].Reason != "shares the kernel of b" {
		t.Errorf("%q", rows)
	}
	must(t, c.Apply(g))
	if in := g.Op("a/dense").In[1]; in != g.Var("kernel").Value {
		t.Errorf("a reads %s", in.Name)
	}
	if o := g.Op("b/dense").In[1].Op; len(clusterOps(g)) != 1 || o != clusterOps(g)[0] || g.Op("c/dense").In[1].Op != o {
		t.Errorf("the clusters are not shared:\n%s", g)
	}
	must(t, Cluster{Codes: 4, Rules: []Rule{{Match: "[bc]", Skip: true}}}.Apply(g)) // the other layer, by itself
}
