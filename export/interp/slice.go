package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.SLICE, 3, "any type; constant begin and size", prepareSlice)
}

func prepareSlice(n *node) (func(), error) {
	begin, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	size, err := n.constants(2)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	if len(begin) != len(in) || len(size) != len(in) {
		return nil, fmt.Errorf("begin %v and size %v of %d dimensions", begin, size, len(in))
	}
	for i := range in {
		if size[i] == -1 {
			size[i] = in[i] - begin[i]
		}
		if begin[i] < 0 || size[i] < 1 || begin[i]+size[i] > in[i] {
			return nil, fmt.Errorf("begin %v and size %v of shape %v", begin, size, in)
		}
	}
	if err := n.sameShape(n.out[0], size); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(size, func(at []int) int {
		for i, a := range at {
			from[i] = a + begin[i]
		}
		return offset(from, in)
	}))
}
