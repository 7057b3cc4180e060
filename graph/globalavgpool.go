package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// GlobalAvgPool is the mean over height and width of x [batch,h,w,c]: [batch,c], or [batch,1,1,c] with KeepDims (TFLite MEAN).
type GlobalAvgPool struct {
	KeepDims bool `json:",omitempty"`
}

func init() {
	Register(Def{
		Kind: GlobalAvgPool{},
		Doc:  "mean over height and width",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: GlobalAvgPool{}, In: []Shape{{Batch, 4, 3, 5}}},
			{Kind: GlobalAvgPool{KeepDims: true}, In: []Shape{{Batch, 2, 2, 3}}},
		},
	})
}

func (k GlobalAvgPool) Shape(in []Shape) (Shape, error) {
	x := in[0]
	if len(x) != 4 {
		return nil, fmt.Errorf("input %v: want [batch,h,w,c]", x)
	}
	if k.KeepDims {
		return Shape{x[0], 1, 1, x[3]}, nil
	}
	return Shape{x[0], x[3]}, nil
}

func (k GlobalAvgPool) Kernel(c Context) (Kernel, error) {
	return &globalAvgPoolKernel{c.In[0][0], c.In[0][1] * c.In[0][2], c.In[0][3]}, nil
}

type globalAvgPoolKernel struct{ n, pixels, c int }

func (k *globalAvgPoolKernel) sizes() (in, out int) { return k.pixels * k.c, k.c }

func (k *globalAvgPoolKernel) forwardImages(y, x []float32, _ int) {
	size := k.pixels * k.c
	for n := range len(x) / size {
		sum := of(y, n, k.c)
		clear(sum)
		compute.SumRows(sum, of(x, n, size), k.c)
		for c := range sum {
			sum[c] /= float32(k.pixels)
		}
	}
}

func (k *globalAvgPoolKernel) backwardImages(dx, _, dy []float32, _ int) {
	size := k.pixels * k.c
	for n := range len(dx) / size {
		image := of(dx, n, size)
		for c, v := range of(dy, n, k.c) {
			image[c] = v / float32(k.pixels)
		}
		for done := k.c; done < size; done *= 2 {
			copy(image[done:], image[:done])
		}
	}
}

func (*globalAvgPoolKernel) backwardReads(int) bool { return false }

func (k *globalAvgPoolKernel) Forward(y []float32, in [][]float32) { forwardAll(k, k.n, y, in) }

func (k *globalAvgPoolKernel) Backward(dx [][]float32, _ [][]float32, y, dy []float32) {
	backwardAll(k, k.n, dx, y, dy)
}
