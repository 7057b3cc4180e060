package graph

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/internal/compute"
)

// BatchNorm normalises each channel: gamma*(x-mean)/sqrt(variance+Epsilon) + beta. In training mean and (biased) variance are the batch's, and
// the moving ones follow: moving = moving*Momentum + batch*(1-Momentum); in inference, and in training when Frozen, the moving ones are used.
// Defaults and formulas are those of Keras BatchNormalization. (Ioffe and Szegedy, 2015.)
type BatchNorm struct {
	Epsilon  float32 `json:",omitempty"` // default 0.001
	Momentum float32 `json:",omitempty"` // default 0.99
	Frozen   bool    `json:",omitempty"`
}

func init() {
	in := []Shape{{Batch, 3, 2, 4}, {4}, {4}, {4}, {4}}
	positive := func(i int, x []float32) bool {
		for j := range x {
			x[j] = 0.5 + float32(j)/4
		}
		return i == 4
	}
	Register(Def{
		Kind: BatchNorm{},
		Doc:  "normalisation of each channel over the batch",
		In: []Port{{Name: "x", Diff: true}, {Name: "gamma", Diff: true}, {Name: "beta", Diff: true},
			{Name: "moving_mean", State: true}, {Name: "moving_variance", State: true}},
		Samples: []Sample{
			{Kind: BatchNorm{}, In: in, Fill: positive},
			{Kind: BatchNorm{Frozen: true}, In: in, Fill: positive},
			{Kind: BatchNorm{Epsilon: 0.1, Momentum: 0.5}, In: []Shape{{Batch, 3}, {3}, {3}, {3}, {3}}, Fill: positive},
		},
	})
}

func (k BatchNorm) epsilon() float32 {
	if k.Epsilon == 0 {
		return 1e-3
	}
	return k.Epsilon
}

func (k BatchNorm) momentum() float32 {
	if k.Momentum == 0 {
		return 0.99
	}
	return k.Momentum
}

func (k BatchNorm) Shape(in []Shape) (Shape, error) {
	for i, s := range in[1:] {
		if len(s) != 1 || s[0] != in[0].Channels() {
			return nil, fmt.Errorf("%s of shape %v does not fit input %v: want [%d]", []string{"gamma", "beta", "moving_mean", "moving_variance"}[i], s, in[0], in[0].Channels())
		}
	}
	return in[0], nil
}

func (k BatchNorm) Kernel(c Context) (Kernel, error) {
	ch := c.Out.Channels()
	n := &batchNormKernel{
		batch: c.Train && !k.Frozen, epsilon: k.epsilon(), momentum: k.momentum(), c: ch, pixels: c.Out.Volume() / ch,
		mean: make([]float32, ch), inv: make([]float32, ch), a: make([]float32, ch), b: make([]float32, ch),
	}
	n.sums = make([]float64, 2*ch*compute.Chunks(n.pixels, n.grain()))
	return n, nil
}

type batchNormKernel struct {
	batch             bool
	epsilon, momentum float32
	c, pixels         int
	mean, inv         []float32 // of the last Forward: mean, 1/sqrt(variance+epsilon)
	a, b              []float32 // scratch: y = a*x + b, or the two sums of Backward
	sums              []float64 // two sums a channel for each piece of the pixels
	part              func(k *batchNormKernel, s, t []float64, x, dy []float32)
}

func (k *batchNormKernel) grain() int { return max(1, grain/k.c) }

// twoSums lets f, which captures nothing, add to two float64 sums a channel over pieces of the pixels, and returns the totals, added in order.
func (k *batchNormKernel) twoSums(x, dy []float32, f func(k *batchNormKernel, s, t []float64, x, dy []float32)) (s, t []float64) {
	chunks := compute.Chunks(k.pixels, k.grain())
	k.part = f
	work.Parallel(chunks, 1, call{k: k, y: x, dy: dy}, func(p *call, from, to int) {
		k := p.k.(*batchNormKernel)
		chunks := compute.Chunks(k.pixels, k.grain())
		for i := from; i < to; i++ {
			part := k.sums[2*k.c*i : 2*k.c*(i+1)]
			clear(part)
			lo, hi := i*k.pixels/chunks*k.c, (i+1)*k.pixels/chunks*k.c
			var dy []float32
			if p.dy != nil {
				dy = p.dy[lo:hi]
			}
			k.part(k, part[:k.c], part[k.c:], p.y[lo:hi], dy)
		}
	})
	for i := 1; i < chunks; i++ {
		for j := range 2 * k.c {
			k.sums[j] += k.sums[2*k.c*i+j]
		}
	}
	return k.sums[:k.c], k.sums[k.c : 2*k.c]
}

func (k *batchNormKernel) backwardReads(i int) bool { return i == 0 || i == 1 }

func (k *batchNormKernel) Forward(y []float32, in [][]float32) {
	x, gamma, beta, movingMean, movingVar := in[0], in[1], in[2], in[3], in[4]
	if k.batch {
		k.observe(x, movingMean, movingVar)
	} else {
		for c := range k.mean {
			k.mean[c] = movingMean[c]
			k.inv[c] = float32(1 / math.Sqrt(float64(movingVar[c])+float64(k.epsilon)))
		}
	}
	for c := range k.a {
		k.a[c] = gamma[c] * k.inv[c]
		k.b[c] = beta[c] - float32(k.mean[c]*k.a[c])
	}
	work.Parallel(k.pixels, k.grain(), call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, x, y := p.k.(*batchNormKernel), p.in[0], p.y
		for p := lo * k.c; p < hi*k.c; p += k.c {
			out := y[p : p+k.c]
			for c, v := range x[p : p+k.c] {
				out[c] = float32(v*k.a[c]) + k.b[c]
			}
		}
	})
}

// observe computes the batch's statistics and moves the moving ones.
func (k *batchNormKernel) observe(x, movingMean, movingVar []float32) {
	n := float64(k.pixels)
	sum, _ := k.twoSums(x, nil, func(k *batchNormKernel, s, _ []float64, x, _ []float32) {
		for p := 0; p < len(x); p += k.c {
			for c, v := range x[p : p+k.c] {
				s[c] += float64(v)
			}
		}
	})
	for c := range k.mean {
		k.mean[c] = float32(sum[c] / n)
	}
	square, _ := k.twoSums(x, nil, func(k *batchNormKernel, s, _ []float64, x, _ []float32) {
		for p := 0; p < len(x); p += k.c {
			for c, v := range x[p : p+k.c] {
				d := float64(v - k.mean[c])
				s[c] += d * d
			}
		}
	})
	for c := range k.mean {
		variance := square[c] / n
		k.inv[c] = float32(1 / math.Sqrt(variance+float64(k.epsilon)))
		movingMean[c] = float32(movingMean[c]*k.momentum) + float32(k.mean[c]*(1-k.momentum))
		movingVar[c] = float32(movingVar[c]*k.momentum) + float32(float32(variance)*(1-k.momentum))
	}
}

func (k *batchNormKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	x := in[0]
	sum, dot := k.twoSums(x, dy, func(k *batchNormKernel, s, t []float64, x, dy []float32) {
		for p := 0; p < len(x); p += k.c {
			d := dy[p : p+k.c]
			for c, v := range x[p : p+k.c] {
				s[c] += float64(d[c])
				t[c] += float64(d[c] * (v - k.mean[c]))
			}
		}
	})
	if dx[1] != nil {
		for c := range dx[1] {
			dx[1][c] = float32(dot[c] * float64(k.inv[c]))
		}
	}
	if dx[2] != nil {
		for c := range dx[2] {
			dx[2][c] = float32(sum[c])
		}
	}
	if dx[0] == nil {
		return
	}
	// dx = gamma*inv*(dy - mean(dy) - xhat*mean(dy*xhat)); with moving statistics only the first term.
	n := float64(k.pixels)
	for c := range k.a {
		k.a[c], k.b[c] = 0, 0
		if k.batch {
			k.a[c] = float32(sum[c] / n)
			k.b[c] = float32(dot[c] * float64(k.inv[c]) * float64(k.inv[c]) / n)
		}
	}
	work.Parallel(k.pixels, k.grain(), call{k: k, dy: dy, in: in, dx: dx}, func(p *call, lo, hi int) {
		k, x, gamma, dy, dx := p.k.(*batchNormKernel), p.in[0], p.in[1], p.dy, p.dx
		for p := lo * k.c; p < hi*k.c; p += k.c {
			d, to := dy[p:p+k.c], dx[0][p:p+k.c]
			for c, v := range x[p : p+k.c] {
				to[c] = gamma[c] * k.inv[c] * (d[c] - k.a[c] - float32((v-k.mean[c])*k.b[c]))
			}
		}
	})
}
