package layers

import "github.com/temper-ml/temper/graph"

// Activation is a function of each value. An Activation is a Layer, and can be given to a layer as its activation.
type Activation struct {
	name string
	kind graph.Kind
}

// The activations without parameters of their own.
var (
	Linear    = Activation{}
	ReLU      = Activation{"relu", graph.ReLU{}}
	ReLU6     = Activation{"relu6", graph.ReLU6{}}
	HardSwish = Activation{"hard_swish", graph.HardSwish{}}
	Sigmoid   = Activation{"sigmoid", graph.Sigmoid{}}
	Tanh      = Activation{"tanh", graph.Tanh{}}
	Softmax   = Activation{"softmax", graph.Softmax{}}
)

// LeakyReLU is x, or alpha*x where negative.
func LeakyReLU(alpha float32) Activation {
	return Activation{"leaky_relu", graph.LeakyReLU{Alpha: alpha}}
}

// Build implements Layer.
func (a Activation) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	if a.kind == nil {
		return x
	}
	return scope(b, "", a.name, func() *graph.Value { return a.apply(b, x) })
}

// apply writes the Op into the scope of the layer that has the activation.
func (a Activation) apply(b *graph.Builder, x *graph.Value) *graph.Value {
	if a.kind == nil {
		return x
	}
	return b.Op(a.name, a.kind, x)
}

// PReLU is x, or alpha*x where negative, with alpha learned for each channel.
type PReLU struct {
	Name string
	Init graph.Init // default Constant(0.25) (He et al., 2015)
}

// Build implements Layer.
func (l PReLU) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "p_re_lu", func() *graph.Value {
		alpha := b.Var("alpha", graph.Scale, graph.Shape{channels(x)}, or(l.Init, Constant(0.25)))
		return b.Op("p_re_lu", graph.PReLU{}, x, alpha)
	})
}
