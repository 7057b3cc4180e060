package layers

import "github.com/temper-ml/temper/graph"

// Dense is a fully connected layer over the last dimension.
type Dense struct {
	Units      int
	Activation Activation
	NoBias     bool
	Init       graph.Init // default GlorotUniform
	Name       string
}

// Build implements Layer.
func (l Dense) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "dense", func() *graph.Value {
		w := b.Var("kernel", graph.Weight, graph.Shape{channels(x), l.Units}, or(l.Init, GlorotUniform))
		return finish(b, b.Op("dense", graph.Dense{}, x, w), l.NoBias, l.Activation)
	})
}
