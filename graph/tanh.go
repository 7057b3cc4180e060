package graph

import "math"

// Tanh is the hyperbolic tangent.
type Tanh struct{}

func init() { unaryDef(Tanh{}, "hyperbolic tangent") }

func (Tanh) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (Tanh) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), readsY, func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(math.Tanh(float64(v)))
		}
	}, func(dx, _, y, dy []float32) {
		for i, v := range y {
			dx[i] = dy[i] * (1 - v*v)
		}
	}}, nil
}
