package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// Dense is the matrix product y = x w of x [batch,...,in] and the kernel w [in,out] (TFLite FULLY_CONNECTED, without its bias).
type Dense struct{}

func init() {
	Register(Def{
		Kind: Dense{},
		Doc:  "matrix product with a kernel [in,out]",
		In:   []Port{{Name: "x", Diff: true}, {Name: "kernel", Diff: true}},
		Samples: []Sample{
			{Kind: Dense{}, In: []Shape{{Batch, 7}, {7, 5}}},
			{Kind: Dense{}, In: []Shape{{Batch, 3, 4}, {4, 2}}},
		},
	})
}

func (Dense) Shape(in []Shape) (Shape, error) {
	x, w := in[0], in[1]
	if len(w) != 2 || len(x) < 2 || x.Channels() != w[0] {
		return nil, fmt.Errorf("input %v does not fit kernel %v: want [batch,...,in] and [in,out]", x, w)
	}
	return append(append(Shape{}, x[:len(x)-1]...), w[1]), nil
}

func (Dense) Kernel(c Context) (Kernel, error) {
	k, n := c.In[1][0], c.In[1][1]
	return &denseKernel{m: c.In[0].Volume() / k, k: k, n: n}, nil
}

type denseKernel struct{ m, k, n int }

func (d *denseKernel) backwardReads(i int) bool { return i != output }

func (d *denseKernel) Forward(y []float32, in [][]float32) {
	compute.MatMul(y, in[0], in[1], d.m, d.k, d.n)
}

func (d *denseKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	if dx[0] != nil {
		compute.MatMulTB(dx[0], dy, in[1], d.m, d.n, d.k)
	}
	if dx[1] != nil {
		compute.MatMulTA(dx[1], in[0], dy, d.k, d.m, d.n)
	}
}
