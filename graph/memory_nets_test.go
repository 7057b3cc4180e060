package graph_test

import (
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// one is a data set of one batch.
type one []float32

func (one) Len() int { return 1 }
func (x one) Batches(uint64, int, int, int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) { yield(x, nil) }
}

// TestSharedMemoryOfNetworks: every reference network, float and quantized, takes the same steps in shared memory as with each value in its own.
func TestSharedMemoryOfNetworks(t *testing.T) {
	for _, name := range models.Names() {
		for _, mode := range []string{"float", "qat"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				if testing.Short() && name[0] == 'm' {
					t.Skip("the MobileNets take seconds")
				}
				m, err := models.ByName(name, models.Options{Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				g, err := m.Trace()
				if err != nil {
					t.Fatal(err)
				}
				x := random(2 * g.Inputs[0].Shape.Volume())
				if mode == "qat" {
					if err := (fakequant.QAT{Config: fakequant.Config{Calibration: one(x)}}).Apply(g); err != nil {
						t.Fatal(err)
					}
				}
				target := random(2 * g.Outputs[0].Shape.Volume())
				own, shared := g, g.Clone()
				a := trainSteps(t, own, x, target, graph.PrivateMemory)
				b := trainSteps(t, shared, x, target)
				if !slices.Equal(a, b) {
					t.Errorf("losses %v with each value in its own memory, %v shared", a, b)
				}
				for i, v := range own.Vars {
					if !slices.Equal(v.Data, shared.Vars[i].Data) {
						t.Fatalf("var %s differs", v.Name)
					}
				}
			})
		}
	}
}

func random(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// trainSteps takes two steps of two examples and one of one, and returns the losses.
func trainSteps(t *testing.T, g *graph.Graph, x, target []float32, options ...graph.Option) (losses []float64) {
	s, err := graph.NewTrain(g, optim.MeanSquaredError{}, options...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, n := range []int{2, 2, 1} {
		loss, err := s.Step(target[:len(target)*n/2], x[:len(x)*n/2])
		if err != nil {
			t.Fatal(err)
		}
		losses = append(losses, loss)
		for i, v := range s.Params() {
			for j, d := range s.Grads()[i] {
				v.Data[j] -= 0.01 * d
			}
		}
	}
	return losses
}
