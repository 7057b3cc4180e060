package graph

import (
	"fmt"

	"github.com/temper-ml/temper/internal/compute"
)

// The element-wise Kinds of two inputs take equal shapes, or a second input that repeats: a scalar-like value or one of shape [...,c] whose
// dimensions, aligned at the end, are the first's or 1 (TFLite's broadcasting, for the second operand).

// broadcast says how an index of the first operand maps to the second: both are cut into runs, and stride[d] is 0 where the second repeats.
type broadcast struct {
	shape, stride []int
	n, m          int // elements of the two
}

func newBroadcast(a, b Shape) (*broadcast, error) {
	if len(b) > len(a) {
		return nil, fmt.Errorf("shapes %v and %v: the second has more dimensions", a, b)
	}
	k := &broadcast{shape: a, stride: make([]int, len(a)), n: 1, m: 1}
	for i := len(a) - 1; i >= 0; i-- {
		j := i - (len(a) - len(b))
		if j >= 0 && b[j] != 1 {
			if b[j] != a[i] {
				return nil, fmt.Errorf("shapes %v and %v do not fit: dimension %d is %d and %d", a, b, i, a[i], b[j])
			}
			k.stride[i] = k.m
			k.m *= b[j]
		}
		k.n *= a[i]
	}
	return k, nil
}

func binaryShape(in []Shape) (Shape, error) {
	a, b := in[0], in[1]
	if !a.Batched() && b.Batched() {
		return nil, fmt.Errorf("shapes %v and %v: put the constant second", a, b)
	}
	if _, err := newBroadcast(a.With(1), b.With(1)); err != nil {
		return nil, fmt.Errorf("shapes %v and %v do not fit", a, b)
	}
	return a, nil
}

// flat tells that both operands run in step.
func (k *broadcast) flat() bool { return k.n == k.m }

// channelwise tells that the second operand is a vector over the last dimension.
func (k *broadcast) channelwise() bool {
	return k.m == k.shape[len(k.shape)-1] && k.stride[len(k.shape)-1] == 1
}

// expand writes the second operand at the first's size.
func (k *broadcast) expand(dst, b []float32) {
	k.each(func(i, j int) { dst[i] = b[j] })
}

// reduce sums d, of the first's size, to the second's.
func (k *broadcast) reduce(db, d []float32) {
	if k.channelwise() {
		compute.SumChannels(db, d, k.m)
		return
	}
	clear(db)
	k.each(func(i, j int) { db[j] += d[i] })
}

func (k *broadcast) each(f func(i, j int)) {
	at := make([]int, len(k.shape))
	j := 0
	for i := range k.n {
		f(i, j)
		for d := len(at) - 1; d >= 0; d-- {
			at[d]++
			j += k.stride[d]
			if at[d] < k.shape[d] {
				break
			}
			j -= k.stride[d] * at[d]
			at[d] = 0
		}
	}
}

// binaryKernel is the kernel of an element-wise Kind of two inputs: f the value, df the two derivatives times dy.
type binaryKernel struct {
	*broadcast
	linear bool      // the derivatives do not depend on the operands
	b      []float32 // the second operand, expanded
	d      []float32 // its gradient before the reduction
	f      func(y, a, b []float32)
	da     func(d, a, b, dy []float32)
	db     func(d, a, b, dy []float32)
}

func newBinary(c Context, linear bool, f func(y, a, b []float32), da, db func(d, a, b, dy []float32)) (Kernel, error) {
	br, err := newBroadcast(c.In[0], c.In[1])
	if err != nil {
		return nil, err
	}
	k := &binaryKernel{broadcast: br, linear: linear, f: f, da: da, db: db}
	if !br.flat() {
		keep(c.keeper, &k.b, br.n)
		if c.Train {
			keep(c.keeper, &k.d, br.n)
		}
	}
	return k, nil
}

func (k *binaryKernel) second(b []float32) []float32 {
	if k.flat() {
		return b
	}
	k.expand(k.b, b)
	return k.b
}

// backwardReads: a sum of equal shapes passes the gradient on.
func (k *binaryKernel) backwardReads(i int) bool { return i != output && !(k.linear && k.flat()) }

func (k *binaryKernel) Forward(y []float32, in [][]float32) {
	binaryWork.Parallel(k.n, grain, binaryCall{k.f, nil, y, in[0], k.second(in[1]), nil}, (*binaryCall).piece)
}

func (k *binaryKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	a, b := in[0], k.second(in[1])
	if dx[0] != nil {
		binaryWork.Parallel(k.n, grain, binaryCall{nil, k.da, dx[0], a, b, dy}, (*binaryCall).piece)
	}
	if dx[1] == nil {
		return
	}
	d := dx[1]
	if !k.flat() {
		d = k.d
	}
	binaryWork.Parallel(k.n, grain, binaryCall{nil, k.db, d, a, b, dy}, (*binaryCall).piece)
	if !k.flat() {
		k.reduce(dx[1], d)
	}
}

// binaryCall is a pass over two operands: f, or the derivative df.
type binaryCall struct {
	f           func(y, a, b []float32)
	df          func(d, a, b, dy []float32)
	y, a, b, dy []float32
}

var binaryWork compute.Work[binaryCall]

func (p *binaryCall) piece(lo, hi int) {
	if p.f != nil {
		p.f(p.y[lo:hi], p.a[lo:hi], p.b[lo:hi])
		return
	}
	p.df(p.y[lo:hi], p.a[lo:hi], p.b[lo:hi], p.dy[lo:hi])
}

// binaryDef registers an element-wise Kind of two inputs.
func binaryDef(k Kind, doc string) {
	Register(Def{Kind: k, Doc: doc, In: []Port{{Name: "a", Diff: true}, {Name: "b", Diff: true}}, Samples: []Sample{
		{Kind: k, In: []Shape{{Batch, 3, 2, 5}, {Batch, 3, 2, 5}}},
		{Kind: k, In: []Shape{{Batch, 3, 2, 5}, {5}}},
		{Kind: k, In: []Shape{{Batch, 3, 2, 5}, {Batch, 1, 1, 5}}},
		{Kind: k, In: []Shape{{Batch, 3, 2, 5}, {3, 1, 1}}},
		{Kind: k, In: []Shape{{Batch, 4}, {1}}},
	}})
}

// pass copies the gradient.
func pass(d, _, _, dy []float32) { copy(d, dy) }
