package compute

import (
	"math"
	"unsafe"
)

var minMax = pass{row: func(r *row) {
	lo, hi, nan := r.sum[0], r.sum[1], r.sum[2]
	for i, v := range r.op[0] {
		if v < lo[i] {
			lo[i] = v
		}
		if v > hi[i] {
			hi[i] = v
		}
		if v != v {
			nan[i] = v
		}
	}
}}

// MinMax returns the smallest and the largest value of x and zero; both are NaN when a value is.
func MinMax(x []float32) (lo, hi float32) {
	t := begin(&minMax, len(x), 1)
	for i := range 3 { // sums that are not added up: a column each of minima, maxima and NaN
		v := t.memory[maxParams+i][:t.cols]
		clear(v)
		t.args.sum[i], t.row.sum[i] = unsafe.Pointer(&v[0]), v
	}
	minima, maxima, nans := t.row.sum[0], t.row.sum[1], t.row.sum[2]
	t.flat(x)
	for i := range minima {
		lo, hi = min(lo, minima[i]), max(hi, maxima[i])
		if nans[i] != nans[i] {
			return nans[i], nans[i]
		}
	}
	return lo, hi
}

// Steps is a fake quantizer: x is clamped to [Min, Max], counted in steps from Min less Below, rounded, and multiplied by Scale. Steps are counted by
// division, or by multiplication with Inv where it is not 0.
type Steps struct{ Min, Max, Scale, Below, Inv float32 }

var quantize = pass{row: func(r *row) {
	y, lo, hi, scale, below := r.op[0], r.param[0], r.param[1], r.param[2], r.param[3]
	for i, v := range r.op[1] {
		n := (clamp(v, lo[i], hi[i])-lo[i])/scale[i] - below[i]
		y[i] = float32(math.Floor(float64(n+0.5))) * scale[i]
	}
}}

var quantizeByInverse = pass{row: func(r *row) {
	y, lo, hi, scale, below, inv := r.op[0], r.param[0], r.param[1], r.param[2], r.param[3], r.param[4]
	for i, v := range r.op[1] {
		n := float32((clamp(v, lo[i], hi[i])-lo[i])*inv[i]) - below[i]
		y[i] = float32(math.Floor(float64(n+0.5))) * scale[i]
	}
}}

// Quantize fake-quantizes x into y, with a quantizer for each channel of the last dimension, or one for all. y may be x.
func Quantize(y, x []float32, q []Steps) {
	p := &quantize
	if q[0].Inv != 0 {
		p = &quantizeByInverse
	}
	t := begin(p, len(x), len(q))
	get := []func(Steps) float32{
		func(s Steps) float32 { return s.Min }, func(s Steps) float32 { return s.Max }, func(s Steps) float32 { return s.Scale },
		func(s Steps) float32 { return s.Below }, func(s Steps) float32 { return s.Inv },
	}
	t.fields(q, get...)
	t.scalars(0.5)
	t.flat(y, x)
}

// fields gives fields of the quantizers as parameters.
func (t *call) fields(q []Steps, get ...func(Steps) float32) {
	for i, field := range get {
		v := t.memory[i][:0]
		if t.cols > maxPeriod {
			v = make([]float32, 0, t.cols)
		}
		for len(v) < t.cols {
			v = append(v, field(q[len(v)%len(q)]))
		}
		t.args.param[i], t.row.param[i] = unsafe.Pointer(&v[0]), v
	}
}

var quantizeGrad = pass{row: func(r *row) {
	dx, x, lo, hi := r.op[0], r.op[2], r.param[0], r.param[1]
	for i, d := range r.op[1] {
		if x[i] < lo[i] || x[i] > hi[i] {
			d = 0
		}
		dx[i] = d
	}
}}

// QuantizeGrad writes dx, the gradient dy where x lies inside its quantizer's range, else 0.
func QuantizeGrad(dx, dy, x []float32, q []Steps) {
	t := begin(&quantizeGrad, len(x), len(q))
	t.fields(q, func(s Steps) float32 { return s.Min }, func(s Steps) float32 { return s.Max })
	t.flat(dx, dy, x)
}
