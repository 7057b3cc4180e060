package layers

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// Residual is Activation(Body(x) + Shortcut(x)); without a Shortcut the input itself is added. (He et al., 2016.)
type Residual struct {
	Body       Layer
	Shortcut   Layer
	Activation Activation
	Name       string
}

// Build implements Layer.
func (l Residual) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "residual", func() *graph.Value {
		if l.Body == nil {
			b.Failf("a residual block without a body")
			return nil
		}
		y, short := l.Body.Build(b, x), x
		if l.Shortcut != nil {
			short = l.Shortcut.Build(b, x)
		}
		return l.Activation.apply(b, b.Op("add", graph.Add{}, y, short))
	})
}

// Join says how branches come together.
type Join string

const (
	Concat Join = "concat" // along the channels
	Add    Join = "add"
	Mul    Join = "mul"
)

// Branches applies each layer to the same input and joins the results. A nil layer passes the input.
type Branches struct {
	Layers []Layer
	Join   Join // default Concat
	Name   string
}

// Build implements Layer.
func (l Branches) Build(b *graph.Builder, x *graph.Value) *graph.Value {
	return scope(b, l.Name, "branches", func() *graph.Value {
		var ys []*graph.Value
		for i, layer := range l.Layers {
			y := x
			if layer != nil {
				b.Scope(fmt.Sprintf("branch_%d", i), func() { y = layer.Build(b, x) })
			}
			ys = append(ys, y)
		}
		if len(ys) < 2 {
			b.Failf("%d branches: want at least 2", len(ys))
			return nil
		}
		switch l.Join {
		case Concat, "":
			return b.Op("concat", graph.Concat{Axis: -1}, ys...)
		case Add, Mul:
			y := ys[0]
			for i, z := range ys[1:] {
				var k graph.Kind = graph.Add{}
				if l.Join == Mul {
					k = graph.Mul{}
				}
				y = b.Op(fmt.Sprintf("%s_%d", l.Join, i), k, y, z)
			}
			return y
		}
		b.Failf("join %q is none of concat, add and mul", l.Join)
		return nil
	})
}
