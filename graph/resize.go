package graph

import (
	"fmt"
	"math"
)

// Resize scales x [batch,h,w,c] to Size (TFLite RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR with the same flags).
type Resize struct {
	Size             [2]int // h, w
	Method           string // "nearest" or "bilinear"
	AlignCorners     bool   `json:",omitempty"`
	HalfPixelCenters bool   `json:",omitempty"`
}

func init() {
	x := []Shape{{Batch, 3, 4, 2}}
	Register(Def{
		Kind: Resize{},
		Doc:  "scaling of height and width",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: Resize{Size: [2]int{6, 8}, Method: "nearest"}, In: x},
			{Kind: Resize{Size: [2]int{5, 7}, Method: "nearest", HalfPixelCenters: true}, In: x},
			{Kind: Resize{Size: [2]int{5, 7}, Method: "nearest", AlignCorners: true}, In: x},
			{Kind: Resize{Size: [2]int{6, 8}, Method: "bilinear"}, In: x},
			{Kind: Resize{Size: [2]int{5, 7}, Method: "bilinear", HalfPixelCenters: true}, In: x},
			{Kind: Resize{Size: [2]int{2, 3}, Method: "bilinear", AlignCorners: true}, In: x},
		},
	})
}

func (k Resize) Shape(in []Shape) (Shape, error) {
	x := in[0]
	if len(x) != 4 || k.Size[0] <= 0 || k.Size[1] <= 0 {
		return nil, fmt.Errorf("input %v to size %v: want [batch,h,w,c] and a positive size", x, k.Size)
	}
	if k.Method != "nearest" && k.Method != "bilinear" {
		return nil, fmt.Errorf("method %q is neither nearest nor bilinear", k.Method)
	}
	if k.AlignCorners && k.HalfPixelCenters {
		return nil, fmt.Errorf("AlignCorners and HalfPixelCenters exclude each other")
	}
	return Shape{x[0], k.Size[0], k.Size[1], x[3]}, nil
}

// tap is where an output position reads: two neighbours and the weight of the second.
type tap struct {
	a, b int
	w    float32
}

// taps maps positions of the output to the input (tensorflow/lite/kernels/internal/reference/resize_bilinear.h, resize_nearest_neighbor.h).
func (k Resize) taps(in, out int) []tap {
	scale := float32(in) / float32(out)
	if k.AlignCorners && out > 1 {
		scale = float32(in-1) / float32(out-1)
	}
	ts := make([]tap, out)
	for i := range ts {
		if k.Method == "nearest" {
			at := float32(i)
			if k.HalfPixelCenters {
				at += 0.5
			}
			at *= scale
			j := int(math.Floor(float64(at)))
			if k.AlignCorners {
				j = int(math.Round(float64(at)))
			}
			j = min(max(j, 0), in-1)
			ts[i] = tap{j, j, 0}
			continue
		}
		at := float32(i) * scale
		if k.HalfPixelCenters {
			at = float32((float32(i)+0.5)*scale) - 0.5
		}
		low := float32(math.Floor(float64(at)))
		ts[i] = tap{max(int(low), 0), min(int(math.Ceil(float64(at))), in-1), at - low}
	}
	return ts
}

func (k Resize) Kernel(c Context) (Kernel, error) {
	return &resizeKernel{c.In[0], c.Out, k.taps(c.In[0][1], c.Out[1]), k.taps(c.In[0][2], c.Out[2])}, nil
}

type resizeKernel struct {
	in, out Shape
	ys, xs  []tap
}

// each calls f with the output's offset, the four inputs' offsets and their weights.
func (k *resizeKernel) each(f func(y int, x [4]int, w [4]float32)) {
	at := func(n, i, j int) int { return ((n*k.in[1]+i)*k.in[2] + j) * k.in[3] }
	for n := range k.out[0] {
		for i, ty := range k.ys {
			for j, tx := range k.xs {
				f(((n*k.out[1]+i)*k.out[2]+j)*k.out[3],
					[4]int{at(n, ty.a, tx.a), at(n, ty.a, tx.b), at(n, ty.b, tx.a), at(n, ty.b, tx.b)},
					[4]float32{(1 - ty.w) * (1 - tx.w), (1 - ty.w) * tx.w, ty.w * (1 - tx.w), ty.w * tx.w})
			}
		}
	}
}

func (*resizeKernel) backwardReads(int) bool { return false }

func (k *resizeKernel) Forward(y []float32, in [][]float32) {
	k.each(func(to int, x [4]int, w [4]float32) {
		for c := range k.in[3] {
			sum := float32(0)
			for i, at := range x {
				sum += in[0][at+c] * w[i]
			}
			y[to+c] = sum
		}
	})
}

func (k *resizeKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	clear(dx[0])
	k.each(func(to int, x [4]int, w [4]float32) {
		for c := range k.in[3] {
			for i, at := range x {
				dx[0][at+c] += dy[to+c] * w[i]
			}
		}
	})
}
