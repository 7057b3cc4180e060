package interp

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.RESIZE_BILINEAR, 2, "int8, float32; align corners, half-pixel centres", prepareBilinear)
	register(tflite.RESIZE_NEAREST_NEIGHBOR, 2, "any type; align corners, half-pixel centres", prepareNearest)
}

// resizeShape checks input, size constant and output.
func resizeShape(n *node) error {
	size, err := n.constants(1)
	if err != nil {
		return err
	}
	x := n.in[0]
	if err := rank(x, 4); err != nil {
		return err
	}
	if len(size) != 2 || size[0] < 1 || size[1] < 1 || x.Type != n.out[0].Type {
		return fmt.Errorf("size %v, types %s and %s", size, x.Type, n.out[0].Type)
	}
	return n.sameShape(n.out[0], []int{x.Shape[0], size[0], size[1], x.Shape[3]})
}

func prepareNearest(n *node) (func(), error) {
	o, err := options[tflite.ResizeNearestNeighborOptions](n)
	if err != nil {
		return nil, err
	}
	if err := resizeShape(n); err != nil {
		return nil, err
	}
	in, out := n.in[0].Shape, n.out[0].Shape
	pick := func(i, in, out int) int {
		scale := float32(in) / float32(out)
		if o.AlignCorners && out > 1 {
			scale = float32(in-1) / float32(out-1)
		}
		at := float32(i)
		if o.HalfPixelCenters {
			at += 0.5
		}
		at *= scale
		k := int(math.Floor(float64(at)))
		if o.AlignCorners {
			k = int(math.Round(float64(at)))
		}
		return min(max(k, 0), in-1)
	}
	return n.gather(n.in[0], n.out[0], table(out, func(at []int) int {
		return ((at[0]*in[1]+pick(at[1], in[1], out[1]))*in[2]+pick(at[2], in[2], out[2]))*in[3] + at[3]
	}))
}

// prepareBilinear interpolates with ten fractional bits (resize_bilinear.h, ResizeBilinearInteger).
func prepareBilinear(n *node) (func(), error) {
	o, err := options[tflite.ResizeBilinearOptions](n)
	if err != nil {
		return nil, err
	}
	kind, err := n.kind(n.in[0], n.out[0])
	if err != nil {
		return nil, err
	}
	if err := resizeShape(n); err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return bilinearFloat(n, o), nil
	}
	in, out := n.in[0].Shape, n.out[0].Shape
	ys, xs := integerTaps(in[1], out[1], o), integerTaps(in[2], out[2], o)
	x, y := n.in[0].Int8(), n.out[0].Int8()
	return func() {
		i := 0
		for b := range out[0] {
			for _, ty := range ys {
				for _, tx := range xs {
					for c := range out[3] {
						at := func(h, w int) int64 { return int64(x[((b*in[1]+h)*in[2]+w)*in[3]+c]) }
						sum := at(ty.lo, tx.lo)*(1024-ty.frac)*(1024-tx.frac) + at(ty.hi, tx.lo)*ty.frac*(1024-tx.frac) +
							at(ty.lo, tx.hi)*(1024-ty.frac)*tx.frac + at(ty.hi, tx.hi)*ty.frac*tx.frac
						round := int64(1 << 19)
						if sum <= 0 {
							round = -round
						}
						y[i] = int8((sum + round) / (1 << 20))
						i++
					}
				}
			}
		}
	}, nil
}

// integerTap is two neighbours and the position between them, in 1/1024.
type integerTap struct {
	lo, hi int
	frac   int64
}

func integerTaps(in, out int, o *tflite.ResizeBilinearOptions) []integerTap {
	scale := (1024*in + out/2) / out
	if o.AlignCorners && out > 1 {
		scale = (1024*(in-1) + (out-1)/2) / (out - 1)
	}
	taps := make([]integerTap, out)
	for i := range taps {
		at := i * scale
		if o.HalfPixelCenters {
			at += scale/2 - 512
		}
		lo := max(at/1024, 0)
		// The rounded scale can lead past the last element of a long output; both neighbours are that element then.
		taps[i] = integerTap{min(lo, in-1), min((at+1023)/1024, in-1), int64(at - 1024*lo)}
	}
	return taps
}

func bilinearFloat(n *node, o *tflite.ResizeBilinearOptions) func() {
	type tap struct {
		lo, hi int
		frac   float32
	}
	taps := func(in, out int) []tap {
		scale := float32(in) / float32(out)
		if o.AlignCorners && out > 1 {
			scale = float32(in-1) / float32(out-1)
		}
		ts := make([]tap, out)
		for i := range ts {
			at := float32(i) * scale
			if o.HalfPixelCenters {
				at = float32((float32(i)+0.5)*scale) - 0.5
			}
			floor := math.Floor(float64(at))
			ts[i] = tap{min(max(int(floor), 0), in-1), min(int(math.Ceil(float64(at))), in-1), at - float32(floor)}
		}
		return ts
	}
	in, out := n.in[0].Shape, n.out[0].Shape
	ys, xs := taps(in[1], out[1]), taps(in[2], out[2])
	x, y := n.in[0].Float32(), n.out[0].Float32()
	return func() {
		i := 0
		for b := range out[0] {
			for _, ty := range ys {
				for _, tx := range xs {
					for c := range out[3] {
						at := func(h, w int) float32 { return x[((b*in[1]+h)*in[2]+w)*in[3]+c] }
						y[i] = at(ty.lo, tx.lo)*(1-ty.frac)*(1-tx.frac) + at(ty.hi, tx.lo)*ty.frac*(1-tx.frac) +
							at(ty.lo, tx.hi)*(1-ty.frac)*tx.frac + at(ty.hi, tx.hi)*ty.frac*tx.frac
						i++
					}
				}
			}
		}
	}
}
