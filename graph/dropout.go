package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// Dropout zeroes each value with probability Rate in training and scales the others by 1/(1-Rate); in inference it does nothing. What is
// dropped depends on Seed, the Op's name, and the count of training steps, so that a resumed run drops the same.
type Dropout struct {
	Rate float32
	Seed uint64 `json:",omitempty"`
}

func init() {
	Register(Def{
		Kind: Dropout{},
		Doc:  "random zeros in training",
		In:   []Port{{Name: "x", Diff: true}, {Name: "count", State: true}},
		Samples: []Sample{{
			Kind: Dropout{Rate: 0.4}, In: []Shape{{Batch, 8, 3}, {1}}, Kink: "draws other values at every step",
		}},
	})
}

func (k Dropout) Shape(in []Shape) (Shape, error) {
	if !(k.Rate >= 0 && k.Rate < 1) {
		return nil, fmt.Errorf("rate %g must be in [0, 1)", k.Rate)
	}
	if in[1].Volume() != 1 {
		return nil, fmt.Errorf("count %v: want [1]", in[1])
	}
	return in[0], nil
}

func (k Dropout) Kernel(c Context) (Kernel, error) {
	d := &dropoutKernel{rate: k.Rate, seed: k.Seed, name: c.Op, train: c.Train}
	if c.Train {
		keep(c.keeper, &d.scale, c.Out.Volume())
	}
	return d, nil
}

type dropoutKernel struct {
	rate  float32
	seed  uint64
	name  string
	train bool
	scale []float32 // 0 or 1/(1-rate) for each value

	// of the step:
	base  uint64  // of the stream
	keep  float32 // the factor of what stays
	least uint32  // what draws less is dropped
}

func (*dropoutKernel) backwardReads(int) bool { return false }

func (k *dropoutKernel) Forward(y []float32, in [][]float32) {
	if !k.train {
		copy(y, in[0])
		return
	}
	k.base = Stream(k.seed+uint64(in[1][0]), k.name).Uint64()
	in[1][0]++
	k.keep = 1 / (1 - k.rate)
	k.least = uint32(float64(k.rate) * (1 << 32))
	work.Parallel(len(y), grain, call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k := p.k.(*dropoutKernel)
		for i := lo; i < hi; i++ {
			k.scale[i] = k.keep
			if draw(k.base, uint64(i)) < k.least {
				k.scale[i] = 0
			}
		}
		compute.Mul(p.y[lo:hi], p.in[0][lo:hi], k.scale[lo:hi])
	})
}

// draw is number i of a stream: SplitMix64's output function of a counter (Steele, Lea and Flood, 2014), so that any part of the stream can be made
// on its own.
func draw(base, i uint64) uint32 {
	z := base + (i+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return uint32((z ^ z>>31) >> 32)
}

func (k *dropoutKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	work.Parallel(len(dy), grain, call{k: k, dy: dy, dx: dx}, func(p *call, lo, hi int) {
		compute.Mul(p.dx[0][lo:hi], p.dy[lo:hi], p.k.(*dropoutKernel).scale[lo:hi])
	})
}
