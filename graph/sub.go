package graph

// Sub is a - b; b may repeat along dimensions.
type Sub struct{}

func init() { binaryDef(Sub{}, "a - b") }

func (Sub) Shape(in []Shape) (Shape, error) { return binaryShape(in) }

func (Sub) Kernel(c Context) (Kernel, error) {
	return newBinary(c, true, func(y, a, b []float32) {
		for i, v := range a {
			y[i] = v - b[i]
		}
	}, pass, func(d, _, _, dy []float32) {
		for i, v := range dy {
			d[i] = -v
		}
	})
}
