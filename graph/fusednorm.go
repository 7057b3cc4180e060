package graph

import (
	"math"

	"github.com/temper-ml/temper/internal/compute"
)

// normChain is a convolution with an optional bias, BatchNorm and activation. Its inputs are x, kernel, bias if there is one, gamma, beta, moving mean and
// moving variance. In training it
// keeps what goes into the BatchNorm; statistics are taken image by image, while the image lies in the cache, and combined in order.
type normChain struct {
	*chainKernel
	batch             bool // the batch's own statistics
	epsilon, momentum float32
	z                 []float32 // in training: output of the convolution
	moments           []float64 // of each image: means, then sums of squared differences
	sums              []float64 // of each image: the two sums of Backward
	mean, inv         []float32 // of the last Forward: mean, 1/sqrt(variance+epsilon)
	center            []float64 // the mean
	a, b, slope       []float32 // scratch for a coefficient a channel
}

func newNormChain(c *chainKernel, k BatchNorm, train bool, keeps *keeper) *normChain {
	s := c.s
	f := &normChain{chainKernel: c, batch: train && !k.Frozen, epsilon: k.epsilon(), momentum: k.momentum()}
	for _, x := range []*[]float32{&f.mean, &f.inv, &f.a, &f.b, &f.slope} {
		*x = make([]float32, s.OC)
	}
	f.center = make([]float64, s.OC)
	if train {
		keep(keeps, &f.z, s.N*s.Out())
		f.sums = make([]float64, 2*s.N*s.OC)
	}
	if f.batch {
		f.moments = make([]float64, 2*s.N*s.OC)
	}
	return f
}

// first is the input of gamma; the others follow.
func (k *normChain) first() int {
	if k.bias >= 0 {
		return k.bias + 1
	}
	return 2
}

func (k *normChain) backwardReads(i int) bool {
	return i == k.first() || k.chainKernel.backwardReads(i)
}

func (k *normChain) Forward(y []float32, in [][]float32) {
	at := k.first()
	bias, gamma, beta, movingMean, movingVar := k.biasOf(in), in[at], in[at+1], in[at+2], in[at+3]
	k.conv.SetKernel(in[1])
	if !k.batch {
		for c := range k.mean {
			k.mean[c] = movingMean[c]
			k.inv[c] = float32(1 / math.Sqrt(float64(movingVar[c])+float64(k.epsilon)))
		}
		k.coefficients(gamma, beta)
	}
	s := k.s
	compute.Parallel(s.N, 1, func(lo, hi int) {
		m := compute.GetScratch()
		groups(k.conv, lo, hi, func(n, end int) {
			out := span(y, n, end, s.Out())
			z := out
			if k.z != nil {
				z = span(k.z, n, end, s.Out())
			}
			k.conv.Image(m, z, span(in[0], n, end, s.In()))
			if bias != nil {
				compute.BiasAct(z, z, bias, s.OC, compute.Linear)
			}
			if !k.batch {
				compute.ScaleShiftAct(out, z, k.a, k.b, s.OC, k.act)
				return
			}
			for i := n; i < end; i++ {
				compute.Moments(k.moments[2*i*s.OC:(2*i+1)*s.OC], k.moments[(2*i+1)*s.OC:2*(i+1)*s.OC], of(z, i-n, s.Out()), s.OC)
			}
		})
		compute.PutScratch(m)
	})
	if !k.batch {
		return
	}
	k.observe(movingMean, movingVar)
	k.coefficients(gamma, beta)
	compute.Parallel(s.N, 1, func(lo, hi int) {
		compute.ScaleShiftAct(y[lo*s.Out():hi*s.Out()], k.z[lo*s.Out():hi*s.Out()], k.a, k.b, s.OC, k.act)
	})
}

// coefficients are those of y = a*z + b.
func (k *normChain) coefficients(gamma, beta []float32) {
	for c := range k.a {
		k.a[c] = gamma[c] * k.inv[c]
		k.b[c] = beta[c] - float32(k.mean[c]*k.a[c])
	}
}

// observe combines the images' moments (Chan, Golub and LeVeque, 1983) and moves the moving statistics.
func (k *normChain) observe(movingMean, movingVar []float32) {
	s := k.s
	per := float64(s.OH * s.OW)
	for c := range k.mean {
		mean, m2 := 0.0, 0.0
		for n := range s.N {
			d := k.moments[2*n*s.OC+c] - mean
			seen := float64(n)
			mean += d / (seen + 1)
			m2 += k.moments[(2*n+1)*s.OC+c] + d*d*per*seen/(seen+1)
		}
		variance := m2 / (per * float64(s.N))
		k.mean[c] = float32(mean)
		k.inv[c] = float32(1 / math.Sqrt(variance+float64(k.epsilon)))
		movingMean[c] = float32(movingMean[c]*k.momentum) + float32(k.mean[c]*(1-k.momentum))
		movingVar[c] = float32(movingVar[c]*k.momentum) + float32(float32(variance)*(1-k.momentum))
	}
}

func (k *normChain) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	s, at := k.s, k.first()
	gamma, dgamma, dbeta := in[at], dx[at], dx[at+1]
	for c, v := range k.mean {
		k.center[c] = float64(v)
	}
	compute.Parallel(s.N, 1, func(lo, hi int) {
		for n := lo; n < hi; n++ {
			sums := k.sums[2*n*s.OC : 2*(n+1)*s.OC]
			clear(sums)
			compute.NormGradSums(sums[:s.OC], sums[s.OC:], of(dy, n, s.Out()), of(y, n, s.Out()), of(k.z, n, s.Out()), k.center, s.OC, k.act)
		}
	})
	pixels := float64(s.N * s.OH * s.OW)
	for c := range k.mean {
		sum, dot := 0.0, 0.0
		for n := range s.N {
			sum += k.sums[2*n*s.OC+c]
			dot += k.sums[(2*n+1)*s.OC+c]
		}
		inv := float64(k.inv[c])
		if dgamma != nil {
			dgamma[c] = float32(dot * inv)
		}
		if dbeta != nil {
			dbeta[c] = float32(sum)
		}
		// dz = gamma*inv*(dy - mean(dy) - zhat*mean(dy*zhat)); with moving statistics only the first term.
		k.a[c], k.b[c], k.slope[c] = gamma[c]*k.inv[c], 0, 0
		if k.batch {
			k.b[c], k.slope[c] = float32(sum/pixels), float32(dot*inv*inv/pixels)
		}
	}
	gradChain(k.conv, s, dx, in, k.bias, func(m *compute.Scratch, n, end int, db []float32) []float32 {
		dz := m.Buffer(0, (end-n)*s.Out())
		compute.NormGrad(dz, span(dy, n, end, s.Out()), span(y, n, end, s.Out()), span(k.z, n, end, s.Out()), k.a, k.b, k.slope, k.mean, s.OC, k.act)
		if db != nil {
			compute.SumRows(db, dz, s.OC)
		}
		return dz
	})
}
