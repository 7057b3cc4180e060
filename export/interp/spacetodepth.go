package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.SPACE_TO_DEPTH, 1, "any type", prepareSpaceToDepth)
	register(tflite.DEPTH_TO_SPACE, 1, "any type", prepareDepthToSpace)
}

func prepareSpaceToDepth(n *node) (func(), error) {
	o, err := options[tflite.SpaceToDepthOptions](n)
	if err != nil {
		return nil, err
	}
	return n.blocks(n.in[0], n.out[0], o.BlockSize, func(big, small int32, from []int32) { from[small] = big })
}

func prepareDepthToSpace(n *node) (func(), error) {
	o, err := options[tflite.DepthToSpaceOptions](n)
	if err != nil {
		return nil, err
	}
	return n.blocks(n.out[0], n.in[0], o.BlockSize, func(big, small int32, from []int32) { from[big] = small })
}

// blocks pairs each element of the large image with one of the deep image.
func (n *node) blocks(large, deep *Tensor, b int, set func(big, small int32, from []int32)) (func(), error) {
	if err := rank(large, 4); err != nil {
		return nil, err
	}
	s := large.Shape
	if b < 1 || b > 1<<12 || s[1]%b != 0 || s[2]%b != 0 ||
		!slices.Equal(deep.Shape, []int{s[0], s[1] / b, s[2] / b, s[3] * b * b}) {
		return nil, fmt.Errorf("shapes %v and %v with blocks of %d", large.Shape, deep.Shape, b)
	}
	from := make([]int32, large.Volume())
	i := int32(0)
	table(s, func(at []int) int {
		d := ((at[0]*deep.Shape[1]+at[1]/b)*deep.Shape[2]+at[2]/b)*deep.Shape[3] + (at[1]%b*b+at[2]%b)*s[3] + at[3]
		set(i, int32(d), from)
		i++
		return 0
	})
	return n.gather(n.in[0], n.out[0], from)
}
