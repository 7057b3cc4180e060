package layers

import "github.com/temper-ml/temper/graph"

// Conv2D is a convolution with bias and activation. Padding is graph.Same unless given.
type Conv2D struct {
	Filters    int
	Kernel     int    // square; or
	KernelSize [2]int // height, width
	Stride     int
	Strides    [2]int
	Dilation   int
	Padding    graph.Padding
	Activation Activation
	NoBias     bool
	Init       graph.Init // default GlorotUniform
	Name       string
}

// Build implements Layer.
func (l Conv2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "conv2d", func() *graph.Value {
		k := size(l.KernelSize, l.Kernel, 1)
		w := b.Var("kernel", graph.Weight, graph.Shape{k[0], k[1], channels(x), l.Filters}, or(l.Init, GlorotUniform))
		kind := graph.Conv2D{Stride: size(l.Strides, l.Stride, 1), Dilation: size([2]int{}, l.Dilation, 1), Padding: pads(l.Padding)}
		return finish(b, b.Op("conv2d", kind, x, w), l.NoBias, l.Activation)
	})
}

// pads is the padding, SAME where left out.
func pads(p graph.Padding) graph.Padding {
	if p == "" {
		return graph.Same
	}
	return p
}

// finish adds bias and activation to a layer's output.
func finish(b *graph.Builder, y *graph.Value, noBias bool, a Activation) *graph.Value {
	if !noBias {
		y = b.Op("bias_add", graph.BiasAdd{}, y, b.Var("bias", graph.Bias, graph.Shape{channels(y)}, nil))
	}
	return a.apply(b, y)
}
