package optim

import (
	"math"

	"github.com/temper-ml/temper/internal/compute"
)

// Clip limits gradients: each value, each Var's norm, or the norm of all together; 0 is no limit.
type Clip struct {
	Value, Norm, GlobalNorm float64
}

func (c Clip) apply(grads [][]float32) {
	if c.Value > 0 {
		v := float32(c.Value)
		for _, g := range grads {
			compute.Clamp(g, g, -v, v)
		}
	}
	if c.Norm > 0 {
		for _, g := range grads {
			scale(c.Norm, g)
		}
	}
	if c.GlobalNorm > 0 {
		scale(c.GlobalNorm, grads...)
	}
}

// scale shrinks the arrays together to a norm of at most limit.
func scale(limit float64, grads ...[]float32) {
	sum := 0.0
	for _, g := range grads {
		sum += compute.SumSquares(g)
	}
	norm := math.Sqrt(sum)
	if norm <= limit {
		return
	}
	f := float32(limit / norm)
	for _, g := range grads {
		compute.Scale(g, f)
	}
}
