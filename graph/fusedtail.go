package graph

import (
	"slices"

	"github.com/temper-ml/temper/internal/compute"
)

// tail is what is left to do to a value when the stage that makes it has seen the whole batch: BatchNorm and its activation, FakeQuant, Dropout, each optional, in
// this order. Values of the tail depend on those before it alone, so it can be applied wherever an image is loaded, and again for the way back.
type tail struct {
	size    int // of an image
	c       int // channels
	norm    *norm
	act     compute.Act // behind norm; without one the stage itself applies the activation
	quant   *quantTail
	drop    *dropTail
	readers []*reader
}

// tailed is the kernel of a stage that leaves its tail to the readers.
type tailed interface{ leaves() *tail }

// quantTail is a FakeQuant at the end of a stage.
type quantTail struct {
	*fakeQuantKernel
	at int // input of the range; the next is the count, if there is one
	n  int // 1 or 2 inputs
}

// dropTail is a Dropout at the end of a stage.
type dropTail struct {
	*dropoutKernel
	at int // input of the count
	d  compute.Drop
}

// newTail collects the tail of a stage, or returns nil. at is the stage's input that each Op's second input is.
func newTail(st stage, at []int, c setting) (*tail, error) {
	n := c.n
	v := st.last().Out.Shape.With(n)
	t := &tail{size: v.Volume() / n, c: v.Channels()}
	for i, o := range st {
		switch k := o.Kind.(type) {
		case BatchNorm:
			t.norm = newNorm(k, t.c, at[i], n, c.train)
		case ReLU, ReLU6:
			t.act = actOf(o.Kind)
		case FakeQuant, Dropout:
			kernel, err := k.Kernel(c.context(o))
			if err != nil {
				return nil, err
			}
			switch kernel := kernel.(type) {
			case *fakeQuantKernel:
				t.quant = &quantTail{kernel, at[i], len(o.In) - 1}
			case *dropoutKernel:
				if c.train {
					t.drop = &dropTail{dropoutKernel: kernel, at: at[i]}
				}
			}
		}
	}
	if t.norm == nil {
		t.act = compute.Linear
	}
	if t.norm == nil && t.quant == nil && t.drop == nil {
		return nil, nil
	}
	if t.norm != nil {
		t.norm.extremes(t.quant != nil && t.quant.Observer == "ema" && c.train)
	}
	return t, nil
}

func actOf(k Kind) compute.Act {
	switch k.(type) {
	case ReLU:
		return compute.ReLU
	case ReLU6:
		return compute.ReLU6
	}
	return compute.Linear
}

// quantizes tells that the values are rounded in this step.
func (t *tail) quantizes() bool { return t.quant != nil && !t.quant.off }

// clamps tells that the tail has a quantizer, which passes the gradient inside its range only.
func (t *tail) clamps() bool { return t != nil && t.quant != nil }

// follows tells whether somebody needs the range of the values.
func (t *tail) follows() bool {
	return t != nil && t.quant != nil && t.quant.train && t.quant.Observer == "ema"
}

// fix settles the tail for inference, where nothing depends on the batch.
func (t *tail) fix(in [][]float32, bias []float32) {
	if t.norm != nil {
		t.norm.still(in, bias)
	}
	if t.quant != nil {
		t.quant.settle(in, compute.Range{})
	}
}

// settle makes the tail ready when the stage's pass has seen the batch; seen is the range of what goes into a FakeQuant, unless a norm is before it.
func (t *tail) settle(in [][]float32, bias []float32, seen compute.Range) {
	if t.norm != nil {
		t.norm.settle(in, bias)
		if t.follows() {
			seen = t.norm.valueRange(t.act)
		}
	}
	if t.quant != nil {
		t.quant.settle(in, seen)
	}
	if t.drop != nil {
		t.drop.d = t.drop.draw(in[t.drop.at])
	}
}

func (q *quantTail) settle(in [][]float32, seen compute.Range) {
	args := in[q.at : q.at+q.n]
	r := args[0]
	if q.begin(args[1:]) {
		q.seen[0], q.seen[1] = seen.Min, seen.Max
		r = q.follow(r)
	}
	if !q.off {
		q.aim(r)
	}
}

// gate is where the gradient passes the activation act and the quantizer.
func (t *tail) gate(act compute.Act) compute.Gate {
	g := act.Gate()
	if t != nil && t.quantizes() {
		g = g.Within(t.quant.q[0].Min, t.quant.q[0].Max)
	}
	return g
}

// apply writes the values y of whole images, of which n is the first, from what lies in memory; y may be z.
func (t *tail) apply(y, z []float32, n int) {
	from := z
	switch {
	case t.quantizes():
		var scale, shift []float32
		if t.norm != nil {
			scale, shift = t.norm.a, t.norm.b
		}
		compute.ScaleShiftActQuantize(y, z, scale, shift, t.c, t.act, t.quant.steps[0])
		from = y
	case t.norm != nil:
		compute.ScaleShiftAct(y, z, t.norm.a, t.norm.b, t.c, t.act)
		from = y
	}
	if t.drop != nil {
		compute.Dropout(y, from, n*t.size, t.drop.d)
	} else if &from[0] != &y[0] {
		copy(y, from)
	}
}

// applyAll applies the tail to a batch of so many images.
func (t *tail) applyAll(y, z []float32, images int) {
	work.Parallel(images, max(1, grain/t.size), call{k: t, y: y, dy: z}, func(p *call, lo, hi int) {
		t, y, z := p.k.(*tail), p.y, p.dy
		for n := lo; n < hi; n++ {
			t.apply(of(y, n, t.size), of(z, n, t.size), n)
		}
	})
}

// reader applies a tail on behalf of one stage that reads the value: of images on the way forward, of their gradients on the way back.
type reader struct {
	*tail
	images int
	sums   []float64 // with a norm: two sums a channel for each chunk of the images
}

// reader adds a reader for a batch of so many images.
func (t *tail) reader(images int) *reader {
	r := &reader{tail: t, images: images}
	if t.norm != nil {
		r.sums = make([]float64, 2*t.c*compute.Chunks(images, 1))
	}
	t.readers = append(t.readers, r)
	return r
}

// of returns the values of images n to end, in buffer i unless they are what lies in memory. A nil reader has nothing to apply.
func (r *reader) load(m *compute.Scratch, i int, z []float32, n int) []float32 {
	if r == nil || r.norm == nil && r.drop == nil && !r.quantizes() {
		return z
	}
	y := m.Buffer(i, len(z))
	r.apply(y, z, n)
	return y
}

// turns tells whether the gradient of the values differs from what back makes of it.
func (r *reader) turns() bool { return r != nil && (r.norm != nil || r.drop != nil) }

// reads tells whether back reads the values.
func (r *reader) reads() bool { return r != nil && r.norm != nil }

// start begins the way back of the chunk of images whose first is lo.
func (r *reader) start(lo int) {
	if r != nil && r.norm != nil {
		clear(r.chunk(lo))
	}
}

// chunk holds the sums of the chunk of images whose first is lo: sums, then products.
func (r *reader) chunk(lo int) []float64 {
	chunks := compute.Chunks(r.images, 1)
	i := (lo*chunks + r.images - 1) / r.images
	return r.sums[2*r.c*i : 2*r.c*(i+1)]
}

// back turns the gradient dy of the values of images from n on, of the chunk that begins at lo, into g: that of the norm's result, or without one,
// of what lies in memory where the stage's own gate, which it applies itself, passes it. g may be dy.
func (r *reader) back(g, dy, z []float32, n, lo int) {
	if r.drop != nil {
		compute.Dropout(g, dy, n*r.size, r.drop.d)
		dy = g
	}
	if r.norm != nil {
		s := r.chunk(lo)
		compute.NormGate(g, s[:r.c], s[r.c:], dy, z, r.norm.a, r.norm.b, r.norm.mean, r.c, r.gate(r.act))
	} else if &dy[0] != &g[0] {
		copy(g, dy)
	}
}

// totals adds the readers' sums in order.
func (t *tail) totals(sum []float64) []float64 {
	clear(sum)
	for _, r := range t.readers {
		for part := range slices.Chunk(r.sums, 2*t.c) {
			for i, v := range part {
				sum[i] += v
			}
		}
	}
	return sum
}
