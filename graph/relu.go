package graph

import "github.com/temper-ml/temper/internal/compute"

// ReLU is max(x, 0).
type ReLU struct{}

func init() {
	unaryDef(ReLU{}, "max(x, 0)", Sample{Kind: ReLU{}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(0)})
}

func (ReLU) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (ReLU) Kernel(c Context) (Kernel, error) {
	return clampKernel(c, compute.ReLU), nil
}

// clampKernel is an activation that clamps.
func clampKernel(c Context, a compute.Act) Kernel {
	return &unary{c.Out.Volume(), readsY, func(y, x []float32) { compute.BiasAct(y, x, nil, 1, a) },
		func(dx, _, y, dy []float32) { compute.ActGrad(dx, dy, y, nil, 1, a.Gate()) }}
}
