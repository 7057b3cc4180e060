package layers

import "github.com/temper-ml/temper/graph"

// TransposeConv2D is the transposed convolution (Keras Conv2DTranspose).
type TransposeConv2D struct {
	Filters    int
	Kernel     int
	KernelSize [2]int
	Stride     int
	Strides    [2]int
	Padding    graph.Padding
	Activation Activation
	NoBias     bool
	Init       graph.Init // default GlorotUniform
	Name       string
}

// Build implements Layer.
func (l TransposeConv2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "conv2d_transpose", func() *graph.Value {
		k := size(l.KernelSize, l.Kernel, 1)
		w := b.Var("kernel", graph.Weight, graph.Shape{k[0], k[1], channels(x), l.Filters}, or(l.Init, GlorotUniform))
		kind := graph.TransposeConv2D{Stride: size(l.Strides, l.Stride, 1), Padding: pads(l.Padding)}
		return finish(b, b.Op("conv2d_transpose", kind, x, w), l.NoBias, l.Activation)
	})
}
