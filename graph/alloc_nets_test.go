package graph_test

import (
	"testing"

	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers/models"
	"github.com/temper-ml/temper/optim"
)

// TestAllocationsOfNetworks: a step of a quantized network allocates as often for 48 examples as for 16, and only in Gorgonia's machine.
func TestAllocationsOfNetworks(t *testing.T) {
	if graph.UnderRaceDetector {
		t.Skip("the race detector makes pools of scratch memory forget at random")
	}
	for _, name := range []string{"arm-example", "ds-cnn", "resnet-8"} {
		m, err := models.ByName(name, models.Options{Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		g, err := m.Trace()
		if err != nil {
			t.Fatal(err)
		}
		const most = 48
		x, target := random(most*g.Inputs[0].Shape.Volume()), random(most*g.Outputs[0].Shape.Volume())
		if err := (fakequant.QAT{Config: fakequant.Config{Calibration: several{x, most}}}).Apply(g); err != nil {
			t.Fatal(err)
		}
		allocations := func(n int) float64 {
			s, err := graph.NewTrain(g, optim.MeanSquaredError{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			step := func() {
				if _, err := s.Step(target[:len(target)*n/most], x[:len(x)*n/most]); err != nil {
					t.Fatal(err)
				}
			}
			step()
			if a := testing.AllocsPerRun(3, func() { graph.RunOps(s) }); a != 0 {
				t.Errorf("%s: without Gorgonia's machine a step of %d examples makes %g allocations, want none", name, n, a)
			}
			return testing.AllocsPerRun(3, step)
		}
		if few, many := allocations(16), allocations(most); many > few+few/10+10 {
			t.Errorf("%s: %g allocations for 16 examples, %g for %d", name, few, many, most)
		}
	}
}
