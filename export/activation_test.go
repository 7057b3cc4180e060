package export_test

import (
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
)

// TestTinyReLU6: LiteRT refuses a fused RELU6 whose 6 is beyond int32 in steps of the output's scale, as untrained deep networks have it.
func TestTinyReLU6(t *testing.T) {
	for _, c := range []struct {
		weight float32
		want   tflite.Activation
	}{{1, tflite.RELU6_ACT}, {1e-9, tflite.RELU_ACT}} {
		b := graph.NewBuilder("tiny", 1)
		x := b.Input("x", 4)
		b.Scope("dense", func() {
			w := b.Var("kernel", graph.Weight, graph.Shape{4, 3}, nil)
			for i := range w.Var.Data {
				w.Var.Data[i] = c.weight * float32(i+1)
			}
			x = b.Op("relu6", graph.ReLU6{}, b.Op("dense", graph.Dense{}, x, w))
		})
		g, err := b.Graph(x)
		if err != nil {
			t.Fatal(err)
		}
		if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: random{g: g, n: 20}}}).Apply(g); err != nil {
			t.Fatal(err)
		}
		m, err := export.TFLite(g, export.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Subgraphs[0].Operators[0].Options.(*tflite.FullyConnectedOptions).Activation; got != c.want {
			t.Errorf("weights of %g: fused activation %v, want %v", c.weight, got, c.want)
		}
	}
}
