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

// unpad copies the middle of a padded image back.
func unpad(x, src []float32, s ConvShape, pw int) {
	row := s.W * s.C
	for y := range s.H {
		from := ((s.PadTop+y)*pw + s.PadLeft) * s.C
		copy(x[y*row:(y+1)*row], src[from:from+row])
	}
}

// Conv2D computes y from x and the kernel w [kh,kw,c,oc]. It reads each padded image where it lies: for one row of the kernel kw*c values are
// contiguous, and the step from pixel to pixel is constant.
func Conv2D(y, x, w []float32, s ConvShape) {
	t := active()
	call := scratches.Get().(*scratch)
	k := s.KH * s.KW * s.C
	call.b = grow(call.b, panelSize(t, k, s.OC))
	packTaps(call.b, w, s, t.nr)
	ph, pw := s.padded()
	Parallel(s.N, 1, func(lo, hi int) {
		m := scratches.Get().(*scratch)
		m.a = grow(m.a, ph*pw*s.C)
		for n := lo; n < hi; n++ {
			pad(m.a, x[n*s.H*s.W*s.C:], s, ph, pw)
			convImage(t, m, y[n*s.OH*s.OW*s.OC:], call.b, s, pw)
		}
		scratches.Put(m)
	})
	scratches.Put(call)
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

// convImage computes one image from its padded form in m.a.
func convImage(t *tile, m *scratch, y, panels []float32, s ConvShape, pw int) {
	calls, outer, k := s.taps()
	size := panelSizeOf(t.nr, outer*k, s.OC)
	step := s.DilationH * pw * s.C // from kernel row to kernel row
	if s.DilationW > 1 {
		step = s.DilationW * s.C
	}
	for oy := range s.OH {
		for i := range calls {
			at := (oy*s.StrideH + i*s.DilationH) * pw * s.C
			a := left{m.a[at:], s.StrideW * s.C, step, 1}
			product(t, m, y[oy*s.OW*s.OC:], s.OC, a, panels[i*size:], s.OW, outer, k, s.OC, i > 0)
		}
	}
}

// Conv2DGradInput computes dx from dy and the kernel.
func Conv2DGradInput(dx, dy, w []float32, s ConvShape) {
	if s.StrideH == 1 && s.StrideW == 1 && s.PadTop <= (s.KH-1)*s.DilationH && s.PadLeft <= (s.KW-1)*s.DilationW {
		gradInputFlipped(dx, dy, w, s)
		return
	}
	gradInputScatter(dx, dy, w, s)
}

// gradInputFlipped is the convolution of dy with the kernel turned around, for stride 1.
func gradInputFlipped(dx, dy, w []float32, s ConvShape) {
	call := scratches.Get().(*scratch)
	call.a = grow(call.a, len(w))
	taps := s.KH * s.KW
	for i := range taps {
		from, to := w[i*s.C*s.OC:], call.a[(taps-1-i)*s.C*s.OC:]
		for c := range s.C {
			for o := range s.OC {
				to[o*s.C+c] = from[c*s.OC+o]
			}
		}
	}
	f := s
	f.H, f.W, f.C, f.OH, f.OW, f.OC = s.OH, s.OW, s.OC, s.H, s.W, s.C
	f.PadTop, f.PadLeft = (s.KH-1)*s.DilationH-s.PadTop, (s.KW-1)*s.DilationW-s.PadLeft
	Conv2D(dx, dy, call.a, f)
	scratches.Put(call)
}

// gradInputScatter multiplies each pixel of dy by the transposed kernel and adds the result to the window that the pixel was computed from.
func gradInputScatter(dx, dy, w []float32, s ConvShape) {
	t := active()
	call := scratches.Get().(*scratch)
	k := s.KH * s.KW * s.C
	call.b = grow(call.b, panelSize(t, s.OC, k))
	packB(call.b, w, s.OC, k, 1, s.OC, t.nr)
	ph, pw := s.padded()
	Parallel(s.N, 1, func(lo, hi int) {
		m := scratches.Get().(*scratch)
		m.a, m.b = grow(m.a, ph*pw*s.C), grow(m.b, s.OW*k)
		for n := lo; n < hi; n++ {
			clear(m.a)
			for oy := range s.OH {
				row := dy[(n*s.OH+oy)*s.OW*s.OC:]
				product(t, m, m.b, k, left{row, s.OC, 0, 1}, call.b, s.OW, 1, s.OC, k, false)
				scatterRow(m.a, m.b, s, oy, pw)
			}
			unpad(dx[n*s.H*s.W*s.C:(n+1)*s.H*s.W*s.C], m.a, s, pw)
		}
		scratches.Put(m)
	})
	scratches.Put(call)
}

// scatterRow adds the windows of one row of outputs, [ow][kh][kw][c], to the padded image.
func scatterRow(img, windows []float32, s ConvShape, oy, pw int) {
	for ox := range s.OW {
		win := windows[ox*s.KH*s.KW*s.C:]
		for i := range s.KH * s.KW {
			ky, kx := i/s.KW, i%s.KW
			at := ((oy*s.StrideH+ky*s.DilationH)*pw + ox*s.StrideW + kx*s.DilationW) * s.C
			to, from := img[at:at+s.C], win[i*s.C:(i+1)*s.C]
			for c, v := range from {
				to[c] += v
			}
		}
	}
}

// Conv2DGradKernel computes dw from x and dy. Each chunk of images has a sum of its own; they are added in order.
func Conv2DGradKernel(dw, x, dy []float32, s ConvShape) {
	t := active()
	k := s.KH * s.KW * s.C
	ph, pw := s.padded()
	reduce(dw, k*s.OC, s.N, func(sum []float32, lo, hi int) {
		m := scratches.Get().(*scratch)
		m.a, m.b = grow(m.a, ph*pw*s.C), grow(m.b, panelSize(t, s.OH*s.OW, s.OC))
		for n := lo; n < hi; n++ {
			pad(m.a, x[n*s.H*s.W*s.C:], s, ph, pw)
			packB(m.b, dy[n*s.OH*s.OW*s.OC:], s.OH*s.OW, s.OC, s.OC, 1, t.nr)
			gradKernelImage(t, m, sum, s, pw, n > lo)
		}
		scratches.Put(m)
	})
}

// gradKernelImage adds one image's part: rows are kernel positions, the sum runs over output pixels.
func gradKernelImage(t *tile, m *scratch, sum []float32, s ConvShape, pw int, accumulate bool) {
	parts, width := s.KH, s.KW*s.C
	if s.DilationW > 1 {
		parts, width = s.KH*s.KW, s.C
	}
	for i := range parts {
		at := i * s.DilationH * pw * s.C
		if s.DilationW > 1 {
			at = (i/s.KW*s.DilationH*pw + i%s.KW*s.DilationW) * s.C
		}
		a := left{m.a[at:], 1, s.StrideH * pw * s.C, s.StrideW * s.C}
		product(t, m, sum[i*width*s.OC:], s.OC, a, m.b, width, s.OH, s.OW, s.OC, accumulate)
	}
}

// reduce lets each chunk of n items fill a sum of its own, [size], and adds the sums in order.
func reduce(dst []float32, size, n int, f func(sum []float32, lo, hi int)) {
	chunks := Chunks(n, 1)
	call := scratches.Get().(*scratch)
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
	scratches.Put(call)
}
