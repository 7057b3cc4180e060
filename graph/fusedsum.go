package graph

import (
	"github.com/temper-ml/temper/internal/compute"
)

// sumChain is the addition of two values of one shape with an activation, and the tail: both values may be finished when they are loaded.
type sumChain struct {
	images, size  int // of the batch
	in            [2]*reader
	act           compute.Act
	tail          *tail
	train, onLoad bool
	z             []float32 // in training, when the stage itself applies the tail: the values before it
	own           *reader
	seen          []compute.Range
	pass          func(p *call, m *compute.Scratch, chunk, n, end, lo int) // in progress
}

// newSumChain prepares a chain that begins with an Add. Its inputs are those of the Ops in order, without the values inside the chain.
func newSumChain(st stage, c setting) (Kernel, error) {
	k := &sumChain{images: c.n, size: st[0].Out.Shape.With(c.n).Volume() / c.n, train: c.train, onLoad: c.onLoad}
	at, input := make([]int, len(st)), 2
	for i, o := range st[1:] {
		at[i+1] = input
		input += len(o.In) - 1
		if isClamp(o) {
			k.act = actOf(o.Kind)
		}
	}
	var err error
	if k.tail, err = newTail(st, at, c); err != nil {
		return nil, err
	}
	for i := range k.in {
		k.in[i] = c.reader(st[0], i)
	}
	if c.train {
		k.seen = make([]compute.Range, compute.Chunks(c.n, 1))
		if k.tail != nil && !c.onLoad {
			keep(c.keeps, &k.z, c.n*k.size)
			k.own = k.tail.reader(c.n)
		}
	}
	return k, nil
}

func (k *sumChain) backwardReads(i int) bool {
	if i == output {
		return k.own == nil && (k.act != compute.Linear || k.tail.clamps())
	}
	return i < 2 && k.in[i].reads()
}

// groupSize is the number of values that small images are taken together for.
const groupSize = 1 << 12

// chunks calls f, which captures nothing, for groups of images n to end of each chunk.
func (k *sumChain) chunks(args call, f func(p *call, m *compute.Scratch, chunk, n, end, lo int)) {
	args.k, k.pass = k, f
	work.Parallel(compute.Chunks(k.images, 1), 1, args, func(p *call, from, to int) {
		k := p.k.(*sumChain)
		images, group, chunks := k.images, max(1, groupSize/k.size), compute.Chunks(k.images, 1)
		m := compute.GetScratch()
		for c := from; c < to; c++ {
			lo, hi := c*images/chunks, (c+1)*images/chunks
			for n := lo; n < hi; n += group {
				k.pass(p, m, c, n, min(n+group, hi), lo)
			}
		}
		compute.PutScratch(m)
	})
}

func (k *sumChain) Forward(y []float32, in [][]float32) {
	if k.tail != nil && !k.train {
		k.tail.fix(in, nil)
	}
	z := y
	if k.z != nil {
		z = k.z
	}
	clear(k.seen)
	k.chunks(call{y: z, in: in}, func(p *call, m *compute.Scratch, chunk, n, end, lo int) {
		k, z, in := p.k.(*sumChain), p.y, p.in
		a := k.in[0].load(m, 2, span(in[0], n, end, k.size), n)
		b := k.in[1].load(m, 3, span(in[1], n, end, k.size), n)
		out := span(z, n, end, k.size)
		if k.tail.follows() {
			compute.AddActRange(&k.seen[chunk], out, a, b, k.act)
		} else {
			compute.AddAct(out, a, b, k.act)
		}
		if k.tail != nil && !k.train {
			k.tail.apply(out, out, n)
		}
	})
	if k.tail == nil || !k.train {
		return
	}
	var seen compute.Range
	for _, r := range k.seen {
		seen.Widen(r)
	}
	k.tail.settle(in, nil, seen)
	if !k.onLoad {
		k.tail.applyAll(y, z, k.images)
	}
}

// Backward: y and dy are as for a chainKernel.
func (k *sumChain) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	z := y
	if k.own != nil {
		z = k.z
	}
	k.chunks(call{y: z, dy: dy, in: in, dx: dx}, func(p *call, m *compute.Scratch, _, n, end, lo int) {
		k, z, dy, in, dx := p.k.(*sumChain), p.y, p.dy, p.in, p.dx
		gate := k.tail.gate(k.act)
		if n == lo {
			k.in[0].start(lo)
			k.in[1].start(lo)
		}
		d := span(dy, n, end, k.size)
		z = span(z, n, end, k.size)
		if k.own.turns() {
			g := m.Buffer(1, len(d))
			k.own.back(g, d, z, n, lo)
			d = g
		}
		d = k.gated(m, dx, d, z, n, end, gate)
		for i, to := range dx[:2] {
			if to == nil {
				continue
			}
			out := span(to, n, end, k.size)
			switch {
			case k.in[i].turns():
				k.in[i].back(out, d, span(in[i], n, end, k.size), n, lo)
			case &out[0] != &d[0]:
				copy(out, d)
			}
		}
	})
}

// gated is the gradient d where the gate passes it for z, written to the place of an input's gradient if one is the same.
func (k *sumChain) gated(m *compute.Scratch, dx [][]float32, d, z []float32, n, end int, gate compute.Gate) []float32 {
	if gate.Open() {
		return d
	}
	var g []float32
	for i, to := range dx[:2] {
		if to != nil && !k.in[i].turns() {
			g = span(to, n, end, k.size)
			break
		}
	}
	if g == nil {
		g = m.Buffer(0, len(d))
	}
	compute.ActGrad(g, d, z, nil, 1, gate)
	return g
}

func (k *sumChain) leaves() *tail { return k.tail }
