package compute

// convBack is the data gradient of a convolution. With strides, the pixels of dx fall into phases by their position modulo the stride: the pixels
// of a phase read the same taps of the kernel, so each phase is a convolution of dy, with stride 1, by a part of the kernel.
type convBack struct {
	s         ConvShape
	t         *tile
	h, w      int // of dy with its border
	top, left int // border before it
	phases    []phase
	gaps      bool // no window reads some of the pixels
	panels    []float32
	turned    []float32
}

// phase is the pixels of dx in some rows and columns.
type phase struct {
	rows, cols axis
	panels     int // where its panels begin
}

// axis is one dimension of a phase: n pixels of dx, from first on by the stride. Taps of the kernel are in the order of dy: the first pixel reads dy
// (counted from its first pixel, not the border) at from, from+step, ... and each next pixel one further.
type axis struct {
	first, n   int
	from, step int
	taps       []int
}

// newAxis is the phase that begins at pixel first of size.
func newAxis(first, size, pad, kernel, stride, dilation int) axis {
	a := axis{first: first, n: max((size-first+stride-1)/stride, 0), step: 1}
	for k := kernel - 1; k >= 0; k-- {
		d := first + pad - k*dilation
		if d%stride != 0 {
			continue
		}
		switch len(a.taps) {
		case 0:
			a.from = d / stride
		case 1:
			a.step = d/stride - a.from
		}
		a.taps = append(a.taps, k)
	}
	return a
}

// last is the furthest that the axis reads.
func (a axis) last() int { return a.from + a.n - 1 + (len(a.taps)-1)*a.step }

func newConvBack(s ConvShape) *convBack {
	b := &convBack{s: s, t: active().forColumns(s.C)}
	bottom, right, at := 0, 0, 0
	for y := range s.StrideH {
		for x := range s.StrideW {
			p := phase{newAxis(y, s.H, s.PadTop, s.KH, s.StrideH, s.DilationH), newAxis(x, s.W, s.PadLeft, s.KW, s.StrideW, s.DilationW), at}
			taps := len(p.rows.taps) * len(p.cols.taps)
			switch {
			case p.rows.n*p.cols.n == 0:
				continue
			case taps == 0:
				b.gaps = true
				continue
			}
			b.top, b.left = max(b.top, -p.rows.from), max(b.left, -p.cols.from)
			bottom, right = max(bottom, p.rows.last()-s.OH+1), max(right, p.cols.last()-s.OW+1)
			at += panelSize(b.t, taps*s.OC, s.C)
			b.phases = append(b.phases, p)
		}
	}
	b.h, b.w = b.top+s.OH+bottom, b.left+s.OW+right
	b.panels, b.turned = make([]float32, at), make([]float32, s.KH*s.KW*s.OC*s.C)
	return b
}

// calls are what one call of the micro-kernel runs over, as ConvShape.taps.
func (p phase) calls(s ConvShape) (calls, outer, k int) {
	if p.cols.step == 1 {
		return 1, len(p.rows.taps), len(p.cols.taps) * s.OC
	}
	return len(p.rows.taps), len(p.cols.taps), s.OC
}

// setKernel packs the kernel [kh,kw,c,oc]: for each phase its taps as [oc,c], those of one call together.
func (b *convBack) setKernel(w []float32) {
	s, size := b.s, b.s.C*b.s.OC
	for _, p := range b.phases {
		n := 0
		for _, ky := range p.rows.taps {
			for _, kx := range p.cols.taps {
				transpose(b.turned[n*size:], w[(ky*s.KW+kx)*size:], s.C, s.OC)
				n++
			}
		}
		calls, outer, k := p.calls(s)
		part := outer * k
		for i := range calls {
			packB(b.panels[p.panels+i*panelSize(b.t, part, s.C):], b.turned[i*part*s.C:], part, s.C, s.C, 1, b.t.nr)
		}
	}
}

// image computes one image.
func (b *convBack) image(m *Scratch, dx, dy []float32) {
	s := b.s
	if b.h != s.OH || b.w != s.OW {
		m.a = grow(m.a, b.h*b.w*s.OC)
		pad(m.a, dy, ConvShape{H: s.OH, W: s.OW, C: s.OC, PadTop: b.top, PadLeft: b.left}, b.h, b.w)
		dy = m.a
	}
	if b.gaps {
		clear(dx)
	}
	row := b.w * s.OC
	for _, p := range b.phases {
		calls, outer, k := p.calls(s)
		size := panelSize(b.t, outer*k, s.C)
		step := p.rows.step * row
		if p.cols.step > 1 {
			step = p.cols.step * s.OC
		}
		for y := range p.rows.n {
			to := dx[((p.rows.first+y*s.StrideH)*s.W+p.cols.first)*s.C:]
			for i := range calls {
				at := (b.top+p.rows.from+y+i*p.rows.step)*row + (b.left+p.cols.from)*s.OC
				product(b.t, m, to, s.StrideW*s.C, left{dy[at:], s.OC, step, 1}, packed(b.t, b.panels[p.panels+i*size:], outer*k), p.cols.n, outer, k, s.C, i > 0)
			}
		}
	}
}
