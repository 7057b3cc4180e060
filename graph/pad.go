package graph

import (
	"fmt"
	"slices"
)

// Pad surrounds x [batch,h,w,c] with zeros (TFLite PAD).
type Pad struct {
	Before, After [2]int // h, w
}

func init() {
	Register(Def{
		Kind: Pad{},
		Doc:  "zeros around height and width",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: Pad{Before: [2]int{1, 0}, After: [2]int{2, 3}}, In: []Shape{{Batch, 3, 2, 4}}},
		},
	})
}

func (k Pad) Shape(in []Shape) (Shape, error) {
	x := in[0]
	sides := []int{k.Before[0], k.Before[1], k.After[0], k.After[1]}
	if len(x) != 4 || slices.Min(sides) < 0 || slices.Max(sides) > maxVolume {
		return nil, fmt.Errorf("input %v, padding %v and %v: want [batch,h,w,c] and padding of 0 to %d", x, k.Before, k.After, maxVolume)
	}
	return Shape{x[0], x[1] + k.Before[0] + k.After[0], x[2] + k.Before[1] + k.After[1], x[3]}, nil
}

func (k Pad) Kernel(c Context) (Kernel, error) { return padKernel{k.Before, c.In[0], c.Out}, nil }

type padKernel struct {
	before  [2]int
	in, out Shape
}

// rows calls f with the offsets of each row of x and of its place in y.
func (k padKernel) rows(f func(x, y, n int)) {
	n := k.in[2] * k.in[3]
	for i := range k.in[0] {
		for h := range k.in[1] {
			f((i*k.in[1]+h)*n, ((i*k.out[1]+h+k.before[0])*k.out[2]+k.before[1])*k.in[3], n)
		}
	}
}

func (padKernel) backwardReads(int) bool { return false }

func (k padKernel) Forward(y []float32, in [][]float32) {
	clear(y)
	k.rows(func(x, at, n int) { copy(y[at:at+n], in[0][x:x+n]) })
}

func (k padKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	k.rows(func(x, at, n int) { copy(dx[0][x:x+n], dy[at:at+n]) })
}
