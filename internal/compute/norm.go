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

var sum64 = pass{row: func(r *row) {
	sum := r.sum64[0]
	for i, v := range r.op[0] {
		sum[i] += float64(v)
	}
}}

var squares64 = pass{row: func(r *row) {
	mean, sum := r.param64[0], r.sum64[0]
	for i, v := range r.op[0] {
		d := float64(v) - mean[i]
		sum[i] += float64(d * d)
	}
}}

// Moments writes the mean and the sum of squared differences from it of each of c channels of x, which should lie in the cache: it is read twice.
func Moments(mean, m2 []float64, x []float32, c int) {
	mean, m2 = mean[:c], m2[:c]
	clear(mean)
	clear(m2)
	t := begin(&sum64, len(x), c)
	t.sum64(0, mean)
	t.flat(x)
	n := float64(len(x) / c)
	for i := range mean {
		mean[i] /= n
	}
	t = begin(&squares64, len(x), c)
	t.channels64(0, mean)
	t.sum64(0, m2)
	t.flat(x)
}

var normGradSums = pass{row: func(r *row) {
	y, x, mean, above, below := r.op[1], r.op[2], r.param64[0], r.scalar[0], r.scalar[1]
	sum, dot := r.sum64[0], r.sum64[1]
	for i, d := range r.op[0] {
		if y[i] <= above || y[i] >= below {
			d = 0
		}
		sum[i] += float64(d)
		dot[i] += float64(float64(d) * (float64(x[i]) - mean[i]))
	}
}}

// NormGradSums adds, for each of c channels, the sums of dz and of dz*(x-mean) to sum and dot, dz being dy where the activation of output y passes it.
func NormGradSums(sum, dot []float64, dy, y, x []float32, mean []float64, c int, a Act) {
	t := begin(&normGradSums, len(x), c)
	t.channels64(0, mean[:c])
	t.sum64(0, sum[:c])
	t.sum64(1, dot[:c])
	t.scalars(a.passes())
	t.flat(dy, y, x)
}

var normGrad = pass{row: func(r *row) {
	dx, y, x, above, below := r.op[0], r.op[2], r.op[3], r.scalar[0], r.scalar[1]
	scale, shift, slope, mean := r.param[0], r.param[1], r.param[2], r.param[3]
	for i, d := range r.op[1] {
		if y[i] <= above || y[i] >= below {
			d = 0
		}
		dx[i] = scale[i] * (d - shift[i] - float32((x[i]-mean[i])*slope[i]))
	}
}}

// NormGrad writes dx = scale*(dz - shift - (x-mean)*slope) for c channels, dz being dy where the activation of output y passes it.
func NormGrad(dx, dy, y, x, scale, shift, slope, mean []float32, c int, a Act) {
	t := begin(&normGrad, len(x), c)
	t.channels(0, scale[:c]...)
	t.channels(1, shift[:c]...)
	t.channels(2, slope[:c]...)
	t.channels(3, mean[:c]...)
	t.scalars(a.passes())
	t.flat(dx, dy, y, x)
}
