package graph

import "fmt"

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

func (*globalAvgPoolKernel) backwardReads(int) bool { return false }

func (k *globalAvgPoolKernel) Forward(y []float32, in [][]float32) {
	work.Parallel(k.n, 1, call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, y, in := p.k.(*globalAvgPoolKernel), p.y, p.in
		for n := lo; n < hi; n++ {
			sum := y[n*k.c : (n+1)*k.c]
			clear(sum)
			for p := range k.pixels {
				at := (n*k.pixels + p) * k.c
				for c, v := range in[0][at : at+k.c] {
					sum[c] += v
				}
			}
			for c := range sum {
				sum[c] /= float32(k.pixels)
			}
		}
	})
}

func (k *globalAvgPoolKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	work.Parallel(k.n, 1, call{k: k, dy: dy, dx: dx}, func(p *call, lo, hi int) {
		k, dy, dx := p.k.(*globalAvgPoolKernel), p.dy, p.dx
		for n := lo; n < hi; n++ {
			for p := range k.pixels {
				at := (n*k.pixels + p) * k.c
				for c, v := range dy[n*k.c : (n+1)*k.c] {
					dx[0][at+c] = v / float32(k.pixels)
				}
			}
		}
	})
}
