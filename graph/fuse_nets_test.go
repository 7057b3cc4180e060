package graph_test

import (
	"iter"
	"math"
	"testing"

	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// TestFusionOfNetworks: every reference network, float and quantized, has the same losses, gradients and states with and without fusion, within what one step of a
// quantizer here and there makes. In the MobileNets, quantized and untrained, with a BatchNorm over few values in every layer, such steps add up beyond comparison.
func TestFusionOfNetworks(t *testing.T) {
	for _, name := range models.Names() {
		for _, mode := range []string{"float", "qat"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				if testing.Short() && name[0] == 'm' {
					t.Skip("the MobileNets take seconds")
				}
				const n = 4
				m, err := models.ByName(name, models.Options{Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				one, err := m.Trace()
				if err != nil {
					t.Fatal(err)
				}
				x, target := random(n*one.Inputs[0].Shape.Volume()), random(n*one.Outputs[0].Shape.Volume())
				if mode == "qat" {
					if err := (fakequant.QAT{Config: fakequant.Config{Calibration: several{x, n}}}).Apply(one); err != nil {
						t.Fatal(err)
					}
				}
				all := one.Clone()
				a, ga := firstStep(t, one, x, target, graph.Unfused)
				b, gb := firstStep(t, all, x, target)
				deep := name[0] == 'm' && mode == "qat"
				if !(math.Abs(a-b) <= 5e-3*math.Abs(a)) && !(deep && math.Abs(a-b) <= 0.1*math.Abs(a)) {
					t.Errorf("loss %g one by one, %g fused", a, b)
				}
				if deep {
					return
				}
				for i, v := range one.Vars {
					if e := relative(all.Vars[i].Data, v.Data); e > 1e-3 {
						t.Errorf("%s %s: relative difference %.1e", v.Role, v.Name, e)
					}
				}
				// Behind a pooling of rounded values there are equals, of which another may have the gradient.
				limit := map[string]float64{"float": 2e-2, "qat": 0.3}[mode]
				for name, g := range ga {
					if e := relative(gb[name], g); e > limit {
						t.Errorf("gradient of %s: relative difference %.1e", name, e)
					}
				}
			})
		}
	}
}

// firstStep returns the loss and the gradients of the Weights.
func firstStep(t *testing.T, g *graph.Graph, x, target []float32, options ...graph.Option) (float64, map[string][]float32) {
	t.Helper()
	s, err := graph.NewTrain(g, optim.MeanSquaredError{}, options...)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	loss, err := s.Step(target, x)
	if err != nil {
		t.Fatal(err)
	}
	grads := map[string][]float32{}
	for i, v := range s.Params() {
		if v.Role == graph.Weight {
			grads[v.Name] = append([]float32{}, s.Grads()[i]...)
		}
	}
	return loss, grads
}

// several is a data set of one batch of n.
type several struct {
	x []float32
	n int
}

func (s several) Len() int { return s.n }
func (s several) Batches(seed uint64, a, b, c int) iter.Seq2[[]float32, []float32] {
	return one(s.x).Batches(seed, a, b, c)
}

func relative(got, want []float32) float64 {
	norm, diff := 0.0, 0.0
	for i, w := range want {
		norm += float64(w) * float64(w)
		d := float64(got[i]) - float64(w)
		diff += d * d
	}
	return math.Sqrt(diff / (norm + 1e-8*float64(len(want)))) // a mean of centred values is rounding errors around zero
}
