package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.PACK, 1, "any type", preparePack)
	register(tflite.UNPACK, 1, "any type", prepareUnpack)
}

func preparePack(n *node) (func(), error) {
	o, err := options[tflite.PackOptions](n)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(o.Axis, len(n.out[0].Shape))
	if err != nil {
		return nil, err
	}
	rows := make([]int, len(n.in))
	for i, x := range n.in {
		if x == nil || axis > len(x.Shape) {
			return nil, fmt.Errorf("input %d does not fit axis %d", i, axis)
		}
		rows[i] = volume(x.Shape[axis:])
		if err := n.sameShape(n.out[0], slices.Insert(slices.Clone(x.Shape), axis, len(n.in))); err != nil {
			return nil, err
		}
	}
	return join(n, rows)
}

func prepareUnpack(n *node) (func(), error) {
	o, err := options[tflite.UnpackOptions](n)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(o.Axis, len(n.in[0].Shape))
	if err != nil {
		return nil, err
	}
	return cut(n, n.in[0], axis, slices.Repeat([]int{1}, min(len(n.out), n.in[0].Shape[axis])))
}
