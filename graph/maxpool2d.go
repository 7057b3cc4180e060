package graph

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/internal/compute"
)

// MaxPool2D is the maximum over windows of x [batch,h,w,c] (TFLite MAX_POOL_2D: padding never wins).
type MaxPool2D struct {
	Size    [2]int
	Stride  [2]int `json:",omitzero"` // left out: 1
	Padding Padding
}

func init() {
	Register(Def{
		Kind: MaxPool2D{},
		Doc:  "maximum over windows",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: MaxPool2D{Size: [2]int{2, 2}, Stride: [2]int{2, 2}, Padding: Valid}, In: []Shape{{Batch, 5, 4, 3}}, Fill: distinct},
			{Kind: MaxPool2D{Size: [2]int{3, 2}, Stride: [2]int{2, 1}, Padding: Same}, In: []Shape{{Batch, 5, 4, 2}}, Fill: distinct},
		},
	})
}

// distinct fills a sample with values that are well apart, so that a small change moves no maximum.
func distinct(_ int, x []float32) bool {
	for i := range x {
		x[i] = float32((i*37)%len(x)) - float32(len(x))/2
	}
	return true
}

func (k MaxPool2D) Shape(in []Shape) (Shape, error) {
	s, err := k.window(in[0])
	return Shape{in[0][0], s.OH, s.OW, s.C}, err
}

func (k MaxPool2D) window(x Shape) (compute.ConvShape, error) {
	if len(x) != 4 {
		return compute.ConvShape{}, fmt.Errorf("input %v: want [batch,h,w,c]", x)
	}
	return Conv2D{Stride: k.Stride, Padding: k.Padding}.window(x, Shape{k.Size[0], k.Size[1], x[3]})
}

func (k MaxPool2D) Kernel(c Context) (Kernel, error) {
	s, err := k.window(c.In[0])
	if err != nil {
		return nil, err
	}
	if k.Size == [2]int{2, 2} && k.Stride == [2]int{2, 2} && s.H%2+s.W%2 == 0 {
		return newBlockPool(s, c), nil
	}
	p := &maxPoolKernel{s: s}
	if c.Train {
		keep(c.keeper, &p.from, c.Out.Volume())
	}
	return p, err
}

type maxPoolKernel struct {
	s    compute.ConvShape
	from []int32 // for each output, the offset in its image of the value it took
}

func (*maxPoolKernel) backwardReads(int) bool { return false }

func (k *maxPoolKernel) Forward(y []float32, in [][]float32) {
	work.Parallel(k.s.N, 1, call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, y, in := p.k.(*maxPoolKernel), p.y, p.in
		s := k.s
		for n := lo; n < hi; n++ {
			x := in[0][n*s.H*s.W*s.C : (n+1)*s.H*s.W*s.C]
			for o := range s.OH * s.OW {
				at := (n*s.OH*s.OW + o) * s.C
				var from []int32
				if k.from != nil {
					from = k.from[at : at+s.C]
				}
				maxWindow(y[at:at+s.C], from, x, s, o/s.OW, o%s.OW)
			}
		}
	})
}

// clip is the part of a window inside the image: rows [y0, y1) and columns [x0, x1).
func clip(s compute.ConvShape, oy, ox int) (y0, y1, x0, x1 int) {
	y0, x0 = oy*s.StrideH-s.PadTop, ox*s.StrideW-s.PadLeft
	return max(y0, 0), min(y0+s.KH, s.H), max(x0, 0), min(x0+s.KW, s.W)
}

// maxWindow writes the maximum of each channel over one window, and where it was unless from is nil.
func maxWindow(y []float32, from []int32, x []float32, s compute.ConvShape, oy, ox int) {
	y0, y1, x0, x1 := clip(s, oy, ox)
	for c := range y {
		y[c] = float32(math.Inf(-1))
	}
	for iy := y0; iy < y1; iy++ {
		for ix := x0; ix < x1; ix++ {
			at := (iy*s.W + ix) * s.C
			row := x[at : at+len(y)]
			if from == nil {
				for c, v := range row {
					y[c] = max(y[c], v)
				}
				continue
			}
			from := from[:len(row)]
			for c, v := range row {
				// The negation lets a NaN in, the comparison with itself keeps it.
				if !(v <= y[c]) && y[c] == y[c] {
					y[c], from[c] = v, int32(at+c)
				}
			}
		}
	}
}

func (k *maxPoolKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	work.Parallel(k.s.N, 1, call{k: k, dy: dy, dx: dx}, func(p *call, lo, hi int) {
		k, dy, dx := p.k.(*maxPoolKernel), p.dy, p.dx
		s := k.s
		per := s.OH * s.OW * s.C
		for n := lo; n < hi; n++ {
			img := dx[0][n*s.H*s.W*s.C : (n+1)*s.H*s.W*s.C]
			clear(img)
			for i, v := range dy[n*per : (n+1)*per] {
				img[k.from[n*per+i]] += v
			}
		}
	})
}

// blockPool is the pooling of whole 2x2 blocks.
type blockPool struct {
	s   compute.ConvShape
	arg []uint8 // in training: which of its 4 values each maximum is
}

func newBlockPool(s compute.ConvShape, c Context) *blockPool {
	p := &blockPool{s: s}
	if c.Train {
		keep(c.keeper, &p.arg, s.N*s.Out())
	}
	return p
}

func (*blockPool) backwardReads(i int) bool { return i == output }

func (k *blockPool) sizes() (in, out int) { return k.s.In(), k.s.Out() }

// args are the positions of images from n on, as many as y holds.
func (k *blockPool) args(y []float32, n int) []uint8 {
	if k.arg == nil {
		return nil
	}
	return k.arg[n*k.s.Out() : n*k.s.Out()+len(y)]
}

// forwardImages: images below one another are one, as their height is even.
func (k *blockPool) forwardImages(y, x []float32, n int) {
	s := k.s
	compute.BiasActMaxPool2x2(y, k.args(y, n), x, nil, len(x)/s.In()*s.H, s.W, s.C, compute.Linear)
}

func (k *blockPool) backwardImages(dx, y, dy []float32, n int) {
	s := k.s
	compute.BiasActMaxPool2x2Grad(dx, nil, dy, y, k.args(y, n), len(dx)/s.In()*s.H, s.W, s.C, compute.Linear.Gate())
}

func (k *blockPool) Forward(y []float32, in [][]float32) { forwardAll(k, k.s.N, y, in) }

func (k *blockPool) Backward(dx [][]float32, _ [][]float32, y, dy []float32) {
	backwardAll(k, k.s.N, dx, y, dy)
}
