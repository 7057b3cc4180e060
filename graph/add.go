package graph

import "github.com/temper-ml/temper/internal/compute"

// Add is a + b; b may repeat along dimensions.
type Add struct{}

func init() { binaryDef(Add{}, "a + b") }

func (Add) Shape(in []Shape) (Shape, error) { return binaryShape(in) }

func (Add) Kernel(c Context) (Kernel, error) {
	return newBinary(c, true, compute.Add, pass, pass)
}
