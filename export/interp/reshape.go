package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.RESHAPE, 1, "any type; the file's output shape counts", copyAll)
	register(tflite.SQUEEZE, 1, "any type", copyAll)
	register(tflite.EXPAND_DIMS, 1, "any type", copyAll)
}

// copyAll is the kernel of operators that change the shape only.
func copyAll(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	if x.Type != y.Type || len(x.raw) != len(y.raw) {
		return nil, fmt.Errorf("input %v of %s and output %v of %s do not hold the same values", x.Shape, x.Type, y.Shape, y.Type)
	}
	return func() { copy(y.raw, x.raw) }, nil
}
