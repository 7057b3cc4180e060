package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// Conv2D is the convolution of x [batch,h,w,cin] with the kernel [kh,kw,cin,cout] (TFLite CONV_2D, without its bias).
type Conv2D struct {
	Stride   [2]int `json:",omitzero"` // h, w; left out: 1
	Dilation [2]int `json:",omitzero"`
	Padding  Padding
}

func init() {
	Register(Def{
		Kind: Conv2D{},
		Doc:  "convolution with a kernel [kh,kw,cin,cout]",
		In:   []Port{{Name: "x", Diff: true}, {Name: "kernel", Diff: true}},
		Samples: []Sample{
			{Kind: Conv2D{Padding: Same}, In: []Shape{{Batch, 5, 4, 3}, {3, 3, 3, 4}}},
			{Kind: Conv2D{Padding: Valid, Stride: [2]int{2, 1}}, In: []Shape{{Batch, 7, 6, 2}, {3, 2, 2, 5}}},
			{Kind: Conv2D{Padding: Same, Stride: [2]int{2, 3}}, In: []Shape{{Batch, 6, 7, 2}, {3, 5, 2, 3}}},
			{Kind: Conv2D{Padding: Same, Dilation: [2]int{2, 2}}, In: []Shape{{Batch, 6, 6, 2}, {3, 3, 2, 2}}},
			{Kind: Conv2D{Padding: Valid, Stride: [2]int{2, 2}, Dilation: [2]int{1, 2}}, In: []Shape{{Batch, 6, 7, 1}, {2, 3, 1, 3}}},
		},
	})
}

func (k Conv2D) Shape(in []Shape) (Shape, error) {
	x, w := in[0], in[1]
	if len(x) != 4 || len(w) != 4 || x[3] != w[2] {
		return nil, fmt.Errorf("input %v does not fit kernel %v: want [batch,h,w,cin] and [kh,kw,cin,cout]", x, w)
	}
	s, err := k.window(x, w)
	return Shape{x[0], s.OH, s.OW, w[3]}, err
}

// window fills a ConvShape for input x and a kernel whose first dimensions are its size and whose last is its channels.
func (k Conv2D) window(x, w Shape) (compute.ConvShape, error) {
	s := compute.ConvShape{N: x[0], H: x[1], W: x[2], C: x[3], KH: w[0], KW: w[1], OC: w.Channels(), Multiplier: 1}
	s.StrideH, s.StrideW = ones(k.Stride)
	s.DilationH, s.DilationW = ones(k.Dilation)
	var err error
	if s.OH, s.PadTop, err = k.Padding.Window(s.H, s.KH, s.StrideH, s.DilationH); err != nil {
		return s, fmt.Errorf("input %v, kernel %v: height: %w", x, w, err)
	}
	if s.OW, s.PadLeft, err = k.Padding.Window(s.W, s.KW, s.StrideW, s.DilationW); err != nil {
		return s, fmt.Errorf("input %v, kernel %v: width: %w", x, w, err)
	}
	return s, nil
}

// ones replaces a pair that was left out by 1, 1.
func ones(p [2]int) (h, w int) {
	if p == [2]int{} {
		return 1, 1
	}
	return p[0], p[1]
}

func (k Conv2D) Kernel(c Context) (Kernel, error) {
	s, err := k.window(c.In[0], c.In[1])
	if err != nil {
		return nil, err
	}
	return &conv2DKernel{compute.NewConv(s)}, nil
}

type conv2DKernel struct{ *compute.Conv }

func (k *conv2DKernel) backwardReads(i int) bool { return i != output }

func (k *conv2DKernel) Forward(y []float32, in [][]float32) { k.Conv.Forward(y, in[0], in[1]) }

func (k *conv2DKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	k.Grad(dx[0], dx[1], in[0], dy, in[1])
}
