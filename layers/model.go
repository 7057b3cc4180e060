package layers

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// Shape is the shape of one example, without the batch: {28, 28, 1} is height, width, channels.
type Shape []int

// Layer writes its Ops and Vars. After an error of the Builder, values are nil and building goes on without effect.
type Layer interface {
	Build(b *graph.Builder, x *graph.Value) *graph.Value
}

// Model is a network with one input.
type Model struct {
	Name  string
	Seed  uint64 // of the initialisers
	Input Shape
	Layer Layer
}

// Trace turns the model into a graph. The error names the layer and the shapes that do not fit.
func (m Model) Trace() (*graph.Graph, error) {
	if m.Layer == nil {
		return nil, fmt.Errorf("model %s has no layer", m.Name)
	}
	b := graph.NewBuilder(m.Name, m.Seed)
	return b.Graph(m.Layer.Build(b, b.Input("input", m.Input...)))
}

// Sequential applies layers one after the other.
type Sequential []Layer

// Build implements Layer.
func (s Sequential) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	for _, l := range s {
		if l == nil {
			b.Failf("a layer of Sequential is nil")
			return nil
		}
		x = l.Build(b, x)
	}
	return x
}

// Scope puts a layer under a name: its parts are Name/...
type Scope struct {
	Name  string
	Layer Layer
}

// Build implements Layer.
func (s Scope) Build(b *graph.Builder, x *graph.Value) (y *graph.Value) {
	b.Scope(s.Name, func() {
		if s.Layer == nil {
			b.Failf("a scope without a layer")
			return
		}
		y = s.Layer.Build(b, x)
	})
	return y
}

// scope opens the scope of a layer: its own name, or the default of its kind.
func scope(b *graph.Builder, name, standard string, f func() *graph.Value) (y *graph.Value) {
	if name == "" {
		name = standard
	}
	b.Scope(name, func() { y = f() })
	return y
}

// channels is the last dimension of x, 1 after an error.
func channels(x *graph.Value) int {
	if x == nil {
		return 1
	}
	return x.Shape.Channels()
}

// size is a pair, or the same number twice.
func size(pair [2]int, both, standard int) [2]int {
	if pair != [2]int{} {
		return pair
	}
	if both == 0 {
		both = standard
	}
	return [2]int{both, both}
}
