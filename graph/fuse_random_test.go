package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// randomNet is a network of random chains: convolutions of both kinds with and without bias, BatchNorm, activation, FakeQuant, Dropout and pooling, residual
// additions, values with several readers and readers that cannot load, outputs in the middle. It tells whether a pooling chooses among rounded values.
func randomNet(t *testing.T, seed uint64) (g *Graph, roundedPool bool) {
	r := rand.New(rand.NewPCG(seed, 7))
	chance := func(p float64) bool { return r.Float64() < p }
	b := NewBuilder("random", seed)
	n := 0
	name := func(kind string) string { n++; return fmt.Sprintf("%s%d", kind, n) }
	state := func(v float32, s ...int) *Value { return b.Var(name("state"), State, Shape(s), fill(v)) }
	rounded := map[*Value]bool{}
	quantize := func(x *Value) *Value {
		k := FakeQuant{Bits: 8 + r.IntN(8), Symmetric: chance(0.2), Narrow: chance(0.2), Observer: "ema", Momentum: 0.9}
		if chance(0.2) {
			k.Observer, k.Momentum = "", 0
		}
		in := []*Value{x, state(2, 2)}
		in[1].Var.Data[0] = -2
		if chance(0.4) {
			k.Delay, k.Freeze = r.IntN(3), r.IntN(3)
			in = append(in, state(0, 1))
		}
		y := b.Op(name("quant"), k, in...)
		rounded[y] = true
		return y
	}
	activate := func(x *Value) *Value {
		switch r.IntN(3) {
		case 0:
			return b.Op(name("relu"), ReLU{}, x)
		case 1:
			return b.Op(name("relu6"), ReLU6{}, x)
		}
		return x
	}
	finishValue := func(x *Value) *Value {
		x = activate(x)
		if chance(0.4) {
			x = quantize(x)
		}
		if pool := (MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}); chance(0.2) && x.Shape[1]%2 == 0 && x.Shape[2]%2 == 0 {
			roundedPool = roundedPool || rounded[x]
			x = b.Op(name("pool"), pool, x)
		}
		if chance(0.2) {
			x = b.Op(name("drop"), Dropout{Rate: 0.3, Seed: seed}, x, state(0, 1))
		}
		return x
	}
	conv := func(x *Value, out int) *Value {
		c := x.Shape.Channels()
		switch size := 1 + 2*r.IntN(2); {
		case out == c && chance(0.4):
			x = b.Op(name("depthwise"), DepthwiseConv2D{Padding: Same}, x, b.Var(name("kernel"), Weight, Shape{3, 3, c}, gauss))
		default:
			x = b.Op(name("conv"), Conv2D{Padding: Same}, x, b.Var(name("kernel"), Weight, Shape{size, size, c, out}, gauss))
		}
		if chance(0.6) {
			x = b.Op(name("biased"), BiasAdd{}, x, b.Var(name("bias"), Bias, Shape{out}, gauss))
		}
		if chance(0.5) {
			x = batchNorm(b, name("norm"), x, BatchNorm{Frozen: chance(0.2)})
		}
		return x
	}
	x := b.Input("x", 8, 8, 3)
	var outputs []*Value
	for range 3 + r.IntN(4) {
		out := []int{3, 8, 16, 33}[r.IntN(4)]
		y := finishValue(conv(x, out))
		switch r.IntN(5) {
		case 0: // residual
			z := conv(y, out)
			x = finishValue(b.Op(name("sum"), Add{}, z, y))
		case 1: // a reader that cannot load
			x = b.Op(name("sum"), Add{}, y, b.Op(name("tanh"), Tanh{}, y))
		case 2:
			outputs = append(outputs, y)
			x = y
		default:
			x = y
		}
	}
	if chance(0.5) {
		x = b.Op(name("mean"), GlobalAvgPool{}, x)
	}
	x = b.Op(name("flat"), Reshape{To: []int{x.Shape[1:].Volume()}}, x)
	x = b.Op(name("dense"), Dense{}, x, b.Var(name("kernel"), Weight, Shape{x.Shape.Channels(), 5}, gauss))
	g = finish(t, b, x)
	g.Outputs = append(g.Outputs, outputs...)
	return g, roundedPool
}

// TestFusionOfRandomNetworks: random networks give the same losses, gradients and states with and without fusion. Where no BatchNorm is, the losses and
// ranges are the same bits: nothing is added up in another order before the gradients. A difference in the last bit may move a value by one step of a quantizer or across
// a kink, hence the tolerance of the others.
func TestFusionOfRandomNetworks(t *testing.T) {
	for seed := range uint64(150) {
		one, rounded := randomNet(t, seed)
		all := one.Clone()
		single, err := NewTrain(one, squares{}, Unfused)
		if err != nil {
			t.Fatal(err)
		}
		fused := trainer(t, all, squares{})
		fail := func(format string, a ...any) {
			t.Helper()
			t.Fatalf("network %d: %s\n%s", seed, fmt.Sprintf(format, a...), fused.Plan())
		}
		norm := strings.Contains(fused.Plan(), "BatchNorm")
		exact := !norm && !strings.Contains(fused.Plan(), "GlobalAvgPool")
		for i, n := range []int{19, 2, 19} {
			x, target := normal(n*8*8*3, seed+100*uint64(i)), normal(n*5, seed)
			a, b := step(t, single, 0, target, x), step(t, fused, 0, target, x)
			if exact && a != b || !(math.Abs(a-b) <= 2e-3*math.Abs(a)) {
				fail("step %d: loss %g one by one, %g fused", i, a, b)
			}
			for j, v := range single.Params() {
				if v.Role == Bias || rounded { // a bias before BatchNorm has no gradient but rounding errors; a pooling may choose among equals
					continue
				}
				if e := difference(fused.Grads()[j], single.Grads()[j]); e > 2e-2 || exact && e > 1e-5 {
					fail("step %d: gradient of %s: relative difference %.1e", i, v.Name, e)
				}
			}
			for j, v := range one.Vars {
				if e := difference(all.Vars[j].Data, v.Data); e > 2e-2 || exact && e != 0 {
					fail("step %d: %s %s is %v, want %v", i, v.Role, v.Name, all.Vars[j].Data, v.Data)
				}
			}
			for j := range one.Outputs {
				if e := difference(fused.Output(j), single.Output(j)); e > 1e-2 || exact && e != 0 {
					fail("step %d: output %d: relative difference %.1e", i, j, e)
				}
			}
		}
		plain, err := NewEval(one, Unfused)
		if err != nil {
			t.Fatal(err)
		}
		x := normal(4*8*8*3, seed)
		if e := difference(infer1(t, evaluator(t, one), x), infer1(t, plain, x)); e > 1e-2 || exact && e != 0 {
			fail("inference: relative difference %.1e", e)
		}
	}
}

// TestThreadsOfRandomNetworks: losses, gradients and states are the same bits for any number of threads.
func TestThreadsOfRandomNetworks(t *testing.T) {
	old := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(old)
	const n = 21
	for seed := range uint64(30) {
		g, _ := randomNet(t, seed)
		var sessions []*Session
		var graphs []*Graph
		for _, threads := range []int{1, 2, 5} {
			runtime.GOMAXPROCS(threads)
			c := g.Clone()
			s := trainer(t, c, squares{})
			for i := range uint64(2) {
				step(t, s, 0.01, normal(n*5, seed+i), normal(n*8*8*3, seed+i))
			}
			sessions, graphs = append(sessions, s), append(graphs, c)
		}
		for i, s := range sessions[1:] {
			for j, v := range s.Params() {
				if !slices.Equal(s.Grads()[j], sessions[0].Grads()[j]) {
					t.Fatalf("network %d: gradient of %s differs with more threads\n%s", seed, v.Name, s.Plan())
				}
			}
			for j, v := range graphs[i+1].Vars {
				if !slices.Equal(v.Data, graphs[0].Vars[j].Data) {
					t.Fatalf("network %d: %s differs with more threads\n%s", seed, v.Name, s.Plan())
				}
			}
		}
	}
}

// difference is the distance of two vectors, relative to the length of want.
func difference(got, want []float32) float64 {
	norm, diff := 0.0, 0.0
	for i, w := range want {
		norm += float64(w) * float64(w)
		d := float64(got[i]) - float64(w)
		diff += d * d
	}
	if diff == 0 {
		return 0
	}
	return math.Sqrt(diff / (norm + 1e-12)) // a mean that BatchNorm takes away is rounding errors around zero
}
