package compute

// Images is a convolution that runs image by image: Conv or DepthwiseConv.
type Images interface {
	SetKernel(w []float32)
	Image(m *Scratch, y, x []float32)
	SetGradKernel(w []float32)
	ImageGradInput(m *Scratch, dx, dy []float32)
	SumSize() int
	ImageGradKernel(m *Scratch, sum, x, dy []float32, first bool)
	FinishSum(dw, sum []float32)
}

// In is the size of an input image, Out that of an output image.
func (s ConvShape) In() int { return s.H * s.W * s.C }

// Out is the size of an output image.
func (s ConvShape) Out() int { return s.OH * s.OW * s.OC }

func forward(c Images, s ConvShape, y, x []float32) {
	Parallel(s.N, 1, func(lo, hi int) {
		m := GetScratch()
		for n := lo; n < hi; n++ {
			c.Image(m, y[n*s.Out():(n+1)*s.Out()], x[n*s.In():(n+1)*s.In()])
		}
		PutScratch(m)
	})
}

func gradInput(c Images, s ConvShape, dx, dy []float32) {
	Parallel(s.N, 1, func(lo, hi int) {
		m := GetScratch()
		for n := lo; n < hi; n++ {
			c.ImageGradInput(m, dx[n*s.In():(n+1)*s.In()], dy[n*s.Out():(n+1)*s.Out()])
		}
		PutScratch(m)
	})
}

// gradKernel: each chunk of images has a sum of its own; they are added in order.
func gradKernel(c Images, s ConvShape, dw, x, dy []float32) {
	call := GetScratch()
	call.c = grow(call.c, c.SumSize())
	Reduce(call.c, s.N, func(sum []float32, lo, hi int) {
		m := GetScratch()
		for n := lo; n < hi; n++ {
			c.ImageGradKernel(m, sum, x[n*s.In():(n+1)*s.In()], dy[n*s.Out():(n+1)*s.Out()], n == lo)
		}
		PutScratch(m)
	})
	c.FinishSum(dw, call.c)
	PutScratch(call)
}

// Reduce lets each chunk of n items write a sum of its own, as long as dst, and adds the sums in order.
func Reduce(dst []float32, n int, f func(sum []float32, lo, hi int)) {
	chunks, size := Chunks(n, 1), len(dst)
	call := GetScratch()
	call.a = grow(call.a, chunks*size)
	Each(chunks, func(c int) { f(call.a[c*size:(c+1)*size], c*n/chunks, (c+1)*n/chunks) })
	Parallel(size, 1<<12, func(lo, hi int) {
		copy(dst[lo:hi], call.a[lo:hi])
		for c := 1; c < chunks; c++ {
			part := call.a[c*size+lo : c*size+hi]
			for i, v := range part {
				dst[lo+i] += v
			}
		}
	})
	PutScratch(call)
}
