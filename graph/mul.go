package graph

// Mul is a * b; b may repeat along dimensions.
type Mul struct{}

func init() { binaryDef(Mul{}, "a * b") }

func (Mul) Shape(in []Shape) (Shape, error) { return binaryShape(in) }

func (Mul) Kernel(c Context) (Kernel, error) {
	return newBinary(c, false, func(y, a, b []float32) {
		for i, v := range a {
			y[i] = v * b[i]
		}
	}, func(d, _, b, dy []float32) {
		for i, v := range dy {
			d[i] = v * b[i]
		}
	}, func(d, a, _, dy []float32) {
		for i, v := range dy {
			d[i] = v * a[i]
		}
	})
}
