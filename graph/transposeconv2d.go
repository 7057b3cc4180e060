package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// TransposeConv2D is the transposed convolution of x [batch,h,w,cin] with the kernel [kh,kw,cin,cout]: the data gradient of a convolution that goes
// from its output to its input. Size of the output: SAME h*stride, VALID (h-1)*stride + max(kh, stride) (Keras Conv2DTranspose).
type TransposeConv2D struct {
	Stride  [2]int `json:",omitzero"`
	Padding Padding
}

func init() {
	Register(Def{
		Kind: TransposeConv2D{},
		Doc:  "transposed convolution with a kernel [kh,kw,cin,cout]",
		In:   []Port{{Name: "x", Diff: true}, {Name: "kernel", Diff: true}},
		Samples: []Sample{
			{Kind: TransposeConv2D{Padding: Same, Stride: [2]int{2, 2}}, In: []Shape{{Batch, 3, 4, 3}, {3, 3, 3, 2}}},
			{Kind: TransposeConv2D{Padding: Valid, Stride: [2]int{2, 1}}, In: []Shape{{Batch, 3, 4, 2}, {2, 3, 2, 4}}},
			{Kind: TransposeConv2D{Padding: Same}, In: []Shape{{Batch, 4, 3, 2}, {3, 3, 2, 3}}},
			{Kind: TransposeConv2D{Padding: Valid, Stride: [2]int{3, 3}}, In: []Shape{{Batch, 2, 3, 2}, {2, 2, 2, 3}}},
		},
	})
}

func (k TransposeConv2D) Shape(in []Shape) (Shape, error) {
	x, w := in[0], in[1]
	if len(x) != 4 || len(w) != 4 || x[3] != w[2] {
		return nil, fmt.Errorf("input %v does not fit kernel %v: want [batch,h,w,cin] and [kh,kw,cin,cout]", x, w)
	}
	s, err := k.convolution(x, w)
	return Shape{x[0], s.H, s.W, w[3]}, err
}

// convolution is the one whose data gradient this is: its output is our input.
func (k TransposeConv2D) convolution(x, w Shape) (compute.ConvShape, error) {
	sh, sw := ones(k.Stride)
	if min(sh, sw) < 1 || max(sh, sw) > maxVolume {
		return compute.ConvShape{}, fmt.Errorf("stride %v must be 1 to %d", k.Stride, maxVolume)
	}
	size := func(n, kernel, stride int) int {
		if k.Padding == Same {
			return n * stride
		}
		return (n-1)*stride + max(kernel, stride)
	}
	back := Shape{x[0], size(x[1], w[0], sh), size(x[2], w[1], sw), w[3]}
	s, err := Conv2D{Stride: k.Stride, Padding: k.Padding}.window(back, Shape{w[0], w[1], w[3], w[2]})
	s.OC = w[2]
	return s, err
}

func (k TransposeConv2D) Kernel(c Context) (Kernel, error) {
	s, err := k.convolution(c.In[0], c.In[1])
	n := c.In[1].Volume()
	return &transposeConvKernel{s, compute.NewConv(s), make([]float32, n), make([]float32, n)}, err
}

type transposeConvKernel struct {
	s     compute.ConvShape
	conv  *compute.Conv // that this is the gradient of
	w, dw []float32     // the kernel as the convolution has it, [kh,kw,cout,cin], and its gradient
}

// swap exchanges the last two dimensions of a kernel whose last two are a and b.
func swap(dst, src []float32, a, b int) {
	for at := 0; at < len(src); at += a * b {
		for i := range a {
			for j := range b {
				dst[at+j*a+i] = src[at+i*b+j]
			}
		}
	}
}

func (k *transposeConvKernel) backwardReads(i int) bool { return i != output }

func (k *transposeConvKernel) Forward(y []float32, in [][]float32) {
	swap(k.w, in[1], k.s.OC, k.s.C)
	k.conv.GradInput(y, in[0], k.w)
}

func (k *transposeConvKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	if dx[0] != nil {
		swap(k.w, in[1], k.s.OC, k.s.C)
		k.conv.Forward(dx[0], dy, k.w)
	}
	if dx[1] != nil {
		k.conv.GradKernel(k.dw, dy, in[0])
		swap(dx[1], k.dw, k.s.C, k.s.OC)
	}
}
