package compute

import "sync"

// Images is a convolution that runs image by image: Conv or DepthwiseConv. The methods on images take one or several, one behind the other, at best
// Group of them; side by side calls need a Scratch each. While they compute they fetch what the Scratch's Ahead says.
type Images interface {
	Group() int
	SetKernel(w []float32)
	Image(m *Scratch, y, x []float32)
	SetGradKernel(w []float32)
	// ImageGrad computes both gradients: dx, unless it is nil, and the kernel's, unless sum is nil. The latter is added to sum (SumSize floats in a
	// form of the convolution's own, for FinishSum), or written if this is the first call for the sum.
	ImageGrad(m *Scratch, dx, sum, x, dy []float32, first bool)
	SumSize() int
	FinishSum(dw, sum []float32)
}

// In is the size of an input image, Out that of an output image.
func (s ConvShape) In() int { return s.H * s.W * s.C }

// Out is the size of an output image.
func (s ConvShape) Out() int { return s.OH * s.OW * s.OC }

// groups calls f for each group of images of [lo, hi).
func groups(c Images, lo, hi int, f func(lo, hi int)) {
	for n := lo; n < hi; n += c.Group() {
		f(n, min(n+c.Group(), hi))
	}
}

// imagesCall are a convolution and the arguments of a pass.
type imagesCall struct {
	c            Images
	s            ConvShape
	y, x, dx, dy []float32
	kernel       bool // the kernel's gradient is wanted
}

var (
	forwardWork  Work[imagesCall]
	backwardWork Sums[imagesCall]
)

func forward(c Images, s ConvShape, y, x []float32) {
	forwardWork.Parallel(s.N, 1, imagesCall{c: c, s: s, y: y, x: x}, (*imagesCall).forward)
}

func (p *imagesCall) forward(lo, hi int) {
	m, s := GetScratch(), &p.s
	groups(p.c, lo, hi, func(n, end int) {
		x, y := p.x[n*s.In():end*s.In()], p.y[n*s.Out():end*s.Out()]
		m.Ahead(y, Behind(x))
		p.c.Image(m, y, x)
	})
	PutScratch(m)
}

// backward computes dx and dw, each unless it is nil: each chunk of images has a sum of its own; they are added in order.
func backward(c Images, s ConvShape, dx, dw, x, dy []float32) {
	size := 0
	if dw != nil {
		size = c.SumSize()
	}
	call := GetScratch()
	call.c = grow(call.c, size)
	backwardWork.Reduce(call.c[:size], s.N, imagesCall{c, s, nil, x, dx, dy, dw != nil}, (*imagesCall).backward)
	if dw != nil {
		c.FinishSum(dw, call.c)
	}
	PutScratch(call)
}

func (p *imagesCall) backward(sum []float32, lo, hi int) {
	m, s := GetScratch(), &p.s
	if !p.kernel {
		sum = nil
	}
	groups(p.c, lo, hi, func(n, end int) {
		var gx, in []float32
		if p.dx != nil {
			gx = p.dx[n*s.In() : end*s.In()]
		}
		if p.kernel {
			in = p.x[n*s.In() : end*s.In()]
		}
		m.Ahead(gx, Behind(in))
		p.c.ImageGrad(m, gx, sum, in, p.dy[n*s.Out():end*s.Out()], n == lo)
	})
	PutScratch(m)
}

// Reduce lets each chunk of n items write a sum of its own, as long as dst, and adds the sums in order.
func Reduce(dst []float32, n int, f func(sum []float32, lo, hi int)) {
	r, _ := reductions.Get().(*reduction)
	if r == nil {
		r = new(reduction)
		r.write, r.total = r.writeSum, r.addSums
	}
	r.dst, r.n, r.chunks, r.f = dst, n, Chunks(n, 1), f
	r.sums = grow(r.sums, r.chunks*len(dst))
	Each(r.chunks, r.write)
	Parallel(len(dst), 1<<12, r.total)
	r.dst, r.f = nil, nil
	reductions.Put(r)
}

// reduction is a call of Reduce. Its memory is not a Scratch: sums are many times larger than what else a Scratch holds, and there is only one
// reduction at a time.
type reduction struct {
	dst       []float32
	n, chunks int
	f         func(sum []float32, lo, hi int)
	sums      []float32
	write     func(c int)
	total     func(lo, hi int)
}

var reductions sync.Pool

func (r *reduction) writeSum(c int) {
	size := len(r.dst)
	r.f(r.sums[c*size:(c+1)*size], c*r.n/r.chunks, (c+1)*r.n/r.chunks)
}

func (r *reduction) addSums(lo, hi int) {
	size := len(r.dst)
	copy(r.dst[lo:hi], r.sums[lo:hi])
	for c := 1; c < r.chunks; c++ {
		Add(r.dst[lo:hi], r.dst[lo:hi], r.sums[c*size+lo:c*size+hi])
	}
}

// Sums calls Reduce without a closure for each call, as Work calls Parallel.
type Sums[A any] struct{ calls sync.Pool }

type sumsCall[A any] struct {
	args A
	f    func(a *A, sum []float32, lo, hi int)
	run  func(sum []float32, lo, hi int)
}

// Reduce is the function Reduce with arguments for f, which captures nothing.
func (w *Sums[A]) Reduce(dst []float32, n int, args A, f func(a *A, sum []float32, lo, hi int)) {
	c, _ := w.calls.Get().(*sumsCall[A])
	if c == nil {
		c = new(sumsCall[A])
		c.run = func(sum []float32, lo, hi int) { c.f(&c.args, sum, lo, hi) }
	}
	c.args, c.f = args, f
	Reduce(dst, n, c.run)
	*c = sumsCall[A]{run: c.run}
	w.calls.Put(c)
}
