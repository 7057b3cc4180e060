package graph

import "fmt"

// Concat joins its inputs along Axis, counted with the batch as 0; -1 is the last (TFLite CONCATENATION).
type Concat struct {
	Axis int
}

func init() {
	Register(Def{
		Kind:     Concat{},
		Doc:      "joins values along an axis",
		In:       []Port{{Name: "x", Diff: true}},
		Variadic: true,
		Samples: []Sample{
			{Kind: Concat{Axis: -1}, In: []Shape{{Batch, 3, 2, 4}, {Batch, 3, 2, 1}, {Batch, 3, 2, 2}}},
			{Kind: Concat{Axis: 1}, In: []Shape{{Batch, 3, 2}, {Batch, 1, 2}}},
		},
	})
}

func (k Concat) axis(rank int) (int, error) {
	a := k.Axis
	if a < 0 {
		a += rank
	}
	if a < 1 || a >= rank {
		return 0, fmt.Errorf("axis %d of values with %d dimensions: want 1 to %d, or -1", k.Axis, rank, rank-1)
	}
	return a, nil
}

func (k Concat) Shape(in []Shape) (Shape, error) {
	a, err := k.axis(len(in[0]))
	if err != nil {
		return nil, err
	}
	out := append(Shape{}, in[0]...)
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("shapes %v and %v cannot be joined", in[0], s)
		}
		for i := range s {
			if i != a && s[i] != out[i] {
				return nil, fmt.Errorf("shapes %v and %v cannot be joined along axis %d", in[0], s, a)
			}
		}
		out[a] += s[a]
	}
	return out, nil
}

func (k Concat) Kernel(c Context) (Kernel, error) {
	a, err := k.axis(len(c.Out))
	if err != nil {
		return nil, err
	}
	j := concatKernel{outer: Shape(c.Out[:a]).Volume()}
	for _, s := range c.In {
		j.parts = append(j.parts, Shape(s[a:]).Volume())
		j.row += Shape(s[a:]).Volume()
	}
	return j, nil
}

type concatKernel struct {
	outer, row int
	parts      []int // values of each input in a row of the output
}

func (k concatKernel) each(f func(input, x, y, n int)) {
	at := 0
	for i, n := range k.parts {
		for o := range k.outer {
			f(i, o*n, o*k.row+at, n)
		}
		at += n
	}
}

func (concatKernel) backwardReads(int) bool { return false }

func (k concatKernel) Forward(y []float32, in [][]float32) {
	k.each(func(i, x, at, n int) { copy(y[at:at+n], in[i][x:x+n]) })
}

func (k concatKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) {
	k.each(func(i, x, at, n int) {
		if dx[i] != nil {
			copy(dx[i][x:x+n], dy[at:at+n])
		}
	})
}
