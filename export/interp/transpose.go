package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.TRANSPOSE, 2, "any type; constant permutation", prepareTranspose)
}

func prepareTranspose(n *node) (func(), error) {
	perm, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	seen := make([]bool, len(in))
	want := make([]int, len(in))
	if len(perm) != len(in) {
		return nil, fmt.Errorf("permutation %v of %d dimensions", perm, len(in))
	}
	for i, p := range perm {
		if p < 0 || p >= len(in) || seen[p] {
			return nil, fmt.Errorf("permutation %v of %d dimensions", perm, len(in))
		}
		seen[p], want[i] = true, in[p]
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(want, func(at []int) int {
		for i, p := range perm {
			from[p] = at[i]
		}
		return offset(from, in)
	}))
}
