package compute

import (
	"math"
)

// The passes of the solvers take denormal numbers for zero, as input and as result, so that moments that fade away do not slow a training down.

// smallest is the smallest number that is not denormal.
const smallest = 0x1p-126

// ftz is x, or a zero of its sign for a denormal number.
func ftz(x float32) float32 {
	if x > -smallest && x < smallest {
		return x * 0
	}
	return x
}

func ftzSqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

var adam = pass{row: func(r *row) {
	w, m, v := r.op[0], r.op[1], r.op[2]
	alpha, c1, c2, epsilon, decay := r.scalar[0], r.scalar[1], r.scalar[2], r.scalar[3], r.scalar[4]
	for i, g := range r.op[3] {
		g = ftz(g)
		a, b, x := ftz(m[i]), ftz(v[i]), ftz(w[i])
		a = ftz(a + ftz(ftz(g-a)*c1))
		b = ftz(b + ftz(ftz(ftz(g*g)-b)*c2))
		x = ftz(x - ftz(x*decay))
		m[i], v[i], w[i] = a, b, ftz(x-ftz(ftz(a*alpha)/ftz(ftzSqrt(b)+epsilon)))
	}
}}

// Adam makes a step of w with gradient g: m += (g-m)*c1, v += (g*g-v)*c2, w = w - w*decay - m*alpha/(sqrt(v)+epsilon).
func Adam(w, m, v, g []float32, alpha, c1, c2, epsilon, decay float32) {
	t := begin(&adam, len(w), 1)
	t.scalars(alpha, c1, c2, epsilon, decay)
	t.flat(w, m, v, g)
}

var descend = pass{row: func(r *row) {
	w, rate := r.op[0], r.scalar[0]
	for i, g := range r.op[1] {
		w[i] = ftz(ftz(w[i]) - ftz(ftz(g)*rate))
	}
}}

// Descend makes a step of w with gradient g: w -= g*rate.
func Descend(w, g []float32, rate float32) {
	t := begin(&descend, len(w), 1)
	t.scalars(rate)
	t.flat(w, g)
}

var momentum = pass{row: func(r *row) {
	w, v, rate, mu := r.op[0], r.op[1], r.scalar[0], r.scalar[1]
	for i, g := range r.op[2] {
		v[i] = ftz(ftz(ftz(v[i])*mu) - ftz(ftz(g)*rate))
		w[i] = ftz(ftz(w[i]) + v[i])
	}
}}

var nesterov = pass{row: func(r *row) {
	w, v, rate, mu := r.op[0], r.op[1], r.scalar[0], r.scalar[1]
	for i, g := range r.op[2] {
		d := ftz(ftz(g) * rate)
		v[i] = ftz(ftz(ftz(v[i])*mu) - d)
		w[i] = ftz(ftz(w[i]) + ftz(ftz(v[i]*mu)-d))
	}
}}

// Momentum makes a step of w with gradient g: v = v*mu - g*rate, w += v; ahead, Nesterov's way, w += v*mu - g*rate.
func Momentum(w, v, g []float32, rate, mu float32, ahead bool) {
	p := &momentum
	if ahead {
		p = &nesterov
	}
	t := begin(p, len(w), 1)
	t.scalars(rate, mu)
	t.flat(w, v, g)
}

// rms moves the average s of the squared gradient and returns the step; scalars are rate, rho, 1-rho, epsilon.
func (r *row) rms(s *float32, g float32) float32 {
	g = ftz(g)
	*s = ftz(ftz(ftz(*s)*r.scalar[1]) + ftz(ftz(g*g)*r.scalar[2]))
	return ftz(ftz(g*r.scalar[0]) / ftzSqrt(ftz(*s+r.scalar[3])))
}

var rmsprop = pass{row: func(r *row) {
	w, s := r.op[0], r.op[1]
	for i, g := range r.op[2] {
		w[i] = ftz(ftz(w[i]) - r.rms(&s[i], g))
	}
}}

var rmspropMomentum = pass{row: func(r *row) {
	w, s, v := r.op[0], r.op[1], r.op[2]
	for i, g := range r.op[3] {
		v[i] = ftz(ftz(ftz(v[i])*r.scalar[4]) + r.rms(&s[i], g))
		w[i] = ftz(ftz(w[i]) - v[i])
	}
}}

// RMSprop makes a step of w with gradient g: s = s*rho + g*g*(1-rho), w -= g*rate/sqrt(s+epsilon), or with v, v = v*mu + g*rate/sqrt(s+epsilon), w -= v.
func RMSprop(w, s, v, g []float32, rate, rho, epsilon, mu float32) {
	if v == nil {
		t := begin(&rmsprop, len(w), 1)
		t.scalars(rate, rho, 1-rho, epsilon)
		t.flat(w, s, g)
		return
	}
	t := begin(&rmspropMomentum, len(w), 1)
	t.scalars(rate, rho, 1-rho, epsilon, mu)
	t.flat(w, s, v, g)
}

var scalePass = pass{row: func(r *row) {
	y, f := r.op[0], r.scalar[0]
	for i, v := range r.op[1] {
		y[i] = ftz(ftz(v) * f)
	}
}}

// Scale writes x = x*f.
func Scale(x []float32, f float32) {
	t := begin(&scalePass, len(x), 1)
	t.scalars(f)
	t.flat(x, x)
}

// SumSquares is the sum of the squares of x, in float64: float32 has no room for the squares of large numbers.
func SumSquares(x []float32) float64 {
	var sum [4]float64 // additions that need not wait for one another
	for ; len(x) >= 4; x = x[4:] {
		for i, v := range (*[4]float32)(x) {
			sum[i] += float64(v) * float64(v)
		}
	}
	for i, v := range x {
		sum[i] += float64(v) * float64(v)
	}
	return sum[0] + sum[1] + (sum[2] + sum[3])
}
