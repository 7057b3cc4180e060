package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.CONCATENATION, 1, "int8 of equal quantization, float32, integers", prepareConcat)
}

func prepareConcat(n *node) (func(), error) {
	o, err := options[tflite.ConcatenationOptions](n)
	if err != nil {
		return nil, err
	}
	if o.Activation != tflite.NONE {
		return nil, fmt.Errorf("a fused activation is not supported")
	}
	axis, err := axisOf(o.Axis, len(n.out[0].Shape))
	if err != nil {
		return nil, err
	}
	want := slices.Clone(n.out[0].Shape)
	want[axis] = 0
	var rows []int
	for _, x := range n.in {
		if x == nil || len(x.Shape) != len(want) {
			return nil, fmt.Errorf("inputs differ in their number of dimensions")
		}
		want[axis] += x.Shape[axis]
		for i, d := range x.Shape {
			if i != axis && d != want[i] {
				return nil, fmt.Errorf("input %s of shape %v does not fit output %v", x.Name, x.Shape, n.out[0].Shape)
			}
		}
		rows = append(rows, volume(x.Shape[axis:]))
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	return join(n, rows)
}

// join puts the pieces of parts one after the other along an axis; pieces are rows of that many elements.
func join(n *node, rows []int) (func(), error) {
	y := n.out[0]
	size := y.Type.Size()
	total := 0
	for i, x := range n.in {
		if x == nil || x.Type != y.Type {
			return nil, fmt.Errorf("input %d does not have the type of the output, %s", i, y.Type)
		}
		if x.Type == tflite.INT8 && x.Quant != nil && y.Quant != nil && !x.Quant.Equal(*y.Quant) {
			return nil, fmt.Errorf("input %s and output %s differ in quantization", x.Name, y.Name)
		}
		total += rows[i]
	}
	outer := y.Volume() / total
	for i, x := range n.in {
		if x.Volume() != outer*rows[i] {
			return nil, fmt.Errorf("input %s of shape %v does not fit output %v", x.Name, x.Shape, y.Shape)
		}
	}
	return func() {
		at := 0
		for o := range outer {
			for i, x := range n.in {
				r := rows[i] * size
				copy(y.raw[at:at+r], x.raw[o*r:])
				at += r
			}
		}
	}, nil
}
