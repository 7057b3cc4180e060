package graph

import (
	"github.com/temper-ml/temper/internal/compute"
)

// AvgPool2D is the mean over windows of x [batch,h,w,c]; padding does not count (TFLite AVERAGE_POOL_2D).
type AvgPool2D struct {
	Size    [2]int
	Stride  [2]int `json:",omitzero"` // left out: 1
	Padding Padding
}

func init() {
	Register(Def{
		Kind: AvgPool2D{},
		Doc:  "mean over windows",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: AvgPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}, In: []Shape{{Batch, 5, 4, 3}}},
			{Kind: AvgPool2D{Size: [2]int{3, 2}, Stride: [2]int{2, 1}, Padding: Same}, In: []Shape{{Batch, 5, 4, 2}}},
		},
	})
}

func (k AvgPool2D) Shape(in []Shape) (Shape, error) { return MaxPool2D(k).Shape(in) }

func (k AvgPool2D) Kernel(c Context) (Kernel, error) {
	s, err := MaxPool2D(k).window(c.In[0])
	return &avgPoolKernel{s}, err
}

type avgPoolKernel struct{ s compute.ConvShape }

// windows calls f with each output pixel's offset and its window, image by image.
func (k *avgPoolKernel) windows(f func(out, image, y0, y1, x0, x1 int)) {
	s := k.s
	compute.Parallel(s.N, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			for o := range s.OH * s.OW {
				y0, y1, x0, x1 := clip(s, o/s.OW, o%s.OW)
				f((n*s.OH*s.OW+o)*s.C, n*s.H*s.W*s.C, y0, y1, x0, x1)
			}
		}
	})
}

func (*avgPoolKernel) backwardReads(int) bool { return false }

func (k *avgPoolKernel) Forward(y []float32, in [][]float32) {
	s := k.s
	k.windows(func(out, image, y0, y1, x0, x1 int) {
		sum := y[out : out+s.C]
		clear(sum)
		for iy := y0; iy < y1; iy++ {
			for ix := x0; ix < x1; ix++ {
				at := image + (iy*s.W+ix)*s.C
				for c, v := range in[0][at : at+s.C] {
					sum[c] += v
				}
			}
		}
		n := float32((y1 - y0) * (x1 - x0))
		for c := range sum {
			sum[c] /= n
		}
	})
}

func (k *avgPoolKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	s := k.s
	clear(dx[0])
	k.windows(func(out, image, y0, y1, x0, x1 int) {
		n := float32((y1 - y0) * (x1 - x0))
		for iy := y0; iy < y1; iy++ {
			for ix := x0; ix < x1; ix++ {
				at := image + (iy*s.W+ix)*s.C
				to := dx[0][at : at+s.C]
				for c, v := range dy[out : out+s.C] {
					to[c] += v / n
				}
			}
		}
	})
}
