package graph

import "math"

// Sigmoid is 1/(1+exp(-x)) (TFLite LOGISTIC).
type Sigmoid struct{}

func init() { unaryDef(Sigmoid{}, "1/(1+exp(-x))") }

func (Sigmoid) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (Sigmoid) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), readsY, func(y, x []float32) {
		for i, v := range x {
			y[i] = float32(1 / (1 + math.Exp(-float64(v))))
		}
	}, func(dx, _, y, dy []float32) {
		for i, v := range y {
			dx[i] = dy[i] * v * (1 - v)
		}
	}}, nil
}
