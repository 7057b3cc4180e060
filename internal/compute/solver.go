package compute

import "math"

var adam = pass{row: func(r *row) {
	w, m, v := r.op[0], r.op[1], r.op[2]
	alpha, c1, c2, epsilon, decay := r.scalar[0], r.scalar[1], r.scalar[2], r.scalar[3], r.scalar[4]
	for i, g := range r.op[3] {
		m[i] += float32((g - m[i]) * c1)
		v[i] += float32((float32(g*g) - v[i]) * c2)
		x := w[i] - float32(w[i]*decay)
		w[i] = x - float32(m[i]*alpha)/(float32(math.Sqrt(float64(v[i])))+epsilon)
	}
}}

// Adam makes a step of w with gradient g: m += (g-m)*c1, v += (g*g-v)*c2, w = w - w*decay - m*alpha/(sqrt(v)+epsilon).
func Adam(w, m, v, g []float32, alpha, c1, c2, epsilon, decay float32) {
	t := begin(&adam, len(w), 1)
	t.scalars(alpha, c1, c2, epsilon, decay)
	t.flat(w, m, v, g)
}
