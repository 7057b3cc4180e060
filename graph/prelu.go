package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// PReLU is x for x >= 0 and alpha*x below, with alpha [c] learned (TFLite PRELU).
type PReLU struct{}

func init() {
	Register(Def{
		Kind:    PReLU{},
		Doc:     "x, or alpha*x where negative, alpha [c]",
		In:      []Port{{Name: "x", Diff: true}, {Name: "alpha", Diff: true}},
		Samples: []Sample{{Kind: PReLU{}, In: []Shape{{Batch, 3, 2, 5}, {5}}, Fill: awayFrom(0)}},
	})
}

func (PReLU) Shape(in []Shape) (Shape, error) {
	if len(in[1]) != 1 || in[1][0] != in[0].Channels() {
		return nil, fmt.Errorf("alpha %v does not fit input %v: want [%d]", in[1], in[0], in[0].Channels())
	}
	return in[0], nil
}

func (PReLU) Kernel(c Context) (Kernel, error) {
	k := &preluKernel{pixels: c.Out.Volume() / c.Out.Channels(), c: c.Out.Channels()}
	if c.Train {
		keep(c.keeper, &k.part, c.Out.Volume())
	}
	return k, nil
}

type preluKernel struct {
	pixels, c int
	part      []float32 // the gradient of alpha before the sum over pixels
}

func (*preluKernel) backwardReads(i int) bool { return i != output }

func (k *preluKernel) Forward(y []float32, in [][]float32) {
	work.Parallel(k.pixels, max(1, grain/k.c), call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, y, in := p.k.(*preluKernel), p.y, p.in
		for p := lo * k.c; p < hi*k.c; p += k.c {
			for i, v := range in[0][p : p+k.c] {
				if v < 0 {
					v *= in[1][i]
				}
				y[p+i] = v
			}
		}
	})
}

func (k *preluKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	work.Parallel(k.pixels, max(1, grain/k.c), call{k: k, dy: dy, in: in, dx: dx}, func(p *call, lo, hi int) {
		k, dy, in, dx := p.k.(*preluKernel), p.dy, p.in, p.dx
		for p := lo * k.c; p < hi*k.c; p += k.c {
			for i, v := range in[0][p : p+k.c] {
				d, part := dy[p+i], float32(0)
				if v < 0 {
					part = d * v
					d *= in[1][i]
				}
				k.part[p+i] = part
				if dx[0] != nil {
					dx[0][p+i] = d
				}
			}
		}
	})
	if dx[1] != nil {
		compute.SumChannels(dx[1], k.part, k.c)
	}
}
