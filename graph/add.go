package graph

// Add is a + b; b may repeat along dimensions.
type Add struct{}

func init() { binaryDef(Add{}, "a + b") }

func (Add) Shape(in []Shape) (Shape, error) { return binaryShape(in) }

func (Add) Kernel(c Context) (Kernel, error) {
	return newBinary(c, func(y, a, b []float32) {
		for i, v := range a {
			y[i] = v + b[i]
		}
	}, pass, pass)
}
