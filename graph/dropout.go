package graph

import (
	"fmt"
	"math/rand/v2"

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
		d.scale = make([]float32, c.Out.Volume())
	}
	return d, nil
}

type dropoutKernel struct {
	rate  float32
	seed  uint64
	name  string
	train bool
	scale []float32 // 0 or 1/(1-rate) for each value
}

func (k *dropoutKernel) Forward(y []float32, in [][]float32) {
	if !k.train {
		copy(y, in[0])
		return
	}
	r := Stream(k.seed+uint64(in[1][0]), k.name)
	base := r.Uint64()
	in[1][0]++
	keep := 1 / (1 - k.rate)
	compute.Parallel(len(y), grain, func(lo, hi int) {
		r := rand.New(rand.NewPCG(base, uint64(lo)))
		for i := lo; i < hi; i++ {
			k.scale[i] = keep
			if r.Float32() < k.rate {
				k.scale[i] = 0
			}
			y[i] = in[0][i] * k.scale[i]
		}
	})
}

func (k *dropoutKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	compute.Parallel(len(dy), grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dx[0][i] = dy[i] * k.scale[i]
		}
	})
}
