package compute

// Depthwise convolutions run over whole rows of pixels for one kernel position at a time, vectorised over the channels. With a multiplier the
// input's channels are repeated first, so that input and output channels correspond one to one.

// wide is the shape with the multiplier applied to the input.
func (s ConvShape) wide() ConvShape {
	s.C *= s.Multiplier
	return s
}

// DepthwiseConv is a depthwise convolution prepared for a shape, as Conv is: kernels are [kh,kw,c*multiplier].
type DepthwiseConv struct {
	s      ConvShape
	t      *tile
	ph, pw int       // padded image
	w, gw  []float32 // the kernels of SetKernel and SetGradKernel
}

// NewDepthwise prepares a depthwise convolution.
func NewDepthwise(s ConvShape) *DepthwiseConv {
	d := &DepthwiseConv{s: s, t: active()}
	d.ph, d.pw = s.padded()
	return d
}

// Shape is what the convolution was prepared for.
func (d *DepthwiseConv) Shape() ConvShape { return d.s }

// Forward computes y [n,oh,ow,c*multiplier] from x and the kernel w.
func (d *DepthwiseConv) Forward(y, x, w []float32) {
	d.SetKernel(w)
	forward(d, d.s, y, x)
}

// GradInput computes dx from dy and the kernel w.
func (d *DepthwiseConv) GradInput(dx, dy, w []float32) {
	d.SetGradKernel(w)
	backward(d, d.s, dx, nil, nil, dy)
}

// Grad computes dx and dw, each unless it is nil.
func (d *DepthwiseConv) Grad(dx, dw, x, dy, w []float32) {
	if dx != nil {
		d.SetGradKernel(w)
	}
	backward(d, d.s, dx, dw, x, dy)
}

// GradKernel computes dw from x and dy.
func (d *DepthwiseConv) GradKernel(dw, x, dy []float32) { backward(d, d.s, nil, dw, x, dy) }

// SetKernel keeps the kernel for Image.
func (d *DepthwiseConv) SetKernel(w []float32) { d.w = w }

// SetGradKernel keeps the kernel for the data gradient of ImageGrad.
func (d *DepthwiseConv) SetGradKernel(w []float32) { d.gw = w }

// padded is the image with its border and its channels repeated, in scratch memory unless it needs neither.
func (d *DepthwiseConv) padded(m *Scratch, x []float32) []float32 {
	s := d.s
	if s.Multiplier == 1 && d.ph == s.H && d.pw == s.W {
		return x
	}
	m.a = grow(m.a, d.ph*d.pw*s.OC)
	if s.Multiplier == 1 {
		pad(m.a, x, s, d.ph, d.pw)
		return m.a
	}
	m.b = grow(m.b, s.H*s.W*s.OC)
	for i, v := range x[:s.H*s.W*s.C] {
		for j := range s.Multiplier {
			m.b[i*s.Multiplier+j] = v
		}
	}
	pad(m.a, m.b, s.wide(), d.ph, d.pw)
	return m.a
}

// Group is one image.
func (d *DepthwiseConv) Group() int { return 1 }

// Image computes images.
func (d *DepthwiseConv) Image(m *Scratch, y, x []float32) {
	in, out := d.s.In(), d.s.Out()
	for ; len(x) >= in && in > 0; x, y = x[in:], y[out:] {
		d.image(m, y[:out], x[:in])
	}
}

// ImageGrad computes the gradients of images.
func (d *DepthwiseConv) ImageGrad(m *Scratch, dx, sum, x, dy []float32, first bool) {
	in, out := d.s.In(), d.s.Out()
	for n := range len(dy) / max(out, 1) {
		image := dy[n*out : (n+1)*out]
		if dx != nil {
			d.imageGradInput(m, dx[n*in:(n+1)*in], image)
		}
		if sum != nil {
			d.imageGradKernel(m, sum, x[n*in:(n+1)*in], image, first && n == 0)
		}
	}
}

func (d *DepthwiseConv) image(m *Scratch, y, x []float32) {
	s := d.s
	in := d.padded(m, x)
	clear(y)
	s.rows(d.pw, func(oy, tap, at int) {
		d.t.mulAdd(m, y[oy*s.OW*s.OC:], s.OC, in[at:], s.StrideW*s.OC, d.w[tap*s.OC:], 0, s.OW, s.OC)
	})
}

// rows calls f for each output row and kernel position with the offset of the first pixel in the padded, widened image.
func (s ConvShape) rows(pw int, f func(oy, tap, at int)) {
	for oy := range s.OH {
		for tap := range s.KH * s.KW {
			f(oy, tap, ((oy*s.StrideH+tap/s.KW*s.DilationH)*pw+tap%s.KW*s.DilationW)*s.OC)
		}
	}
}

// imageGradInput computes one image of dx.
func (d *DepthwiseConv) imageGradInput(m *Scratch, dx, dy []float32) {
	s := d.s
	m.a, m.b = grow(m.a, d.ph*d.pw*s.OC), grow(m.b, s.H*s.W*s.OC)
	clear(m.a)
	s.rows(d.pw, func(oy, tap, at int) {
		d.t.mulAdd(m, m.a[at:], s.StrideW*s.OC, dy[oy*s.OW*s.OC:], s.OC, d.gw[tap*s.OC:], 0, s.OW, s.OC)
	})
	if s.Multiplier == 1 {
		unpad(dx, m.a, s, d.pw)
		return
	}
	unpad(m.b, m.a, s.wide(), d.pw)
	for i := range dx {
		sum := float32(0)
		for _, v := range m.b[i*s.Multiplier : (i+1)*s.Multiplier] {
			sum += v
		}
		dx[i] = sum
	}
}

// SumSize is the length of a sum of ImageGrad.
func (d *DepthwiseConv) SumSize() int { return d.s.KH * d.s.KW * d.s.OC }

// imageGradKernel adds one image's part of the kernel's gradient to sum; the first image writes it.
func (d *DepthwiseConv) imageGradKernel(m *Scratch, sum, x, dy []float32, first bool) {
	s := d.s
	in := d.padded(m, x)
	if first {
		clear(sum)
	}
	s.rows(d.pw, func(oy, tap, at int) {
		d.t.mulAdd(m, sum[tap*s.OC:], 0, in[at:], s.StrideW*s.OC, dy[oy*s.OW*s.OC:], s.OC, s.OW, s.OC)
	})
}

// FinishSum turns a sum into the gradient of the kernel.
func (d *DepthwiseConv) FinishSum(dw, sum []float32) { copy(dw, sum) }
