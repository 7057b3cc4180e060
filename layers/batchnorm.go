package layers

import "github.com/temper-ml/temper/graph"

// BatchNorm normalises the channels over the batch.
type BatchNorm struct {
	Epsilon    float32 // default 0.001
	Momentum   float32 // default 0.99
	Activation Activation
	Name       string
}

// Build implements Layer.
func (l BatchNorm) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "batch_normalization", func() *graph.Value {
		c := graph.Shape{channels(x)}
		y := b.Op("batch_norm", graph.BatchNorm{Epsilon: l.Epsilon, Momentum: l.Momentum}, x,
			b.Var("gamma", graph.Scale, c, Ones), b.Var("beta", graph.Bias, c, nil),
			b.Var("moving_mean", graph.State, c, nil), b.Var("moving_variance", graph.State, c, Ones))
		return l.Activation.apply(b, y)
	})
}
