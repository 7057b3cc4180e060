package graph

import (
	"fmt"
	"math"
	"slices"
)

// Softmax is exp(x)/sum(exp(x)) over the last dimension.
type Softmax struct{}

func init() {
	unaryDef(Softmax{}, "softmax over the channels", Sample{Kind: Softmax{}, In: []Shape{{Batch, 6}}}, Sample{Kind: Softmax{}, In: []Shape{{Batch, 2, 3, 4}}})
}

func (Softmax) Shape(in []Shape) (Shape, error) {
	if len(in[0]) == 0 || in[0].Channels() == Batch {
		return nil, fmt.Errorf("input %v has no dimension to normalise over: want [batch,...,c]", in[0])
	}
	return in[0], nil
}

func (Softmax) Kernel(c Context) (Kernel, error) {
	ch := c.Out.Channels()
	return &softmaxKernel{c.Out.Volume() / ch, ch}, nil
}

type softmaxKernel struct{ rows, c int }

func (*softmaxKernel) backwardReads(i int) bool { return i == output }

func (k *softmaxKernel) Forward(y []float32, in [][]float32) {
	work.Parallel(k.rows, 256, call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, y, in := p.k.(*softmaxKernel), p.y, p.in
		for r := lo; r < hi; r++ {
			x, out := in[0][r*k.c:(r+1)*k.c], y[r*k.c:(r+1)*k.c]
			top, sum := slices.Max(x), 0.0
			for _, v := range x {
				sum += math.Exp(float64(v - top))
			}
			for i, v := range x {
				out[i] = float32(math.Exp(float64(v-top)) / sum)
			}
		}
	})
}

func (k *softmaxKernel) Backward(dx [][]float32, _ [][]float32, y, dy []float32) {
	for r := range k.rows {
		out, d, to := y[r*k.c:(r+1)*k.c], dy[r*k.c:(r+1)*k.c], dx[0][r*k.c:(r+1)*k.c]
		dot := float32(0)
		for i, v := range out {
			dot += v * d[i]
		}
		for i, v := range out {
			to[i] = v * (d[i] - dot)
		}
	}
}
