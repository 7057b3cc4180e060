package graph

import (
	"github.com/temper-ml/temper/internal/compute"
)

// setting is what a stage is prepared for.
type setting struct {
	n      int // batch
	train  bool
	onLoad bool             // the readers apply the tail
	tails  map[*Value]*tail // of the values that the stage reads
	keeps  *keeper
}

func (c setting) context(o *Op) Context {
	return Context{Op: o.Name, In: shapesWith(o.In, c.n), Out: o.Out.Shape.With(c.n), Train: c.train, keeper: c.keeps}
}

// reader is how input i of o is loaded; nil: as it is.
func (c setting) reader(o *Op, i int) *reader {
	if t := c.tails[o.In[i]]; t != nil {
		return t.reader(c.n)
	}
	return nil
}

// kernel prepares the stage.
func (s stage) kernel(c setting) (Kernel, error) {
	o := s[0]
	loads := c.tails[o.In[0]] != nil
	switch {
	case convolves(o) && (len(s) > 1 || loads):
		return newChain(s, c)
	case adds(o) && (len(s) > 1 || loads || c.tails[o.In[1]] != nil):
		return newSumChain(s, c)
	}
	k, err := o.Kind.Kernel(c.context(o))
	if err == nil && loads {
		return &loading{k.(perImage), c.reader(o, 0), c.n}, nil
	}
	return k, err
}

func shapesWith(vs []*Value, n int) []Shape {
	var shapes []Shape
	for _, v := range vs {
		shapes = append(shapes, v.Shape.With(n))
	}
	return shapes
}

// newChain prepares a chain that begins with a convolution. Its inputs are those of the Ops in order, without the values inside the chain.
func newChain(st stage, c setting) (Kernel, error) {
	head := st[0]
	conv, err := head.Kind.Kernel(c.context(head))
	if err != nil {
		return nil, err
	}
	k := &chainKernel{bias: -1, train: c.train, onLoad: c.onLoad, in: c.reader(head, 0)}
	switch conv := conv.(type) {
	case *conv2DKernel:
		k.conv, k.s = conv.Conv, conv.Conv.Shape()
	case *depthwiseKernel:
		k.conv, k.s = conv.DepthwiseConv, conv.DepthwiseConv.Shape()
	}
	at, input := make([]int, len(st)), len(head.In)
	for i, o := range st[1:] {
		at[i+1] = input
		input += len(o.In) - 1
		switch o.Kind.(type) {
		case BiasAdd:
			k.bias = at[i+1]
		case ReLU, ReLU6:
			k.act = actOf(o.Kind)
		case MaxPool2D:
			k.pool = true
			if c.train {
				keep(c.keeps, &k.arg, c.n*k.s.Out()/4)
			}
		}
	}
	if k.tail, err = newTail(st, at, c); err != nil {
		return nil, err
	}
	if k.tail != nil && k.tail.norm != nil {
		k.norm, k.act = k.tail.norm, compute.Linear
	}
	if c.train {
		k.seen = make([]compute.Range, compute.Chunks(c.n, 1))
		if k.tail != nil && !c.onLoad {
			keep(c.keeps, &k.z, c.n*k.outSize())
			k.own = k.tail.reader(c.n)
		}
	}
	return k, nil
}

// chainKernel is a convolution with bias, activation and 2x2 pooling, each optional, image by image, and the tail.
type chainKernel struct {
	conv          compute.Images
	s             compute.ConvShape
	in            *reader // how the images are loaded; nil: as they are
	bias          int     // input of the bias, or -1
	act           compute.Act
	pool          bool
	arg           []uint8 // in training: which of its 4 values each maximum is
	tail          *tail   // nil: none
	norm          *norm   // the tail's, or nil
	train, onLoad bool
	z             []float32       // in training, when the stage itself applies the tail: the values before it
	own           *reader         // and its way back
	seen          []compute.Range // of each chunk of images

	back struct { // the backward pass in progress
		call
		gate           compute.Gate
		size, channels int // of the sums: the kernel's and the bias's, 0 where nobody needs it
		piece          func(sum []float32, lo, hi int)
	}
}

// backwardReads: the input, the kernel, and where it is the value before the tail or tells what the activation passes, the output.
func (k *chainKernel) backwardReads(i int) bool {
	return i == 0 || i == 1 || i == output && k.own == nil && (k.norm != nil || k.pool || k.act != compute.Linear || k.tail.clamps())
}

// of is image i of an array of images of so many values.
func of(x []float32, i, size int) []float32 { return x[i*size : (i+1)*size] }

// span is images lo to hi of an array of images of so many values.
func span(x []float32, lo, hi, size int) []float32 { return x[lo*size : hi*size] }

// groups calls f for the groups of images of [lo, hi) that conv likes to see at once.
func groups(conv compute.Images, lo, hi int, f func(lo, hi int)) {
	for n, g := lo, conv.Group(); n < hi; n += g {
		f(n, min(n+g, hi))
	}
}

// outSize is the size of an image of the result.
func (k *chainKernel) outSize() int {
	if k.pool {
		return k.s.Out() / 4
	}
	return k.s.Out()
}

func (k *chainKernel) biasOf(in [][]float32) []float32 {
	if k.bias < 0 {
		return nil
	}
	return in[k.bias]
}

func (k *chainKernel) Forward(y []float32, in [][]float32) {
	k.conv.SetKernel(in[1])
	bias := k.biasOf(in)
	if k.tail != nil && !k.train {
		k.tail.fix(in, bias)
	}
	z := y
	if k.z != nil {
		z = k.z
	}
	clear(k.seen)
	n := k.s.N
	work.Parallel(compute.Chunks(n, 1), 1, call{k: k, y: z, in: in}, func(p *call, lo, hi int) {
		for c := lo; c < hi; c++ {
			p.k.(*chainKernel).chunk(c, p.y, p.in)
		}
	})
	if k.tail == nil || !k.train {
		return
	}
	var seen compute.Range
	for _, r := range k.seen {
		seen.Widen(r)
	}
	k.tail.settle(in, bias, seen)
	if !k.onLoad {
		k.tail.applyAll(y, z, n)
	}
}

// chunk is the pass over a chunk of the images.
func (k *chainKernel) chunk(c int, y []float32, in [][]float32) {
	n := k.s.N
	chunks := compute.Chunks(n, 1)
	if k.norm != nil {
		k.norm.start(c)
	}
	m := compute.GetScratch()
	groups(k.conv, c*n/chunks, (c+1)*n/chunks, func(n, end int) { k.images(m, c, y, in[0], k.biasOf(in), n, end) })
	compute.PutScratch(m)
}

// images is the pass over images n to end of a chunk.
func (k *chainKernel) images(m *compute.Scratch, chunk int, y, x, bias []float32, n, end int) {
	s, ranges := k.s, k.tail.follows()
	lying := span(x, n, end, s.In())
	x = k.in.load(m, 2, lying, n)
	out := span(y, n, end, k.outSize())
	m.Ahead(out, compute.Behind(lying))
	switch {
	case k.pool: // images below one another are one: their height is even
		z := m.Buffer(0, (end-n)*s.Out())
		k.conv.Image(m, z, x)
		if ranges {
			compute.BiasActMaxPool2x2Range(&k.seen[chunk], out, k.args(n, end), z, bias, (end-n)*s.OH, s.OW, s.OC, k.act)
		} else {
			compute.BiasActMaxPool2x2(out, k.args(n, end), z, bias, (end-n)*s.OH, s.OW, s.OC, k.act)
		}
	case k.norm != nil:
		k.conv.Image(m, out, x)
		if k.train {
			k.norm.take(chunk, out)
		}
	default:
		k.conv.Image(m, out, x)
		if ranges {
			compute.BiasActRange(&k.seen[chunk], out, out, bias, s.OC, k.act)
		} else {
			compute.BiasAct(out, out, bias, s.OC, k.act)
		}
	}
	if k.tail != nil && !k.train {
		k.tail.apply(out, out, n)
	}
}

func (k *chainKernel) args(n, end int) []uint8 {
	if k.arg == nil {
		return nil
	}
	size := k.s.Out() / 4
	return k.arg[n*size : end*size]
}

// Backward: y and dy are the values and their gradient; where the readers apply the tail, what lies in memory and the gradient that they turned.
func (k *chainKernel) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	z, n := y, k.s.N
	if k.own != nil {
		z = k.z
		if k.norm != nil {
			k.sum(dy)
		}
	}
	bias := k.bias
	if k.norm != nil {
		var db []float32
		if bias >= 0 {
			db, bias = dx[bias], -1
		}
		k.norm.gradients(k.tail, n*k.s.OH*k.s.OW, dx[k.norm.at], dx[k.norm.at+1], db)
	}
	k.gradients(call{y: z, dy: dy, in: in, dx: dx}, bias)
}

// sum takes the norm's sums for a stage that applies the tail itself.
func (k *chainKernel) sum(dy []float32) {
	work.Parallel(k.s.N, 1, call{k: k, dy: dy}, func(p *call, lo, hi int) {
		k, dy := p.k.(*chainKernel), p.dy
		size := k.s.Out()
		m := compute.GetScratch()
		k.own.start(lo)
		groups(k.conv, lo, hi, func(n, end int) {
			k.own.back(m.Buffer(0, (end-n)*size), span(dy, n, end, size), span(k.z, n, end, size), n, lo)
		})
		compute.PutScratch(m)
	})
}

// gradient makes the gradient by the convolution's results of images n to end, of the chunk that begins at lo, from that by the values.
func (k *chainKernel) gradient(m *compute.Scratch, z, dy []float32, n, end, lo int, db []float32, gate compute.Gate) []float32 {
	s := k.s
	dz := m.Buffer(0, (end-n)*s.Out())
	if k.own.turns() {
		g := m.Buffer(3, len(dy))
		k.own.back(g, dy, z, n, lo)
		dy = g
	}
	switch {
	case k.norm != nil:
		k.norm.grad(dz, dy, z)
	case k.pool:
		compute.BiasActMaxPool2x2Grad(dz, db, dy, z, k.args(n, end), (end-n)*s.OH, s.OW, s.OC, gate)
	default:
		compute.ActGrad(dz, dy, z, db, s.OC, gate)
	}
	return dz
}

// gradients is the backward pass of the convolution: image by image, with the gradient by its results made on the way. y are the values that the activation
// or the tail made them into, bias the input whose gradient is summed too, or -1.
func (k *chainKernel) gradients(args call, bias int) {
	b, dx := &k.back, args.dx
	b.call, b.gate, b.size, b.channels = args, k.tail.gate(k.act), 0, 0
	if b.piece == nil {
		b.piece = k.gradientPiece
	}
	if dx[0] != nil {
		k.conv.SetGradKernel(args.in[1])
	}
	if dx[1] != nil {
		b.size = k.conv.SumSize()
	}
	if bias >= 0 && dx[bias] != nil {
		b.channels = k.s.OC
	}
	m := compute.GetScratch()
	total := m.Buffer(1, b.size+b.channels)
	compute.Reduce(total, k.s.N, b.piece)
	if b.size > 0 {
		k.conv.FinishSum(dx[1], total[:b.size])
	}
	if b.channels > 0 {
		copy(dx[bias], total[b.size:])
	}
	compute.PutScratch(m)
	b.call = call{}
}

// gradientPiece is the backward pass of the chunk of images lo to hi.
func (k *chainKernel) gradientPiece(sum []float32, lo, hi int) {
	b, out := &k.back, k.outSize()
	m := compute.GetScratch()
	var db []float32
	if b.channels > 0 {
		db = sum[b.size:]
		clear(db)
	}
	k.in.start(lo)
	groups(k.conv, lo, hi, func(n, end int) {
		var to []float32
		y, dy := span(b.y, n, end, out), span(b.dy, n, end, out)
		dz := k.gradient(m, y, dy, n, end, lo, db, b.gate)
		if b.dx[0] != nil {
			to = span(b.dx[0], n, end, k.s.In())
		}
		if !k.backwardReads(output) {
			y = y[:0:0]
		}
		m.Ahead(to, compute.Behind(y), compute.Behind(dy), compute.Behind(span(b.in[0], n, end, k.s.In())))
		imageGrad(k.conv, m, k.in, k.s, b.dx[0], b.in[0], sum[:b.size], dz, n, end, lo)
	})
	compute.PutScratch(m)
}

// imageGrad computes the gradients of images n to end of the chunk that begins at lo: dx unless it is nil, and the kernel's sum unless it is empty.
func imageGrad(conv compute.Images, m *compute.Scratch, load *reader, s compute.ConvShape, dx, x, sum, dz []float32, n, end, lo int) {
	z := span(x, n, end, s.In())
	values := z
	if len(sum) == 0 {
		sum = nil
	} else {
		values = load.load(m, 2, z, n)
	}
	if dx == nil {
		conv.ImageGrad(m, nil, sum, values, dz, n == lo)
		return
	}
	out := span(dx, n, end, s.In())
	if !load.turns() {
		conv.ImageGrad(m, out, sum, values, dz, n == lo)
		return
	}
	g := m.Buffer(1, len(out))
	conv.ImageGrad(m, g, sum, values, dz, n == lo)
	load.back(out, g, z, n, lo)
}

func (k *chainKernel) leaves() *tail { return k.tail }
