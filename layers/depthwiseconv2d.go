package layers

import (
	"cmp"
	"math/rand/v2"

	"github.com/temper-ml/temper/graph"
)

// DepthwiseConv2D convolves each channel with Multiplier filters of its own.
type DepthwiseConv2D struct {
	Kernel     int
	KernelSize [2]int
	Stride     int
	Strides    [2]int
	Dilation   int
	Multiplier int // default 1
	Padding    graph.Padding
	Activation Activation
	NoBias     bool
	Init       graph.Init // default GlorotUniform
	Name       string
}

// Build implements Layer.
func (l DepthwiseConv2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "depthwise_conv2d", func() *graph.Value {
		k := size(l.KernelSize, l.Kernel, 1)
		c, m := channels(x), cmp.Or(l.Multiplier, 1)
		fill := func(data []float32, _ graph.Shape, r *rand.Rand) { // fans as in Keras
			or(l.Init, GlorotUniform)(data, graph.Shape{k[0], k[1], c, m}, r)
		}
		w := b.Var("kernel", graph.Weight, graph.Shape{k[0], k[1], c * m}, fill)
		kind := graph.DepthwiseConv2D{Stride: size(l.Strides, l.Stride, 1), Dilation: size([2]int{}, l.Dilation, 1), Padding: pads(l.Padding)}
		return finish(b, b.Op("depthwise_conv2d", kind, x, w), l.NoBias, l.Activation)
	})
}

// SeparableConv2D is a depthwise convolution followed by a pointwise one.
type SeparableConv2D struct {
	Filters    int
	Kernel     int
	Stride     int
	Padding    graph.Padding
	Activation Activation
	NoBias     bool
	Name       string
}

// Build implements Layer.
func (l SeparableConv2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "separable_conv2d", func() *graph.Value {
		x = DepthwiseConv2D{Kernel: l.Kernel, Stride: l.Stride, Padding: l.Padding, NoBias: true}.Build(b, x)
		return Conv2D{Filters: l.Filters, Kernel: 1, Activation: l.Activation, NoBias: l.NoBias}.Build(b, x)
	})
}
