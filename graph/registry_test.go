package graph

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachSample runs a test for every sample of every registered Kind.
func eachSample(t *testing.T, f func(t *testing.T, d *Def, s Sample)) {
	for _, name := range Kinds() {
		d := Lookup(name)
		if len(d.Samples) == 0 || d.Doc == "" {
			t.Errorf("%s has no samples or no doc", name)
		}
		for i, s := range d.Samples {
			t.Run(fmt.Sprintf("%s/%d", name, i), func(t *testing.T) { f(t, d, s) })
		}
	}
}

// sampleInputs are standard normal values unless the sample has its own, for a batch of n.
func sampleInputs(d *Def, s Sample, n int) [][]float32 {
	r := rand.New(rand.NewPCG(7, 7))
	var in [][]float32
	for i, shape := range s.In {
		x := make([]float32, shape.With(n).Volume())
		for j := range x {
			x[j] = float32(r.NormFloat64())
		}
		if d.Port(i).State {
			clear(x)
		}
		if s.Fill != nil {
			y := make([]float32, len(x))
			if s.Fill(i, y) {
				copy(x, y)
			}
		}
		in = append(in, x)
	}
	return in
}

func sampleKernel(t *testing.T, s Sample, n int, train bool) (Kernel, Shape) {
	t.Helper()
	out, err := s.Kind.Shape(s.In)
	if err != nil {
		t.Fatal(err)
	}
	c := Context{Op: "op", Out: out.With(n), Train: train}
	for _, shape := range s.In {
		c.In = append(c.In, shape.With(n))
	}
	k, err := s.Kind.Kernel(c)
	if err != nil {
		t.Fatal(err)
	}
	return k, c.Out
}

// TestGradients compares every Kind's backward pass with central differences of its forward pass.
func TestGradients(t *testing.T) {
	eachSample(t, func(t *testing.T, d *Def, s Sample) {
		if s.Kink != "" {
			t.Log("no finite differences:", s.Kink)
			return
		}
		const n = 3
		in := sampleInputs(d, s, n)
		k, out := sampleKernel(t, s, n, true)
		r := rand.New(rand.NewPCG(9, 9))
		y, dy := make([]float32, out.Volume()), make([]float32, out.Volume())
		for i := range dy {
			dy[i] = float32(r.NormFloat64())
		}
		loss := func() float64 {
			k.Forward(y, in)
			sum := 0.0
			for i, v := range y {
				sum += float64(v) * float64(dy[i])
			}
			return sum
		}
		loss()
		dx := make([][]float32, len(in))
		for i := range in {
			if d.Port(i).Diff {
				dx[i] = make([]float32, len(in[i]))
				for j := range dx[i] {
					dx[i][j] = 99 // every element must be written
				}
			}
		}
		k.Backward(dx, in, y, dy)
		const h = 1e-2
		for i := range in {
			for range min(12, len(dx[i])) {
				j := r.IntN(len(in[i]))
				old := in[i][j]
				in[i][j] = old + h
				up := loss()
				in[i][j] = old - h
				down := loss()
				in[i][j] = old
				want := (up - down) / (2 * h)
				if got := float64(dx[i][j]); math.Abs(got-want) > 2e-2*(1+math.Abs(want)) {
					t.Errorf("gradient of input %d (%s) at %d is %g, differences say %g", i, d.Port(i).Name, j, got, want)
				}
			}
		}
	})
}

// TestBatchIndependence: in inference an example's output does not depend on the others in its batch.
func TestBatchIndependence(t *testing.T) {
	eachSample(t, func(t *testing.T, d *Def, s Sample) {
		if !s.In[0].Batched() {
			return // a constant: no examples
		}
		in := sampleInputs(d, s, 3)
		all, out := sampleKernel(t, s, 3, false)
		y := make([]float32, out.Volume())
		all.Forward(y, in)
		one, out1 := sampleKernel(t, s, 1, false)
		y1 := make([]float32, out1.Volume())
		for i := range 3 {
			part := make([][]float32, len(in))
			for j, shape := range s.In {
				part[j] = in[j]
				if shape.Batched() {
					part[j] = in[j][i*shape.Volume() : (i+1)*shape.Volume()]
				}
			}
			one.Forward(y1, part)
			for j, v := range y1 {
				if math.Abs(float64(v-y[i*len(y1)+j])) > 1e-5*(1+math.Abs(float64(v))) {
					t.Fatalf("example %d, value %d: %g alone, %g in a batch", i, j, v, y[i*len(y1)+j])
				}
			}
		}
	})
}

// TestSampleText: every attribute survives the text form.
func TestSampleText(t *testing.T) {
	eachSample(t, func(t *testing.T, d *Def, s Sample) {
		g := sampleGraph(t, d, s)
		again, err := Parse(g.String())
		if err != nil {
			t.Fatal(err)
		}
		if again.String() != g.String() {
			t.Errorf("text changed:\n%s\n%s", g, again)
		}
	})
}

// sampleGraph is a graph of one Op.
func sampleGraph(t *testing.T, d *Def, s Sample) *Graph {
	t.Helper()
	b := NewBuilder("sample", 1)
	var in []*Value
	for i, shape := range s.In {
		name := fmt.Sprintf("in%d", i)
		switch {
		case shape.Batched():
			in = append(in, b.Input(name, shape[1:]...))
		case d.Port(i).State:
			in = append(in, b.Var(name, State, shape, nil))
		default:
			in = append(in, b.Var(name, Weight, shape, nil))
		}
	}
	g, err := b.Graph(b.Op("op", s.Kind, in...))
	if err != nil {
		t.Fatal(err)
	}
	return g
}
