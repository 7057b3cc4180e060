package graph

import "github.com/temper-ml/temper/internal/compute"

// ReLU is max(x, 0).
type ReLU struct{}

func init() {
	Register(Def{
		Kind:    ReLU{},
		Doc:     "max(x, 0)",
		In:      []Port{{Name: "x", Diff: true}},
		Samples: []Sample{{Kind: ReLU{}, In: []Shape{{Batch, 4, 3, 5}}}},
	})
}

func (ReLU) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (ReLU) Kernel(c Context) (Kernel, error) { return reluKernel{c.Out.Volume()}, nil }

type reluKernel struct{ n int }

// grain is the number of elements of an element-wise pass that is worth a worker.
const grain = 1 << 14

func (k reluKernel) Forward(y []float32, in [][]float32) {
	compute.Parallel(k.n, grain, func(lo, hi int) {
		x := in[0][lo:hi]
		for i, v := range x {
			y[lo+i] = max(v, 0)
		}
	})
}

func (k reluKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	compute.Parallel(k.n, grain, func(lo, hi int) {
		x := in[0][lo:hi]
		for i, v := range x {
			if v > 0 {
				dx[0][lo+i] = dy[lo+i]
			} else {
				dx[0][lo+i] = 0
			}
		}
	})
}
