package compute

var scaleShiftAct = pass{row: func(r *row) {
	y, scale, shift, lo, hi := r.op[0], r.param[0], r.param[1], r.scalar[0], r.scalar[1]
	for i, v := range r.op[1] {
		y[i] = clamp(float32(v*scale[i])+shift[i], lo, hi)
	}
}}

// ScaleShiftAct writes y = a(x*scale + shift) for c channels; y may be x.
func ScaleShiftAct(y, x, scale, shift []float32, c int, a Act) {
	t := begin(&scaleShiftAct, len(x), c)
	t.channels(0, scale[:c]...)
	t.channels(1, shift[:c]...)
	t.scalars(a.bounds())
	t.flat(y, x)
}

var moments = pass{row: func(r *row) {
	shift, sum, squares := r.param[0], r.sum[0], r.sum[1]
	for i, v := range r.op[0] {
		d := v - shift[i]
		sum[i] += d
		squares[i] += float32(d * d)
	}
}}

var momentsRange = pass{row: func(r *row) {
	moments.row(r)
	lo, hi := r.sum[2], r.sum[3]
	for i, v := range r.op[0] {
		lo[i], hi[i] = min(lo[i], v), max(hi[i], v)
	}
}}

// Moments are the statistics of some pixels of c channels.
type Moments struct {
	N        int       // pixels
	Mean, M2 []float64 // mean, and sum of squared differences from it
	Min, Max []float32 // nil where nobody needs them
}

// NewMoments makes room for c channels.
func NewMoments(c int, extremes bool) Moments {
	m := Moments{Mean: make([]float64, c), M2: make([]float64, c)}
	if extremes {
		m.Min, m.Max = make([]float32, c), make([]float32, c)
	}
	return m
}

// Clear makes m the statistics of no pixels.
func (m *Moments) Clear() {
	m.N = 0
	clear(m.Mean)
	clear(m.M2)
	for i := range m.Min {
		m.Min[i], m.Max[i] = infinity, -infinity
	}
}

// momentRows bounds the values that are summed in float32.
const momentRows = 1024

// Add adds the pixels of x. Differences from the first pixel are summed in float32, at most some thousands at a time, and combined in float64: differences
// so that a mean far from zero costs no digits.
func (m *Moments) Add(x []float32, c int) {
	for step := momentRows * c; len(x) > step; x = x[step:] {
		m.add(x[:step], c)
	}
	m.add(x, c)
}

func (m *Moments) add(x []float32, c int) {
	if len(x) == 0 {
		return
	}
	p := &moments
	if m.Min != nil {
		p = &momentsRange
	}
	t := begin(p, len(x), c)
	t.channels(0, x[:c]...)
	sum, squares := t.columns(0, 0), t.columns(1, 0)
	var lo, hi []float32
	if m.Min != nil {
		lo, hi = t.columns(2, infinity), t.columns(3, -infinity)
	}
	t.runFlat(x)
	n := len(x) / c
	for i := range c {
		s, q := float64(sum[i]), float64(squares[i])
		for j := i + c; j < len(sum); j += c {
			s, q = s+float64(sum[j]), q+float64(squares[j])
		}
		m.merge(i, n, float64(x[i])+s/float64(n), max(q-s*s/float64(n), 0))
		for j := i; j < len(lo); j += c {
			m.Min[i], m.Max[i] = min(m.Min[i], lo[j]), max(m.Max[i], hi[j])
		}
	}
	m.N += n
	t.end()
}

// merge adds n pixels of channel i (Chan, Golub and LeVeque, 1983).
func (m *Moments) merge(i, n int, mean, m2 float64) {
	a, b := float64(m.N), float64(n)
	d := mean - m.Mean[i]
	m.Mean[i] += d * b / (a + b)
	m.M2[i] += m2 + d*d*a*b/(a+b)
}

// Merge adds the pixels of o.
func (m *Moments) Merge(o *Moments) {
	if o.N == 0 {
		return
	}
	for i := range m.Mean {
		m.merge(i, o.N, o.Mean[i], o.M2[i])
	}
	for i := range m.Min {
		m.Min[i], m.Max[i] = min(m.Min[i], o.Min[i]), max(m.Max[i], o.Max[i])
	}
	m.N += o.N
}

var normGate = pass{row: func(r *row) {
	g, x, above, below := r.op[0], r.op[2], r.scalar[0], r.scalar[1]
	scale, shift, mean, sum, dot := r.param[0], r.param[1], r.param[2], r.sum[0], r.sum[1]
	for i, d := range r.op[1] {
		if v := float32(x[i]*scale[i]) + shift[i]; v <= above || v >= below {
			d = 0
		}
		g[i] = d
		sum[i] += d
		dot[i] += float32(d * (x[i] - mean[i]))
	}
}}

// NormGate writes dz, the gradient dy where the gate passes it for x*scale + shift, else 0, and adds to sum and dot, for each of c channels, the sums of dz
// and of dz*(x-mean). They are taken in float32, at most some thousands of values at a time, and combined in float64. dz may be dy.
func NormGate(dz []float32, sum, dot []float64, dy, x, scale, shift, mean []float32, c int, g Gate) {
	for step := momentRows * c; len(x) > step; dz, dy, x = dz[step:], dy[step:], x[step:] {
		gateNorm(dz, sum, dot, dy, x[:step], scale, shift, mean, c, g)
	}
	gateNorm(dz, sum, dot, dy, x, scale, shift, mean, c, g)
}

func gateNorm(dz []float32, sum, dot []float64, dy, x, scale, shift, mean []float32, c int, g Gate) {
	t := begin(&normGate, len(x), c)
	t.channels(0, scale[:c]...)
	t.channels(1, shift[:c]...)
	t.channels(2, mean[:c]...)
	t.scalars(g.Above, g.Below)
	s, d := t.columns(0, 0), t.columns(1, 0)
	t.runFlat(dz, dy, x)
	for i := range c {
		for j := i; j < len(s); j += c {
			sum[i] += float64(s[j])
			dot[i] += float64(d[j])
		}
	}
	t.end()
}

var normGrad = pass{row: func(r *row) {
	dx, x, scale, shift, slope, mean := r.op[0], r.op[2], r.param[0], r.param[1], r.param[2], r.param[3]
	for i, d := range r.op[1] {
		dx[i] = scale[i] * (d - shift[i] - float32((x[i]-mean[i])*slope[i]))
	}
}}

// NormGrad writes dx = scale*(dy - shift - (x-mean)*slope) for c channels; dx may be dy.
func NormGrad(dx, dy, x, scale, shift, slope, mean []float32, c int) {
	t := begin(&normGrad, len(x), c)
	t.channels(0, scale[:c]...)
	t.channels(1, shift[:c]...)
	t.channels(2, slope[:c]...)
	t.channels(3, mean[:c]...)
	t.flat(dx, dy, x)
}
