package compute

import "math"

// Act is an activation that a pass applies.
type Act int

// The activations, as in TFLite.
const (
	Linear Act = iota
	ReLU
	ReLU6
)

// bounds are what the activation clamps to.
func (a Act) bounds() (lo, hi float32) {
	inf := float32(math.Inf(1))
	switch a {
	case ReLU:
		return 0, inf
	case ReLU6:
		return 0, 6
	}
	return -inf, inf
}

// Of is the activation of one value.
func (a Act) Of(v float32) float32 {
	lo, hi := a.bounds()
	return clamp(v, lo, hi)
}

// Gate is where a gradient passes: where a value lies above one bound and below the other. A bound that is NaN is none, and a value that is NaN lets
// the gradient pass.
type Gate struct{ Above, Below float32 }

// Gate is where the activation passes the gradient, by its output or its input.
func (a Act) Gate() Gate {
	nan := float32(math.NaN())
	switch a {
	case ReLU:
		return Gate{0, nan}
	case ReLU6:
		return Gate{0, 6}
	}
	return Gate{nan, nan}
}

// Open tells that the gate passes everything.
func (g Gate) Open() bool { return g.Above != g.Above && g.Below != g.Below }

// Within is the gate that also asks for a value in [lo, hi].
func (g Gate) Within(lo, hi float32) Gate {
	inf := float32(math.Inf(1))
	if v := math.Nextafter32(lo, -inf); !(g.Above >= v) {
		g.Above = v
	}
	if v := math.Nextafter32(hi, inf); !(g.Below <= v) {
		g.Below = v
	}
	return g
}

// clamp is min(max(x, lo), hi), and NaN for NaN.
func clamp(x, lo, hi float32) float32 {
	if x < lo {
		x = lo
	}
	if x > hi {
		x = hi
	}
	return x
}

// minusZero is what can be added to any number without a change.
var minusZero = float32(math.Copysign(0, -1))

// Parameters for all channels that change nothing: a factor and a summand. A list written at the call would be allocated there.
var one, nothing = []float32{1}, []float32{minusZero}

var biasAct = pass{row: func(r *row) {
	y, b, lo, hi := r.op[0], r.param[0], r.scalar[0], r.scalar[1]
	for i, v := range r.op[1] {
		y[i] = clamp(v+b[i], lo, hi)
	}
}}

// BiasAct writes y = a(x+bias) for c channels; bias may be nil, and y may be x.
func BiasAct(y, x, bias []float32, c int, a Act) {
	if bias == nil && a == Linear {
		copy(y, x)
		return
	}
	t := begin(&biasAct, len(x), c)
	t.bias(bias)
	t.scalars(a.bounds())
	t.flat(y, x)
}

// Clamp writes y = min(max(x, lo), hi); y may be x.
func Clamp(y, x []float32, lo, hi float32) {
	t := begin(&biasAct, len(x), 1)
	t.bias(nil)
	t.scalars(lo, hi)
	t.flat(y, x)
}

// bias gives a bias as parameter 0.
func (t *call) bias(b []float32) {
	if b == nil {
		t.channels(0, nothing...)
		return
	}
	t.channels(0, b[:t.c]...)
}

var actGrad = pass{row: func(r *row) {
	dz, y, sum, above, below := r.op[0], r.op[2], r.sum[0], r.scalar[0], r.scalar[1]
	for i, d := range r.op[1] {
		if y[i] <= above || y[i] >= below {
			d = 0
		}
		dz[i] = d
		sum[i] += d
	}
}}

// ActGrad writes dz, the gradient dy where the gate passes it for y, else 0, and adds its sums over the pixels to db [c] unless that is nil; dz may
// be dy.
func ActGrad(dz, dy, y, db []float32, c int, g Gate) {
	t := begin(&actGrad, len(dy), c)
	t.sum(0, db)
	t.scalars(g.Above, g.Below)
	t.flat(dz, dy, y)
}

var sumRows = pass{row: func(r *row) {
	sum := r.sum[0]
	for i, v := range r.op[0] {
		sum[i] += v
	}
}}

// SumRows adds the sum of each of c channels of x to sum.
func SumRows(sum, x []float32, c int) {
	t := begin(&sumRows, len(x), c)
	t.sum(0, sum[:c])
	t.flat(x)
}

// SumChannels computes db[i], the sum of channel i of dy over all pixels, in parallel.
func SumChannels(db, dy []float32, c int) {
	channelSums.Reduce(db[:c], len(dy)/c, dy, func(dy *[]float32, sum []float32, lo, hi int) {
		c := len(sum)
		clear(sum)
		SumRows(sum, (*dy)[lo*c:hi*c], c)
	})
}

var channelSums Sums[[]float32]

var addPass = pass{row: func(r *row) {
	y, b := r.op[0], r.op[2]
	for i, v := range r.op[1] {
		y[i] = v + b[i]
	}
}}

var subPass = pass{row: func(r *row) {
	y, b := r.op[0], r.op[2]
	for i, v := range r.op[1] {
		y[i] = v - b[i]
	}
}}

var mulPass = pass{row: func(r *row) {
	y, b := r.op[0], r.op[2]
	for i, v := range r.op[1] {
		y[i] = v * b[i]
	}
}}

// Add writes y = a + b; y may be a or b.
func Add(y, a, b []float32) { begin(&addPass, len(a), 1).flat(y, a, b) }

// Sub writes y = a - b; y may be a or b.
func Sub(y, a, b []float32) { begin(&subPass, len(a), 1).flat(y, a, b) }

// Mul writes y = a * b; y may be a or b.
func Mul(y, a, b []float32) { begin(&mulPass, len(a), 1).flat(y, a, b) }

var addAct = pass{row: func(r *row) {
	y, b, lo, hi := r.op[0], r.op[2], r.scalar[0], r.scalar[1]
	for i, v := range r.op[1] {
		y[i] = clamp(v+b[i], lo, hi)
	}
}}

// AddAct writes y = act(a + b); y may be a or b.
func AddAct(y, a, b []float32, act Act) {
	t := begin(&addAct, len(a), 1)
	t.scalars(act.bounds())
	t.flat(y, a, b)
}

// grain is the number of elements of an element-wise pass that is worth a piece of its own.
const grain = 1 << 14

// Sum writes y = a + b, in parallel; y may be a or b.
func Sum(y, a, b []float32) {
	sumWork.Parallel(len(y), grain, [3][]float32{y, a, b}, func(a *[3][]float32, lo, hi int) { Add(a[0][lo:hi], a[1][lo:hi], a[2][lo:hi]) })
}

var sumWork Work[[3][]float32]

// AddBias writes y = x + b for c channels, in parallel.
func AddBias(y, x, b []float32, c int) {
	biasWork.Parallel(len(x)/c, max(1, grain/c), [3][]float32{y, x, b}, func(a *[3][]float32, lo, hi int) {
		c := len(a[2])
		BiasAct(a[0][lo*c:hi*c], a[1][lo*c:hi*c], a[2], c, Linear)
	})
}

var biasWork Work[[3][]float32]
