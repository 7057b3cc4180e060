package layers

import "github.com/temper-ml/temper/graph"

// MaxPool2D is the maximum over windows. The stride is the size unless given; padding is graph.Valid.
type MaxPool2D struct {
	Size    int
	Sizes   [2]int // height, width
	Stride  int
	Padding graph.Padding
	Name    string
}

// Build implements Layer.
func (l MaxPool2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "max_pooling2d", func() *graph.Value {
		s, stride := window(l.Sizes, l.Size, l.Stride)
		return b.Op("max_pool", graph.MaxPool2D{Size: s, Stride: stride, Padding: valid(l.Padding)}, x)
	})
}

// AvgPool2D is the mean over windows. The stride is the size unless given; padding is graph.Valid.
type AvgPool2D struct {
	Size    int
	Sizes   [2]int
	Stride  int
	Padding graph.Padding
	Name    string
}

// Build implements Layer.
func (l AvgPool2D) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "average_pooling2d", func() *graph.Value {
		s, stride := window(l.Sizes, l.Size, l.Stride)
		return b.Op("avg_pool", graph.AvgPool2D{Size: s, Stride: stride, Padding: valid(l.Padding)}, x)
	})
}

func window(pair [2]int, both, stride int) (s, step [2]int) {
	s = size(pair, both, 2)
	if stride > 0 {
		return s, [2]int{stride, stride}
	}
	return s, s
}

func valid(p graph.Padding) graph.Padding {
	if p == "" {
		return graph.Valid
	}
	return p
}

// GlobalAvgPool is the mean over height and width.
type GlobalAvgPool struct {
	KeepDims bool
	Name     string
}

// Build implements Layer.
func (l GlobalAvgPool) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "global_average_pooling2d", func() *graph.Value {
		return b.Op("mean", graph.GlobalAvgPool{KeepDims: l.KeepDims}, x)
	})
}
