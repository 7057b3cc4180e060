package compute

// Depthwise convolutions are vectorised over the channels. Where all the same taps of the kernel lie within the image, pixels are computed in lines,
// several at a time (depthwise_plan.go), so that the image needs no border. With a multiplier the input's channels are repeated first, so
// that input and output channels correspond one to one.

// wide is the shape with the multiplier applied to the input.
func (s ConvShape) wide() ConvShape {
	s.C *= s.Multiplier
	return s
}

// DepthwiseConv is a depthwise convolution prepared for a shape, as Conv is: kernels are [kh,kw,c*multiplier].
type DepthwiseConv struct {
	s         ConvShape
	t         *tile
	w, gw     []float32 // the kernels of SetKernel and SetGradKernel
	fwd, back []lineJob
	grad      []gridJob
}

// NewDepthwise prepares a depthwise convolution.
func NewDepthwise(s ConvShape) *DepthwiseConv {
	d := &DepthwiseConv{s: s, t: active()}
	d.plan()
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

// widened is the image with its channels repeated.
func (d *DepthwiseConv) widened(m *Scratch, x []float32) []float32 {
	if d.s.Multiplier == 1 {
		return x
	}
	m.b = grow(m.b, len(x)*d.s.Multiplier)
	for i, v := range x {
		for j := range d.s.Multiplier {
			m.b[i*d.s.Multiplier+j] = v
		}
	}
	return m.b
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
	d.lines(m, d.fwd, y, d.widened(m, x), d.w)
}

// imageGradInput computes one image of dx.
func (d *DepthwiseConv) imageGradInput(m *Scratch, dx, dy []float32) {
	s := d.s
	if s.Multiplier == 1 {
		d.lines(m, d.back, dx, dy, d.gw)
		return
	}
	m.b = grow(m.b, s.H*s.W*s.OC)
	d.lines(m, d.back, m.b, dy, d.gw)
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
	if first {
		clear(sum)
	}
	d.grids(m, sum, d.widened(m, x), dy)
}

// FinishSum turns a sum into the gradient of the kernel.
func (d *DepthwiseConv) FinishSum(dw, sum []float32) { copy(dw, sum) }
