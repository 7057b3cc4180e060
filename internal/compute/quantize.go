package compute

import (
	"math"
	"unsafe"
)

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
		v := t.room(i)
		for j := range v {
			v[j] = field(q[j%len(q)])
		}
		t.args.param[i], t.row.param[i] = unsafe.Pointer(&v[0]), v
	}
}

var scaleShiftQuantize = pass{row: func(r *row) {
	y, scale, shift, s := r.op[0], r.param[0], r.param[1], r.scalar
	for i, v := range r.op[1] {
		n := (clamp(float32(v*scale[i])+shift[i], s[0], s[1])-s[2])/s[5] - s[4]
		y[i] = float32(math.Floor(float64(n+s[6]))) * s[3]
	}
}}

var scaleShiftQuantizeByInverse = pass{row: func(r *row) {
	y, scale, shift, s := r.op[0], r.param[0], r.param[1], r.scalar
	for i, v := range r.op[1] {
		n := float32((clamp(float32(v*scale[i])+shift[i], s[0], s[1])-s[2])*s[5]) - s[4]
		y[i] = float32(math.Floor(float64(n+s[6]))) * s[3]
	}
}}

// ScaleShiftActQuantize writes a(x*scale + shift) for c channels, fake-quantized by q; without scale and shift, which may be nil, a(x). y may be x. It
// is ScaleShiftAct and Quantize in one pass, the same bits.
func ScaleShiftActQuantize(y, x, scale, shift []float32, c int, a Act, q Steps) {
	p, per := &scaleShiftQuantize, q.Scale
	if q.Inv != 0 {
		p, per = &scaleShiftQuantizeByInverse, q.Inv
	}
	t := begin(p, len(x), c)
	if scale == nil {
		t.channels(0, one...)
		t.channels(1, nothing...)
	} else {
		t.channels(0, scale[:c]...)
		t.channels(1, shift[:c]...)
	}
	lo, hi := a.bounds() // two clamps one after the other are one: both leave zero where it is
	t.scalars(max(lo, q.Min), min(hi, q.Max), q.Min, q.Scale, q.Below, per, 0.5)
	t.flat(y, x)
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
