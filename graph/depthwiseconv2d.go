package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// DepthwiseConv2D convolves each channel of x [batch,h,w,c] with m filters of its own: the kernel is [kh,kw,c*m], output channel i*m+j comes from
// input channel i (TFLite DEPTHWISE_CONV_2D, without its bias).
type DepthwiseConv2D struct {
	Stride   [2]int `json:",omitzero"`
	Dilation [2]int `json:",omitzero"`
	Padding  Padding
}

func init() {
	Register(Def{
		Kind: DepthwiseConv2D{},
		Doc:  "depthwise convolution with a kernel [kh,kw,c*multiplier]",
		In:   []Port{{Name: "x", Diff: true}, {Name: "kernel", Diff: true}},
		Samples: []Sample{
			{Kind: DepthwiseConv2D{Padding: Same}, In: []Shape{{Batch, 5, 4, 3}, {3, 3, 3}}},
			{Kind: DepthwiseConv2D{Padding: Valid, Stride: [2]int{2, 2}}, In: []Shape{{Batch, 7, 6, 2}, {3, 2, 6}}},
			{Kind: DepthwiseConv2D{Padding: Same, Stride: [2]int{2, 1}, Dilation: [2]int{1, 2}}, In: []Shape{{Batch, 6, 7, 4}, {3, 3, 8}}},
		},
	})
}

func (k DepthwiseConv2D) Shape(in []Shape) (Shape, error) {
	x, w := in[0], in[1]
	if len(x) != 4 || len(w) != 3 || w[2]%x[3] != 0 {
		return nil, fmt.Errorf("input %v does not fit kernel %v: want [batch,h,w,c] and [kh,kw,c*multiplier]", x, w)
	}
	s, err := Conv2D(k).window(x, w)
	return Shape{x[0], s.OH, s.OW, w[2]}, err
}

func (k DepthwiseConv2D) Kernel(c Context) (Kernel, error) {
	s, err := Conv2D(k).window(c.In[0], c.In[1])
	if err != nil {
		return nil, err
	}
	s.Multiplier = s.OC / s.C
	return &depthwiseKernel{compute.NewDepthwise(s)}, nil
}

type depthwiseKernel struct{ *compute.DepthwiseConv }

func (k *depthwiseKernel) backwardReads(i int) bool { return i != output }

func (k *depthwiseKernel) Forward(y []float32, in [][]float32) {
	k.DepthwiseConv.Forward(y, in[0], in[1])
}

func (k *depthwiseKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	k.Grad(dx[0], dx[1], in[0], dy, in[1])
}
