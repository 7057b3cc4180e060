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
	return &dropoutKernel{rate: k.Rate, seed: k.Seed, name: c.Op, train: c.Train}, nil
}

// dropoutKernel keeps no mask: what is dropped is drawn again on the way back.
type dropoutKernel struct {
	rate  float32
	seed  uint64
	name  string
	train bool
	last  compute.Drop

	source rand.PCG
}

// draw counts the step, and says what it drops.
func (k *dropoutKernel) draw(count []float32) compute.Drop {
	k.source.Seed(streamSeed(k.seed+uint64(count[0]), k.name))
	key := k.source.Uint64()
	count[0]++
	return compute.NewDrop(key, k.rate)
}

func (*dropoutKernel) backwardReads(int) bool { return false }

func (k *dropoutKernel) Forward(y []float32, in [][]float32) {
	if !k.train {
		copy(y, in[0])
		return
	}
	k.last = k.draw(in[1])
	k.drop(y, in[0])
}

func (k *dropoutKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) { k.drop(dx[0], dy) }

func (k *dropoutKernel) drop(y, x []float32) {
	work.Parallel(len(y), grain, call{k: k, y: y, dy: x}, func(p *call, lo, hi int) {
		compute.Dropout(p.y[lo:hi], p.dy[lo:hi], lo, p.k.(*dropoutKernel).last)
	})
}
