package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// BiasAdd adds a bias [c] to the last dimension of x [batch,...,c].
type BiasAdd struct{}

func init() {
	Register(Def{
		Kind: BiasAdd{},
		Doc:  "adds a bias [c] to the channels",
		In:   []Port{{Name: "x", Diff: true}, {Name: "bias", Diff: true}},
		Samples: []Sample{
			{Kind: BiasAdd{}, In: []Shape{{Batch, 3, 2, 5}, {5}}},
		},
	})
}

func (BiasAdd) Shape(in []Shape) (Shape, error) {
	if len(in[1]) != 1 || len(in[0]) < 2 || in[0].Channels() != in[1][0] {
		return nil, fmt.Errorf("bias of shape %v does not fit input %v: want [%d]", in[1], in[0], in[0].Channels())
	}
	return in[0], nil
}

func (BiasAdd) Kernel(c Context) (Kernel, error) { return biasAddKernel{c.In[1][0]}, nil }

type biasAddKernel struct{ c int }

func (biasAddKernel) backwardReads(int) bool { return false }

func (b biasAddKernel) Forward(y []float32, in [][]float32) {
	compute.AddBias(y, in[0], in[1], b.c)
}

func (b biasAddKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	if dx[0] != nil {
		copy(dx[0], dy)
	}
	if dx[1] != nil {
		compute.SumChannels(dx[1], dy, b.c)
	}
}
