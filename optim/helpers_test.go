package optim

import (
	"bytes"
	"context"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
)

// rows is a data set in memory: x of width values and y of per targets an example.
type rows struct {
	x, y       []float32
	width, per int
}

func (d rows) Len() int { return len(d.y) / d.per }

func (d rows) Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		order := make([]int, d.Len())
		for i := range order {
			order[i] = i
		}
		if seed != 0 {
			r := rand.New(rand.NewPCG(seed, uint64(epoch)))
			r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		}
		x, y := make([]float32, 0, size*d.width), make([]float32, 0, size*d.per)
		for at := start * size; at < len(order); at += size {
			x, y = x[:0], y[:0]
			for _, k := range order[at:min(at+size, len(order))] {
				x, y = append(x, d.x[k*d.width:(k+1)*d.width]...), append(y, d.y[k*d.per:(k+1)*d.per]...)
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

// stripes are n images of 6x6 with a bright row or, the other class, a bright column, in noise.
func stripes(n int, seed uint64) rows {
	r := rand.New(rand.NewPCG(seed, 1))
	d := rows{width: 36, per: 1}
	for i := range n {
		x := make([]float32, 36)
		for j := range x {
			x[j] = float32(r.NormFloat64()) * 0.3
		}
		at, class := r.IntN(6), i%2
		for j := range 6 {
			if class == 0 {
				x[6*at+j]++
			} else {
				x[6*j+at]++
			}
		}
		d.x, d.y = append(d.x, x...), append(d.y, float32(class))
	}
	return d
}

// convNet has what keeps state in training: BatchNorm and dropout.
func convNet(t testing.TB) *graph.Graph {
	return trace(t, layers.Model{Name: "stripes", Seed: 3, Input: layers.Shape{6, 6, 1}, Layer: layers.Sequential{
		layers.Conv2D{Filters: 4, Kernel: 3, NoBias: true}, layers.BatchNorm{Activation: layers.ReLU}, layers.MaxPool2D{Size: 2},
		layers.Dropout{Rate: 0.25}, layers.Flatten{}, layers.Dense{Units: 2},
	}})
}

// wideNet is a convNet whose layers are work for several threads.
func wideNet(t testing.TB) *graph.Graph {
	return trace(t, layers.Model{Name: "wide", Seed: 3, Input: layers.Shape{6, 6, 1}, Layer: layers.Sequential{
		layers.UpSampling2D{Size: 4}, layers.Conv2D{Filters: 16, Kernel: 3, NoBias: true}, layers.BatchNorm{Activation: layers.ReLU},
		layers.DepthwiseConv2D{Kernel: 3, Stride: 2, Activation: layers.ReLU6}, layers.Dropout{Rate: 0.25},
		layers.Conv2D{Filters: 24, Kernel: 3, Activation: layers.ReLU}, layers.AvgPool2D{Size: 2}, layers.Flatten{}, layers.Dense{Units: 2},
	}})
}

// lineNet is one dense layer without an activation.
func lineNet(t testing.TB, in, out int) *graph.Graph {
	return trace(t, layers.Model{Name: "line", Seed: 1, Input: layers.Shape{in}, Layer: layers.Dense{Units: out}})
}

func trace(t testing.TB, m layers.Model) *graph.Graph {
	t.Helper()
	g, err := m.Trace()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func mustRun(t testing.TB, f Fit, g *graph.Graph, d Data, hooks ...Hook) *History {
	t.Helper()
	h, err := f.Run(context.Background(), g, d, hooks...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func mustLoad(t testing.TB, path string) *graph.Checkpoint {
	t.Helper()
	c, err := graph.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sameFile compares checkpoints by their bytes.
func sameFile(t testing.TB, a, b string) {
	t.Helper()
	if !bytes.Equal(mustRead(t, a), mustRead(t, b)) {
		t.Errorf("the checkpoints differ: %s", difference(mustLoad(t, a), mustLoad(t, b)))
	}
}

// difference names the first part of two checkpoints that is not the same.
func difference(a, b *graph.Checkpoint) string {
	if a.Graph.String() != b.Graph.String() {
		return "the graphs"
	}
	for _, v := range a.Graph.Vars {
		for i, x := range b.Graph.Var(v.Name).Data {
			if v.Data[i] != x {
				return "var " + v.Name
			}
		}
	}
	if a.Meta[placeKey] != b.Meta[placeKey] {
		return "\n" + a.Meta[placeKey] + "\n" + b.Meta[placeKey]
	}
	return "the state of the solver"
}

// nearlyTo compares numbers to an absolute margin.
func nearlyTo(margin float64) cmp.Option { return cmpopts.EquateApprox(0, margin) }

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
}
