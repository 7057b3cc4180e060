package graph

import (
	"math"

	"github.com/temper-ml/temper/internal/compute"
)

// norm is the BatchNorm in a tail, as y = a*z + b of the value z before it. A bias between the convolution and the BatchNorm is not added to z: with the batch's
// statistics it moves the mean alone, and the normalisation takes it away again; with the moving ones it goes into b.
type norm struct {
	at                int // input of gamma; beta, moving mean and moving variance follow
	batch             bool
	epsilon, momentum float32
	mean, inv         []float32 // of z in this step: mean, 1/sqrt(variance+epsilon)
	a, b              []float32
	moments           []compute.Moments // of each chunk of images; nil where nobody needs them
	all               compute.Moments
	sum               []float64 // of the way back: sums of the gradient, then of its products with z-mean
	shift, slope      []float32
}

func newNorm(k BatchNorm, c, at, images int, train bool) *norm {
	n := &norm{at: at, batch: train && !k.Frozen, epsilon: k.epsilon(), momentum: k.momentum()}
	for _, x := range []*[]float32{&n.mean, &n.inv, &n.a, &n.b, &n.shift, &n.slope} {
		*x = make([]float32, c)
	}
	n.sum = make([]float64, 2*c)
	n.moments = make([]compute.Moments, compute.Chunks(images, 1))
	return n
}

// extremes decides whether the smallest and largest values are needed beside the moments.
func (k *norm) extremes(want bool) {
	if !k.batch && !want {
		k.moments = nil
		return
	}
	c := len(k.mean)
	k.all = compute.NewMoments(c, want)
	for i := range k.moments {
		k.moments[i] = compute.NewMoments(c, want)
	}
}

// start begins the statistics of a chunk of images.
func (k *norm) start(chunk int) {
	if k.moments != nil {
		k.moments[chunk].Clear()
	}
}

// take adds images to the statistics of their chunk.
func (k *norm) take(chunk int, z []float32) {
	if k.moments != nil {
		k.moments[chunk].Add(z, len(k.mean))
	}
}

// settle combines the statistics, moves the moving ones, and makes a and b.
func (k *norm) settle(in [][]float32, bias []float32) {
	if k.moments != nil {
		k.all.Clear()
		for i := range k.moments {
			k.all.Merge(&k.moments[i])
		}
	}
	if !k.batch {
		k.still(in, bias)
		return
	}
	movingMean, movingVar := in[k.at+2], in[k.at+3]
	for c := range k.mean {
		mean, variance := k.all.Mean[c], k.all.M2[c]/float64(k.all.N)
		k.mean[c] = float32(mean)
		k.inv[c] = float32(1 / math.Sqrt(variance+float64(k.epsilon)))
		if bias != nil {
			mean += float64(bias[c])
		}
		movingMean[c] = float32(movingMean[c]*k.momentum) + float32(float32(mean)*(1-k.momentum))
		movingVar[c] = float32(movingVar[c]*k.momentum) + float32(float32(variance)*(1-k.momentum))
	}
	k.coefficients(in)
}

// still uses the moving statistics.
func (k *norm) still(in [][]float32, bias []float32) {
	for c := range k.mean {
		k.mean[c] = in[k.at+2][c]
		if bias != nil {
			k.mean[c] -= bias[c]
		}
		k.inv[c] = float32(1 / math.Sqrt(float64(in[k.at+3][c])+float64(k.epsilon)))
	}
	k.coefficients(in)
}

func (k *norm) coefficients(in [][]float32) {
	gamma, beta := in[k.at], in[k.at+1]
	for c := range k.a {
		k.a[c] = gamma[c] * k.inv[c]
		k.b[c] = beta[c] - float32(k.mean[c]*k.a[c])
	}
}

// valueRange is the range of act(a*z + b). Multiplying, adding and clamping keep the order of numbers, or reverse it, also after rounding: the ends of the
// range come from the ends of z, the same bits as from all values.
func (k *norm) valueRange(act compute.Act) (r compute.Range) {
	for c := range k.a {
		for _, z := range []float32{k.all.Min[c], k.all.Max[c]} {
			v := act.Of(float32(z*k.a[c]) + k.b[c])
			r.Widen(compute.Range{Min: v, Max: v})
		}
	}
	return r
}

// gradients prepares the way back from the readers' sums: of gamma, beta and a bias, which with the batch's statistics has none, and dz = a*(g -
// mean(g) - zhat*mean(g*zhat)); with moving statistics only the first term.
func (k *norm) gradients(t *tail, pixels int, dgamma, dbeta, dbias []float32) {
	c := len(k.mean)
	sum := t.totals(k.sum)
	for i := range c {
		s, dot, inv := sum[i], sum[c+i], float64(k.inv[i])
		if dgamma != nil {
			dgamma[i] = float32(dot * inv)
		}
		if dbeta != nil {
			dbeta[i] = float32(s)
		}
		k.shift[i], k.slope[i] = 0, 0
		if k.batch {
			k.shift[i], k.slope[i] = float32(s/float64(pixels)), float32(dot*inv*inv/float64(pixels))
		}
		if dbias != nil {
			dbias[i] = 0
			if !k.batch {
				dbias[i] = float32(s * float64(k.a[i]))
			}
		}
	}
}

// grad writes the gradient dz by z from g, that of a*z + b. dz may be g.
func (k *norm) grad(dz, g, z []float32) {
	compute.NormGrad(dz, g, z, k.a, k.shift, k.slope, k.mean, len(k.mean))
}
