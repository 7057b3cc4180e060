package graph_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// vectors are cases that TensorFlow computed (testdata/fakequant.py), row by row.
type vectors struct {
	config     []int32 // bits, narrow
	ranges     []float32
	x, y, dx   []float32
	cases      int
	channels   int // 1 for a range a tensor
	perCase    int // values of x
	rangeWidth int // values of range
}

func readVectors(t *testing.T, name string) vectors {
	t.Helper()
	arrays, err := npz.Read("testdata/fakequant.npz")
	if err != nil {
		t.Fatal(err)
	}
	floats := func(key string) []float32 { return arrays[name+"_"+key].Data.([]float32) }
	v := vectors{
		config: arrays[name+"_config"].Data.([]int32),
		ranges: floats("range"), x: floats("x"), y: floats("y"), dx: floats("dx"),
	}
	v.cases = len(v.config) / 2
	v.perCase, v.rangeWidth = len(v.x)/v.cases, len(v.ranges)/v.cases
	v.channels = v.rangeWidth / 2
	if v.cases < 90 {
		t.Fatalf("%d cases of %s: the file is cut", v.cases, name)
	}
	return v
}

// vector is one case of vectors.
type vector struct {
	name     string
	levels   quant.Levels
	r        []float32 // minima, then maxima
	x, y, dx []float32
}

func (v vectors) at(i int) vector {
	l := quant.Levels{Bits: int(v.config[2*i]), Narrow: v.config[2*i+1] == 1, PerAxis: v.channels > 1}
	r := v.ranges[i*v.rangeWidth:][:v.rangeWidth]
	cut := func(a []float32) []float32 { return a[i*v.perCase:][:v.perCase] }
	return vector{fmt.Sprintf("bits %d narrow %t range %v", l.Bits, l.Narrow, r), l, r, cut(v.x), cut(v.y), cut(v.dx)}
}

// empty ranges and ranges without zero are where TensorFlow computes something that no int8 tensor holds: see the tests at the end.
func (c vector) plain() bool {
	n := len(c.r) / 2
	for i := range n {
		if lo, hi := c.r[i], c.r[n+i]; lo > 0 || hi < 0 || lo == hi {
			return false
		}
	}
	return true
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// TestNudgeEqualsTensorFlow holds for every range but the empty one: forward bit for bit, and where the gradient passes.
func TestNudgeEqualsTensorFlow(t *testing.T) {
	for _, name := range []string{"tensor", "channel"} {
		v := readVectors(t, name)
		for i := range v.cases {
			c := v.at(i)
			for ch := range v.channels {
				lo, hi := c.r[ch], c.r[v.channels+ch]
				if lo == hi {
					continue
				}
				n := quant.Nudge(quant.Range{Min: lo, Max: hi}, c.levels)
				x, y, all := column(c.x, ch, v.channels), column(c.y, ch, v.channels), make([]float32, v.perCase/v.channels)
				n.ApplyAll(all, x)
				for j := range x {
					if got := n.Apply(x[j]); !sameBits(got, y[j]) || !sameBits(all[j], y[j]) {
						t.Fatalf("%s, channel %d: Apply(%g) = %g, ApplyAll %g, TensorFlow %g", c.name, ch, x[j], got, all[j], y[j])
					}
					if got, want := n.Inside(x[j]), c.dx[j*v.channels+ch] != 0; got != want {
						t.Fatalf("%s, channel %d: the gradient at %g passes: %t, in TensorFlow %t", c.name, ch, x[j], got, want)
					}
					if n.Min <= 0 && n.Max >= 0 {
						if got := float32(float32(n.Code(x[j])) * n.Scale); !sameBits(got, y[j]) {
							t.Fatalf("%s, channel %d: Code(%g)*Scale = %g, TensorFlow %g", c.name, ch, x[j], got, y[j])
						}
					}
				}
			}
		}
	}
}

func column(x []float32, ch, channels int) []float32 {
	var out []float32
	for i := ch; i < len(x); i += channels {
		out = append(out, x[i])
	}
	return out
}

// TestFakeQuantEqualsTensorFlow compares the Kind's kernel, forward and straight-through gradient, in training and in inference.
func TestFakeQuantEqualsTensorFlow(t *testing.T) {
	for _, name := range []string{"tensor", "channel"} {
		v := readVectors(t, name)
		compared := 0
		for i := range v.cases {
			c := v.at(i)
			for _, train := range []bool{false, true} {
				y, dx := runFakeQuant(t, c, v.channels, train)
				for j := range y {
					ch := j % v.channels
					one := vector{r: []float32{c.r[ch], c.r[v.channels+ch]}}
					if !one.plain() {
						continue
					}
					compared++
					if !sameBits(y[j], c.y[j]) || !sameBits(dx[j], c.dx[j]) {
						t.Fatalf("%s, value %d: FakeQuant(%g) = %g with gradient %g, TensorFlow %g with %g", c.name, j, c.x[j], y[j], dx[j], c.y[j], c.dx[j])
					}
				}
			}
		}
		if compared < 2000 {
			t.Errorf("%s: only %d values compared", name, compared)
		}
	}
}

// runFakeQuant runs the kernel on one case, with the gradients 1, 2, 3, ... of the frozen file.
func runFakeQuant(t *testing.T, c vector, channels int, train bool) (y, dx []float32) {
	t.Helper()
	kind := graph.FakeQuant{Bits: c.levels.Bits, Narrow: c.levels.Narrow, PerAxis: channels > 1}
	x, r := graph.Shape{len(c.x) / channels, channels}, graph.Shape{2}
	if channels > 1 {
		r = graph.Shape{2, channels}
	}
	out, err := kind.Shape([]graph.Shape{x, r})
	if err != nil {
		t.Fatal(err)
	}
	k, err := kind.Kernel(graph.Context{Op: "q", In: []graph.Shape{x, r}, Out: out, Train: train})
	if err != nil {
		t.Fatal(err)
	}
	y, dx = make([]float32, len(c.x)), make([]float32, len(c.x))
	dy := make([]float32, len(c.x))
	for i := range dy {
		dy[i] = float32(i + 1)
	}
	in := [][]float32{c.x, c.r}
	k.Forward(y, in)
	k.Backward([][]float32{dx, nil}, in, y, dy)
	return y, dx
}

// TestFakeQuantWithoutZero: a range on one side of zero is widened, as a TFLite tensor must hold zero, where TensorFlow moves it to start at zero.
func TestFakeQuantWithoutZero(t *testing.T) {
	for _, r := range [][2]float32{{0.25, 1.5}, {-2.5, -0.5}} {
		c := vector{levels: quant.Levels{Bits: 8}, r: r[:], x: []float32{r[0], r[1], 0, -5, 5}}
		y, _ := runFakeQuant(t, c, 1, false)
		wide := vector{levels: c.levels, r: []float32{min(r[0], 0), max(r[1], 0)}, x: c.x}
		want, _ := runFakeQuant(t, wide, 1, false)
		for i := range y {
			if !sameBits(y[i], want[i]) {
				t.Errorf("range %v: FakeQuant(%g) = %g, with zero in the range %g", r, c.x[i], y[i], want[i])
			}
		}
		if end := max(-r[0], r[1]); math.Abs(float64(max(-y[0], y[1])-end)) > 1e-6 {
			t.Errorf("range %v: its far end becomes %v", r, y[:2])
		}
	}
}

// TestFakeQuantEmptyRange: TensorFlow answers 0 for the range [0, 0]; ours is [0, 1e-6], since a file needs a scale. Zero stays zero.
func TestFakeQuantEmptyRange(t *testing.T) {
	for _, symmetric := range []bool{false, true} {
		kind := graph.FakeQuant{Bits: 8, Symmetric: symmetric, Narrow: symmetric}
		q, err := kind.Quantizers(nil, []float32{0, 0})
		if err != nil {
			t.Fatal(err)
		}
		if got := q[0].Apply(0); got != 0 {
			t.Errorf("symmetric %t: zero becomes %g", symmetric, got)
		}
		if got := q[0].Apply(3); got < 0 || got > 1.1e-6 {
			t.Errorf("symmetric %t: 3 becomes %g, want at most 1e-6", symmetric, got)
		}
	}
}
