package compute

// Depthwise convolutions run over whole rows of pixels for one kernel position at a time, vectorised over the channels. With a multiplier the
// input's channels are repeated first, so that input and output channels correspond one to one.

// wide is the shape with the multiplier applied to the input.
func (s ConvShape) wide() ConvShape {
	s.C *= s.Multiplier
	return s
}

// padWide pads an image and repeats its channels.
func padWide(m *Scratch, x []float32, s ConvShape, ph, pw int) {
	if s.Multiplier == 1 {
		pad(m.a, x, s, ph, pw)
		return
	}
	m.b = grow(m.b, s.H*s.W*s.OC)
	for i, v := range x[:s.H*s.W*s.C] {
		for j := range s.Multiplier {
			m.b[i*s.Multiplier+j] = v
		}
	}
	pad(m.a, m.b, s.wide(), ph, pw)
}

// Depthwise computes y [n,oh,ow,c*multiplier] from x and the kernel w [kh,kw,c*multiplier].
func Depthwise(y, x, w []float32, s ConvShape) {
	t := active()
	ph, pw := s.padded()
	c := s.OC
	Parallel(s.N, 1, func(lo, hi int) {
		m := GetScratch()
		m.a = grow(m.a, ph*pw*c)
		for n := lo; n < hi; n++ {
			padWide(m, x[n*s.H*s.W*s.C:], s, ph, pw)
			out := y[n*s.OH*s.OW*c : (n+1)*s.OH*s.OW*c]
			clear(out)
			s.rows(pw, func(oy, tap, at int) {
				t.mulAdd(m, out[oy*s.OW*c:], c, m.a[at:], s.StrideW*c, w[tap*c:], 0, s.OW, c)
			})
		}
		PutScratch(m)
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

// DepthwiseGradInput computes dx from dy and the kernel.
func DepthwiseGradInput(dx, dy, w []float32, s ConvShape) {
	t := active()
	ph, pw := s.padded()
	c := s.OC
	Parallel(s.N, 1, func(lo, hi int) {
		m := GetScratch()
		m.a, m.b = grow(m.a, ph*pw*c), grow(m.b, s.H*s.W*c)
		for n := lo; n < hi; n++ {
			clear(m.a)
			in := dy[n*s.OH*s.OW*c:]
			s.rows(pw, func(oy, tap, at int) {
				t.mulAdd(m, m.a[at:], s.StrideW*c, in[oy*s.OW*c:], c, w[tap*c:], 0, s.OW, c)
			})
			out := dx[n*s.H*s.W*s.C : (n+1)*s.H*s.W*s.C]
			if s.Multiplier == 1 {
				unpad(out, m.a, s, pw)
				continue
			}
			unpad(m.b, m.a, s.wide(), pw)
			for i := range out {
				sum := float32(0)
				for _, v := range m.b[i*s.Multiplier : (i+1)*s.Multiplier] {
					sum += v
				}
				out[i] = sum
			}
		}
		PutScratch(m)
	})
}

// DepthwiseGradKernel computes dw from x and dy.
func DepthwiseGradKernel(dw, x, dy []float32, s ConvShape) {
	t := active()
	ph, pw := s.padded()
	c := s.OC
	reduce(dw, s.KH*s.KW*c, s.N, func(sum []float32, lo, hi int) {
		m := GetScratch()
		m.a = grow(m.a, ph*pw*c)
		clear(sum)
		for n := lo; n < hi; n++ {
			padWide(m, x[n*s.H*s.W*s.C:], s, ph, pw)
			in := dy[n*s.OH*s.OW*c:]
			s.rows(pw, func(oy, tap, at int) {
				t.mulAdd(m, sum[tap*c:], 0, m.a[at:], s.StrideW*c, in[oy*s.OW*c:], c, s.OW, c)
			})
		}
		PutScratch(m)
	})
}
