package sparsity

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// frozenTable is testdata/tfmot.json, written by tfmot.py.
type frozenTable struct {
	Schedules, Traces []frozenSchedule
	Masks             []frozenMask
}

type frozenSchedule struct {
	Kind           string
	Sparsity       float64
	Initial, Final float64
	Begin, End     int
	Power          float64
	Frequency      int
	Sparsities     []float64 // at step 0, 1, ...
	Updates        []int
	Shape          []int
	Weights        []float32
	Zeros          []int // after each training step
}

type frozenMask struct {
	Shape    []int
	Weights  []float32
	Sparsity float64
	Block    [2]int
	Pooling  string
	NM       [2]int
	Mask     string
}

func readFrozen(t *testing.T) frozenTable {
	t.Helper()
	data, err := os.ReadFile("testdata/tfmot.json")
	if err != nil {
		t.Fatal(err)
	}
	var f frozenTable
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Schedules) != 9 || len(f.Traces) != 4 || len(f.Masks) != 70 {
		t.Fatalf("%d schedules, %d traces, %d masks: the file is cut", len(f.Schedules), len(f.Traces), len(f.Masks))
	}
	return f
}

func (f frozenSchedule) schedule() Schedule {
	if f.Kind == "constant" {
		return Constant{Sparsity: f.Sparsity, Begin: f.Begin, End: f.End, Frequency: f.Frequency}
	}
	return Polynomial{Initial: f.Initial, Final: f.Final, Begin: f.Begin, End: f.End, Power: f.Power, Frequency: f.Frequency}
}

// TestSchedulesOfTFMOT: the same sparsity and the same updates at every step, to the bit of float32; and Steps and Target are those of the last update.
func TestSchedulesOfTFMOT(t *testing.T) {
	for _, f := range readFrozen(t).Schedules {
		s := f.schedule()
		last, target := 0, 0.0
		for step, want := range f.Sparsities {
			got, update := s.At(step)
			if got != want {
				t.Errorf("%+v: sparsity %.9g at step %d, TFMOT's %.9g", s, got, step, want)
			}
			if step > 0 && update != (f.Updates[step] == 1) {
				t.Errorf("%+v: update %v at step %d", s, update, step)
			}
			if update && (last == 0 || f.End > 0) {
				last, target = step, got
			}
		}
		if f.Frequency > f.End && f.End > 0 {
			continue // no update in training: Check says so
		}
		if s.Steps() != last || float32(s.Target()) != float32(target) {
			t.Errorf("%+v: %d steps to %g, the table says %d to %g", s, s.Steps(), s.Target(), last, target)
		}
	}
}

// dense is a network of one dense layer.
func dense(t *testing.T, shape []int, w []float32) *graph.Graph {
	b := graph.NewBuilder("net", 1)
	x := b.Input("x", shape[0])
	g, err := b.Graph(b.Op("d/matmul", graph.Dense{}, x, b.Var("d/kernel", graph.Weight, shape, nil)))
	if err != nil {
		t.Fatal(err)
	}
	copy(g.Var("d/kernel").Data, w)
	return g
}

// TestTracesOfTFMOT: after each step of a training, as many zeros.
func TestTracesOfTFMOT(t *testing.T) {
	for _, f := range readFrozen(t).Traces {
		g := dense(t, f.Shape, f.Weights)
		p := Prune{Schedule: f.schedule()}
		if err := p.Apply(g); err != nil {
			t.Fatal(err)
		}
		for step, want := range f.Zeros {
			if err := p.BeforeStep(g, step); err != nil {
				t.Fatal(err)
			}
			if got := zeros(g.Var("d/kernel/mask/keep").Data); got != want {
				t.Errorf("%+v: %d zeros after step %d, TFMOT has %d", f.schedule(), got, step+1, want)
			}
		}
	}
}

func zeros(x []float32) (n int) {
	for _, v := range x {
		if v == 0 {
			n++
		}
	}
	return n
}

// TestMasksOfTFMOT: the same mask for the same weights.
func TestMasksOfTFMOT(t *testing.T) {
	for _, f := range readFrozen(t).Masks {
		p := Prune{Schedule: Constant{Sparsity: f.Sparsity}, Pooling: f.Pooling}
		if f.NM[1] > 0 {
			p.Schedule, p.N, p.M = nil, f.NM[0], f.NM[1]
		}
		if f.Block != [2]int{1, 1} {
			p.Block = f.Block
		}
		g := dense(t, f.Shape[len(f.Shape)-2:], nil)
		if len(f.Shape) == 4 {
			b := graph.NewBuilder("net", 1)
			w := b.Var("d/kernel", graph.Weight, f.Shape, nil)
			var err error
			if g, err = b.Graph(b.Op("d/conv", graph.Conv2D{Padding: graph.Same}, b.Input("x", 6, 6, f.Shape[2]), w)); err != nil {
				t.Fatal(err)
			}
		}
		copy(g.Var("d/kernel").Data, f.Weights)
		if err := p.Apply(g); err != nil {
			t.Fatal(err)
		}
		if err := p.Finish(g); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, v := range g.Var("d/kernel/mask/keep").Data {
			got = append(got, '0'+byte(v))
		}
		if string(got) != f.Mask {
			t.Errorf("shape %v, sparsity %g, block %v %s, zeros %v:\n%s, TFMOT's\n%s", f.Shape, f.Sparsity, f.Block, f.Pooling, f.NM, got, f.Mask)
		}
	}
}
