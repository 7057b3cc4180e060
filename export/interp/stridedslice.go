package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.STRIDED_SLICE, 4, "any type; constant begin, end and strides; begin, end and shrink masks", prepareStridedSlice)
}

func prepareStridedSlice(n *node) (func(), error) {
	o, err := options[tflite.StridedSliceOptions](n)
	if err != nil {
		return nil, err
	}
	var arg [3][]int
	in := n.in[0].Shape
	for i := range arg {
		if arg[i], err = n.constants(i + 1); err != nil {
			return nil, err
		}
		if len(arg[i]) != len(in) {
			return nil, fmt.Errorf("begin, end and strides %v of %d dimensions", arg[i], len(in))
		}
	}
	if o.EllipsisMask != 0 || o.NewAxisMask != 0 || o.Offset {
		return nil, fmt.Errorf("ellipsis, new-axis masks and offsets are not supported")
	}
	begin, count, step := make([]int, len(in)), make([]int, len(in)), arg[2]
	var want []int
	for i, d := range in {
		lo, hi, s := arg[0][i], arg[1][i], step[i]
		if s == 0 {
			return nil, fmt.Errorf("stride 0 along dimension %d", i)
		}
		bit := func(mask int) bool { return mask>>i&1 == 1 }
		shrink := bit(o.ShrinkAxisMask)
		begin[i] = bound(lo, d, s, bit(o.BeginMask) && !shrink, true)
		if shrink {
			if lo < -d || lo >= d {
				return nil, fmt.Errorf("index %d of dimension %d of shape %v", lo, i, in)
			}
			count[i], step[i] = 1, 1
			continue
		}
		end := bound(hi, d, s, bit(o.EndMask), false)
		count[i] = (end - begin[i] + s - sign(s)) / s
		if count[i] < 1 {
			return nil, fmt.Errorf("dimension %d becomes empty", i)
		}
		want = append(want, count[i])
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(count, func(at []int) int {
		for i, a := range at {
			from[i] = begin[i] + a*step[i]
		}
		return offset(from, in)
	}))
}

// bound is a begin or end index brought into the dimension (strided_slice_logic.h).
func bound(v, d, s int, masked, begin bool) int {
	if masked {
		if (s > 0) == begin {
			return boolInt(!begin) * d
		}
		if begin {
			return d - 1
		}
		if s > 0 {
			return d
		}
		return -1
	}
	if v < 0 {
		v += d
	}
	if s > 0 {
		return min(max(v, 0), d)
	}
	return min(max(v, -1), d-1)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sign(x int) int {
	if x < 0 {
		return -1
	}
	return 1
}
