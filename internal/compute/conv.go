package compute

// ConvShape describes a convolution of x [n,h,w,c] to y [n,oh,ow,oc] (depthwise: oc = c*multiplier). Leading pads and output size follow from the
// caller's padding scheme.
type ConvShape struct {
	N, H, W, C           int
	KH, KW               int
	OC, OH, OW           int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
	Multiplier           int // depthwise only
}

// padded is the size of an image with all the border that the windows reach.
func (s ConvShape) padded() (h, w int) {
	return max((s.OH-1)*s.StrideH+(s.KH-1)*s.DilationH+1, s.PadTop+s.H),
		max((s.OW-1)*s.StrideW+(s.KW-1)*s.DilationW+1, s.PadLeft+s.W)
}

// pad copies image x [h,w,c] into the middle of zeros [ph,pw,c].
func pad(dst, x []float32, s ConvShape, ph, pw int) {
	row := s.W * s.C
	clear(dst[:s.PadTop*pw*s.C])
	for y := range s.H {
		out := dst[(s.PadTop+y)*pw*s.C : (s.PadTop+y+1)*pw*s.C]
		clear(out[:s.PadLeft*s.C])
		copy(out[s.PadLeft*s.C:], x[y*row:(y+1)*row])
		clear(out[s.PadLeft*s.C+row:])
	}
	clear(dst[(s.PadTop+s.H)*pw*s.C : ph*pw*s.C])
}

// Conv is a convolution prepared for a shape. SetKernel and SetGradKernel pack a kernel [kh,kw,c,oc] for a pass over a batch; the methods on one
// image may then run side by side, each with a Scratch of its own, so that a caller can do other work on an image while it lies in the cache. The
// kernel's gradient is a sum of SumSize floats in a form of its own, which FinishSum turns into a kernel.
type Conv struct {
	asked  ConvShape
	s      ConvShape // as it is computed
	t      *tile
	ph, pw int       // padded image
	panels []float32 // of the kernel
	back   *convBack // for the data gradient
	wino   *winograd // instead of all this, where it is faster
}

// NewConv prepares a convolution.
func NewConv(s ConvShape) *Conv {
	asked := s
	if s.KH*s.KW*s.StrideH*s.StrideW == 1 && s.PadTop+s.PadLeft == 0 && s.OH == s.H && s.OW == s.W {
		s.W, s.OW, s.H, s.OH = s.H*s.W, s.H*s.W, 1, 1 // the product of two matrices
	}
	c := &Conv{asked: asked, s: s, t: active().forColumns(s.OC)}
	c.ph, c.pw = s.padded()
	c.wino = newWinograd(s)
	return c
}

// Shape is what the convolution was prepared for.
func (c *Conv) Shape() ConvShape { return c.asked }

// Forward computes y from x and the kernel w.
func (c *Conv) Forward(y, x, w []float32) {
	c.SetKernel(w)
	forward(c, c.s, y, x)
}

// SetKernel packs the kernel for Image.
func (c *Conv) SetKernel(w []float32) {
	if c.wino != nil {
		c.wino.setKernel(w)
		return
	}
	c.panels = grow(c.panels, panelSize(c.t, c.s.KH*c.s.KW*c.s.C, c.s.OC))
	packTaps(c.panels, w, c.s, c.t.nr)
}

// Group is as many images as make the products of Winograd's convolution large enough, else one.
func (c *Conv) Group() int {
	if c.wino != nil {
		return c.wino.group
	}
	return 1
}

// Image computes images. It reads the padded image where it lies: for one row of the kernel kw*c values are contiguous, and the step from pixel
// to pixel is constant.
func (c *Conv) Image(m *Scratch, y, x []float32) {
	if c.wino != nil {
		c.wino.image(m, y, x)
		return
	}
	in, out := c.s.In(), c.s.Out()
	for ; len(x) >= in && in > 0; x, y = x[in:], y[out:] {
		convImage(c.t, m, y, c.padded(m, x[:in]), c.panels, c.s, c.pw)
	}
}

// padded is the image with its border, in scratch memory unless it needs none.
func (c *Conv) padded(m *Scratch, x []float32) []float32 {
	if c.ph == c.s.H && c.pw == c.s.W {
		return x
	}
	m.a = grow(m.a, c.ph*c.pw*c.s.C)
	pad(m.a, x, c.s, c.ph, c.pw)
	return m.a
}

// taps are the kernel positions that one call of the micro-kernel runs over: all of them when columns are not dilated, else one row of the kernel.
func (s ConvShape) taps() (calls, outer, k int) {
	if s.DilationW == 1 {
		return 1, s.KH, s.KW * s.C
	}
	return s.KH, s.KW, s.C
}

// packTaps packs the kernel into panels, those of one call together.
func packTaps(dst, w []float32, s ConvShape, nr int) {
	calls, outer, k := s.taps()
	part := outer * k
	size := panelSizeOf(nr, part, s.OC)
	for i := range calls {
		packB(dst[i*size:], w[i*part*s.OC:], part, s.OC, s.OC, 1, nr)
	}
}

func panelSizeOf(nr, k, n int) int { return (n + nr - 1) / nr * nr * k }

// convImage computes one image from its padded form.
func convImage(t *tile, m *Scratch, y, x, panels []float32, s ConvShape, pw int) {
	calls, outer, k := s.taps()
	size := panelSizeOf(t.nr, outer*k, s.OC)
	step := s.DilationH * pw * s.C // from kernel row to kernel row
	if s.DilationW > 1 {
		step = s.DilationW * s.C
	}
	for oy := range s.OH {
		for i := range calls {
			at := (oy*s.StrideH + i*s.DilationH) * pw * s.C
			a := left{x[at:], s.StrideW * s.C, step, 1}
			product(t, m, y[oy*s.OW*s.OC:], s.OC, a, packed(t, panels[i*size:], outer*k), s.OW, outer, k, s.OC, i > 0)
		}
	}
}

// GradInput computes dx from dy and the kernel w.
func (c *Conv) GradInput(dx, dy, w []float32) {
	c.SetGradKernel(w)
	backward(c, c.s, dx, nil, nil, dy)
}

// Grad computes dx and dw, each unless it is nil.
func (c *Conv) Grad(dx, dw, x, dy, w []float32) {
	if dx != nil {
		c.SetGradKernel(w)
	}
	backward(c, c.s, dx, dw, x, dy)
}

// SetGradKernel packs the kernel for the data gradient of ImageGrad.
func (c *Conv) SetGradKernel(w []float32) {
	if c.wino != nil {
		c.wino.setGradKernel(w)
		return
	}
	if c.back == nil {
		c.back = newConvBack(c.s)
	}
	c.back.setKernel(w)
}

// ImageGrad computes the gradients of images.
func (c *Conv) ImageGrad(m *Scratch, dx, sum, x, dy []float32, first bool) {
	if c.wino != nil {
		if c.winoSums() || sum == nil {
			c.wino.imageGrad(m, dx, sum, x, dy, first)
			return
		}
		if dx != nil {
			c.wino.imageGrad(m, dx, nil, nil, dy, first)
			dx = nil
		}
	}
	in, out := c.s.In(), c.s.Out()
	for n := range len(dy) / max(out, 1) {
		image := dy[n*out : (n+1)*out]
		if dx != nil {
			c.back.image(m, dx[n*in:(n+1)*in], image)
		}
		if sum != nil {
			c.imageGradKernel(m, sum, x[n*in:(n+1)*in], image, first && n == 0)
		}
	}
}

// winoSums tells whether the kernel's gradient is Winograd's.
func (c *Conv) winoSums() bool { return c.wino != nil && c.wino.sumsWin() }

// GradKernel computes dw from x and dy.
func (c *Conv) GradKernel(dw, x, dy []float32) { backward(c, c.s, nil, dw, x, dy) }

// SumSize is the length of a sum of ImageGrad.
func (c *Conv) SumSize() int {
	if c.winoSums() {
		return c.wino.sumSize()
	}
	return c.s.KH * c.s.KW * c.s.C * c.s.OC
}

// imageGradKernel adds one image's part of the kernel's gradient to sum; the first image writes it.
func (c *Conv) imageGradKernel(m *Scratch, sum, x, dy []float32, first bool) {
	s := c.s
	b := right{dy, c.t.nr, s.OC} // where it lies, if rows are whole panels
	if s.OC%c.t.nr != 0 {
		m.b = grow(m.b, panelSize(c.t, s.OH*s.OW, s.OC))
		packB(m.b, dy, s.OH*s.OW, s.OC, s.OC, 1, c.t.nr)
		b = packed(c.t, m.b, s.OH*s.OW)
	}
	gradKernelImage(c.t, m, sum, c.padded(m, x), b, s, c.pw, !first)
}

// FinishSum turns a sum into the gradient of the kernel [kh,kw,c,oc].
func (c *Conv) FinishSum(dw, sum []float32) {
	if c.winoSums() {
		c.wino.finishSum(dw, sum)
		return
	}
	copy(dw, sum)
}

// gradKernelImage adds one image's part, from the padded image and dy: rows are kernel positions, the sum runs over output pixels.
func gradKernelImage(t *tile, m *Scratch, sum, x []float32, dy right, s ConvShape, pw int, accumulate bool) {
	parts, width := s.KH, s.KW*s.C
	if s.DilationW > 1 {
		parts, width = s.KH*s.KW, s.C
	}
	for i := range parts {
		at := i * s.DilationH * pw * s.C
		if s.DilationW > 1 {
			at = (i/s.KW*s.DilationH*pw + i%s.KW*s.DilationW) * s.C
		}
		a := left{x[at:], 1, s.StrideH * pw * s.C, s.StrideW * s.C}
		product(t, m, sum[i*width*s.OC:], s.OC, a, dy, width, s.OH, s.OW, s.OC, accumulate)
	}
}
