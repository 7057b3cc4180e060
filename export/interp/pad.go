package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.PAD, 2, "int8 (pads with the zero point), float32; constant paddings", preparePad)
	register(tflite.MIRROR_PAD, 2, "any type; constant paddings", prepareMirrorPad)
}

func preparePad(n *node) (func(), error) {
	p, err := paddings(n)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(n.out[0].Shape, func(at []int) int {
		for i, a := range at {
			from[i] = a - p[2*i]
			if from[i] < 0 || from[i] >= in[i] {
				return -1
			}
		}
		return offset(from, in)
	}))
}

func prepareMirrorPad(n *node) (func(), error) {
	o, err := options[tflite.MirrorPadOptions](n)
	if err != nil {
		return nil, err
	}
	p, err := paddings(n)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	edge := 0 // SYMMETRIC repeats the border
	switch o.Mode {
	case 0:
		edge = 1
	case 1:
	default:
		return nil, fmt.Errorf("mode %d, want 0 (REFLECT) or 1 (SYMMETRIC)", o.Mode)
	}
	for i, d := range in {
		if max(p[2*i], p[2*i+1]) > d-edge {
			return nil, fmt.Errorf("paddings %v of shape %v", p, in)
		}
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(n.out[0].Shape, func(at []int) int {
		for i, a := range at {
			k := a - p[2*i]
			if k < 0 {
				k = -k - 1 + edge
			}
			if k >= in[i] {
				k = 2*in[i] - 1 - k - edge
			}
			from[i] = k
		}
		return offset(from, in)
	}))
}

// paddings reads [rank][2] and checks the output's shape.
func paddings(n *node) ([]int, error) {
	p, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	if len(p) != 2*len(in) || slices.ContainsFunc(p, func(v int) bool { return v < 0 }) {
		return nil, fmt.Errorf("paddings %v of %d dimensions", p, len(in))
	}
	want := make([]int, len(in))
	for i, d := range in {
		want[i] = d + p[2*i] + p[2*i+1]
	}
	return p, n.sameShape(n.out[0], want)
}
