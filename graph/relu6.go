package graph

import "github.com/temper-ml/temper/internal/compute"

// ReLU6 is min(max(x, 0), 6).
type ReLU6 struct{}

func init() {
	unaryDef(ReLU6{}, "min(max(x, 0), 6)", Sample{Kind: ReLU6{}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(0, 6)})
}

func (ReLU6) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (ReLU6) Kernel(c Context) (Kernel, error) {
	return clampKernel(c, compute.ReLU6), nil
}
