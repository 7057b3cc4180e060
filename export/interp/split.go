package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.SPLIT, 2, "any type; constant axis", prepareSplit)
	register(tflite.SPLIT_V, 3, "any type; constant sizes and axis", prepareSplitV)
}

func prepareSplit(n *node) (func(), error) {
	axis, err := n.axis(0, n.in[1])
	if err != nil {
		return nil, err
	}
	d := n.in[1].Shape[axis]
	if d%len(n.out) != 0 {
		return nil, fmt.Errorf("dimension %d into %d equal parts", d, len(n.out))
	}
	return cut(n, n.in[1], axis, slices.Repeat([]int{d / len(n.out)}, len(n.out)))
}

func prepareSplitV(n *node) (func(), error) {
	sizes, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	axis, err := n.axis(2, n.in[0])
	if err != nil {
		return nil, err
	}
	rest, open := n.in[0].Shape[axis], -1
	for i, s := range sizes {
		if s < 0 {
			open = i
			continue
		}
		rest -= s
	}
	if open >= 0 {
		sizes[open] = rest
	}
	return cut(n, n.in[0], axis, sizes)
}

// cut copies pieces of the input along an axis to the outputs; sizes are those of the outputs along it.
func cut(n *node, x *Tensor, axis int, sizes []int) (func(), error) {
	if len(sizes) != len(n.out) {
		return nil, fmt.Errorf("%d parts for %d outputs", len(sizes), len(n.out))
	}
	inner, total := volume(x.Shape[axis+1:]), 0
	for i, y := range n.out {
		if sizes[i] < 1 || y.Type != x.Type {
			return nil, fmt.Errorf("part %d has size %d and type %s", i, sizes[i], y.Type)
		}
		total += sizes[i]
	}
	outer := volume(x.Shape[:axis])
	if total != x.Shape[axis] {
		return nil, fmt.Errorf("parts %v of dimension %d", sizes, x.Shape[axis])
	}
	for i, y := range n.out {
		if y.Volume() != outer*sizes[i]*inner {
			return nil, fmt.Errorf("output %s has shape %v", y.Name, y.Shape)
		}
	}
	size := x.Type.Size()
	return func() {
		at := 0
		for o := range outer {
			for i, y := range n.out {
				r := sizes[i] * inner * size
				copy(y.raw[o*r:(o+1)*r], x.raw[at:])
				at += r
			}
		}
	}, nil
}
