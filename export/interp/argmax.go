package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.ARG_MAX, 2, "int8 and float32 to int32; constant axis", prepareArgMax)
}

func prepareArgMax(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	a, err := n.axis(1, x)
	if err != nil {
		return nil, err
	}
	if y.Type != tflite.INT32 {
		return nil, fmt.Errorf("output %s is %s, want int32", y.Name, y.Type)
	}
	if err := n.sameShape(y, slices.Delete(slices.Clone(x.Shape), a, a+1)); err != nil {
		return nil, err
	}
	outer, size, inner := volume(x.Shape[:a]), x.Shape[a], volume(x.Shape[a+1:])
	out := y.Int32()
	switch x.Type {
	case tflite.INT8:
		v := x.Int8()
		return func() { argMax(v, out, outer, size, inner) }, nil
	case tflite.FLOAT32:
		v := x.Float32()
		return func() { argMax(v, out, outer, size, inner) }, nil
	}
	return nil, fmt.Errorf("input of type %s", x.Type)
}

func argMax[T int8 | float32](x []T, y []int32, outer, size, inner int) {
	for o := range outer {
		for i := range inner {
			best := 0
			for k := range size {
				if x[(o*size+k)*inner+i] > x[(o*size+best)*inner+i] {
					best = k
				}
			}
			y[o*inner+i] = int32(best)
		}
	}
}
