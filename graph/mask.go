package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// Mask is x where mask is 1, and zero where it is 0: what pruning puts behind a kernel. The gradient passes straight through, to the weights that are
// masked as well, so that they can grow back until the schedule ends (Lin et al., 2020, "Dynamic Model Pruning with Feedback"). N and M, or
// Block, tell the pattern that the zeros have; they are promises, nothing is computed from them.
type Mask struct {
	N     int    `json:",omitempty"` // N zeros of every M along the input channels in TFLite's layout
	M     int    `json:",omitempty"`
	Block [2]int `json:",omitzero"` // blocks of the plane [input channels, output channels]
}

func init() {
	const straight = "the gradient passes masked weights by design; the straight-through gradient is tested by its formula"
	half := func(i int, x []float32) bool {
		for j := range x {
			x[j] = float32(j % 2)
		}
		return i == 1
	}
	Register(Def{
		Kind: Mask{},
		Doc:  "a kernel with zeros where its mask is 0",
		In:   []Port{{Name: "x", Diff: true}, {Name: "mask", State: true}},
		Samples: []Sample{
			{Kind: Mask{}, In: []Shape{{3, 4}, {3, 4}}, Fill: half, Kink: straight},
			{Kind: Mask{N: 2, M: 4}, In: []Shape{{2, 3, 4, 5}, {2, 3, 4, 5}}, Fill: half, Kink: straight},
			{Kind: Mask{Block: [2]int{2, 4}}, In: []Shape{{8, 8}, {8, 8}}, Fill: half, Kink: straight},
		},
	})
}

func (k Mask) Shape(in []Shape) (Shape, error) {
	if in[0].Batched() || !in[0].Equal(in[1]) {
		return nil, fmt.Errorf("mask %v does not fit %v: want a constant and a mask of the same shape", in[1], in[0])
	}
	return in[0], checkPattern(k.N, k.M, k.Block)
}

// Promise says as many zeros as the mask has.
func (k Mask) Promise(before Promise, in []*Value) (Promise, error) {
	mask, err := Const(in[1])
	if err != nil {
		return Promise{}, err
	}
	zeros := 0
	for _, m := range mask {
		if m == 0 {
			zeros++
		}
	}
	before.Zeros = max(before.Zeros, zeros)
	if k.M != 0 {
		before.N, before.M = k.N, k.M
	}
	if k.Block != [2]int{} {
		before.Block = k.Block
	}
	return before, nil
}

func (k Mask) Kernel(c Context) (Kernel, error) { return maskKernel{}, nil }

type maskKernel struct{}

func (maskKernel) Forward(y []float32, in [][]float32) {
	x, mask := in[0], in[1]
	compute.Parallel(len(y), grain, func(lo, hi int) {
		y, x, mask := y[lo:hi], x[lo:hi], mask[lo:hi]
		for i := range y {
			y[i] = x[i]*mask[i] + 0 // the sum makes +0 of a negative weight's -0; a NaN stays one, and is found
		}
	})
}

func (maskKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) { copy(dx[0], dy) }
