package main

import . "github.com/mmcloughlin/avo/build"

// passes are what the assembly consists of. Each computes what the function of the same name in package compute's portable passes does.
var passes = []pass{
	{name: "biasAct", doc: "writes act(x + bias)", ops: []int{0, 1}, params: 1, scalars: 2, unroll: 4, body: func(l *lane) {
		l.store(0, l.clamp(l.add(l.load(1), l.par(0)), l.scalar[0], l.scalar[1]))
	}},
	{name: "actGrad", doc: "passes the gradient where the activation does, and sums it", ops: []int{0, 1, 2}, sums: 1, scalars: 2, unroll: 4,
		body: func(l *lane) {
			d := l.passing(l.load(1), l.load(2))
			l.accumulate(0, d)
			l.store(0, d)
		}},
	{name: "sumRows", doc: "sums the columns", ops: []int{0}, sums: 1, unroll: 4, body: func(l *lane) { l.accumulate(0, l.load(0)) }},
	{name: "addPass", doc: "adds", ops: []int{0, 1, 2}, unroll: 4, body: func(l *lane) { l.store(0, l.add(l.load(1), l.load(2))) }},
	{name: "subPass", doc: "subtracts", ops: []int{0, 1, 2}, unroll: 4, body: func(l *lane) { l.store(0, l.sub(l.load(1), l.load(2))) }},
	{name: "mulPass", doc: "multiplies", ops: []int{0, 1, 2}, unroll: 4, body: func(l *lane) { l.store(0, l.mul(l.load(1), l.load(2))) }},
	{name: "pool2", doc: "writes the activation of 2x2 maxima and which of the four each is", ops: []int{0, 1, 2, 3, 4, 6}, params: 1, scalars: 2,
		unroll: 2, numbers: 4, body: func(l *lane) {
			best := l.add(l.load(1), l.par(0))
			arg := l.integers(0) // not number[0]: it changes
			for tap := 1; tap < 4; tap++ {
				l.challenge(best, arg, l.add(l.load(1+tap), l.par(0)), l.number[tap])
			}
			l.store(0, l.clamp(best, l.scalar[0], l.scalar[1]))
			l.storeBytes(arg)
		}},
	{name: "pool2Only", doc: "writes the activation of 2x2 maxima", ops: []int{0, 1, 2, 3, 4}, params: 1, scalars: 2, unroll: 2, body: func(l *lane) {
		best := l.add(l.load(1), l.par(0))
		for tap := 1; tap < 4; tap++ {
			v := l.add(l.load(1+tap), l.par(0))
			l.choose(best, v, l.both(l.compare(notLessEqual, v, best), l.compare(equalTo, best, best)))
		}
		l.store(0, l.clamp(best, l.scalar[0], l.scalar[1]))
	}},
	{name: "pool2Range", doc: "is pool2, and finds minima, maxima and NaN before the activation", ops: []int{0, 1, 2, 3, 4, 6}, params: 1, sums: 3, scalars: 2,
		unroll: 2, narrow: 1, numbers: 4, body: func(l *lane) {
			best := l.add(l.load(1), l.par(0))
			lo := l.sum[0][l.u]
			VMINPS(lo, best, lo)
			arg := l.integers(0)
			for tap := 1; tap < 4; tap++ {
				v := l.add(l.load(1+tap), l.par(0))
				VMINPS(lo, v, lo)
				l.challenge(best, arg, v, l.number[tap])
			}
			VMAXPS(l.sum[1][l.u], best, l.sum[1][l.u])
			l.choose(l.sum[2][l.u], best, l.compare(unordered, best, best))
			l.store(0, l.clamp(best, l.scalar[0], l.scalar[1]))
			l.storeBytes(arg)
		}},
	{name: "pool2Grad", doc: "spreads the gradient to the maxima of 2x2, where the activation passes, and sums it", ops: []int{0, 1, 2, 3, 4, 5, 6}, sums: 1,
		scalars: 2, unroll: 2, numbers: 4, body: func(l *lane) {
			d := l.passing(l.load(4), l.load(5))
			l.accumulate(0, d)
			arg := l.loadBytes()
			for tap := range 4 {
				l.store(tap, l.keep(d, l.equal(arg, l.number[tap])))
			}
		}},
	{name: "scaleShiftAct", doc: "writes act(x*scale + shift)", ops: []int{0, 1}, params: 2, scalars: 2, unroll: 4, body: func(l *lane) {
		l.store(0, l.clamp(l.add(l.mul(l.load(1), l.par(0)), l.par(1)), l.scalar[0], l.scalar[1]))
	}},
	{name: "scaleShiftQuantize", doc: "writes x*scale + shift, rounded to steps", ops: []int{0, 1}, params: 2, scalars: 7, unroll: 4, narrow: 2,
		body: func(l *lane) { l.scaleShiftQuantize(l.div) }},
	{name: "scaleShiftQuantizeByInverse", doc: "writes x*scale + shift, rounded to steps, multiplying by the inverse", ops: []int{0, 1}, params: 2, scalars: 7,
		unroll: 4, narrow: 2, body: func(l *lane) { l.scaleShiftQuantize(l.mul) }},
	{name: "moments", doc: "sums the differences from a shift and their squares", ops: []int{0}, params: 1, sums: 2, unroll: 4, body: func(l *lane) {
		l.moments(l.load(0))
	}},
	{name: "momentsRange", doc: "is moments, and finds minima and maxima", ops: []int{0}, params: 1, sums: 4, unroll: 4, narrow: 2, body: func(l *lane) {
		v := l.load(0)
		l.moments(v)
		VMINPS(v, l.sum[2][l.u], l.sum[2][l.u])
		VMAXPS(v, l.sum[3][l.u], l.sum[3][l.u])
	}},
	{name: "normGate", doc: "writes the gradient where the activation of x*scale + shift passes it, and sums it and its products with x-mean",
		ops: []int{0, 1, 2}, params: 3, sums: 2, scalars: 2, unroll: 4, narrow: 2, body: func(l *lane) {
			x := l.load(2)
			d := l.passing(l.load(1), l.add(l.mul(x, l.par(0)), l.par(1)))
			l.store(0, d)
			l.accumulate(0, d)
			l.accumulate(1, l.mul(d, l.sub(x, l.par(2))))
		}},
	{name: "normGrad", doc: "writes scale*(dy - shift - (x-mean)*slope)", ops: []int{0, 1, 2}, params: 4, unroll: 4, body: func(l *lane) {
		slope := l.mul(l.sub(l.load(2), l.par(3)), l.par(2))
		l.store(0, l.mul(l.par(0), l.sub(l.sub(l.load(1), l.par(1)), slope)))
	}},

	{name: "addAct", doc: "writes act(a + b)", ops: []int{0, 1, 2}, scalars: 2, unroll: 4, body: func(l *lane) {
		l.store(0, l.clamp(l.add(l.load(1), l.load(2)), l.scalar[0], l.scalar[1]))
	}},
	{name: "dropout", doc: "zeroes values at random and scales the others", ops: []int{0, 1}, scalars: 1, words: 4, unroll: 2, body: func(l *lane) {
		h := l.random()
		l.store(0, l.keep(l.mul(l.load(1), l.scalar[0]), l.equal(l.larger(h, l.word[3]), h)))
	}},

	{name: "minMax", doc: "finds minima, maxima and NaN", ops: []int{0}, sums: 3, unroll: 4, body: func(l *lane) { l.ranges(l.load(0)) }},
	{name: "biasActRange", doc: "is biasAct, and finds minima, maxima and NaN of the results", ops: []int{0, 1}, params: 1, sums: 3, scalars: 2, unroll: 4, narrow: 2,
		body: func(l *lane) {
			v := l.clamp(l.add(l.load(1), l.par(0)), l.scalar[0], l.scalar[1])
			l.ranges(v)
			l.store(0, v)
		}},
	{name: "addActRange", doc: "is addAct, and finds minima, maxima and NaN of the results", ops: []int{0, 1, 2}, sums: 3, scalars: 2, unroll: 4, narrow: 2,
		body: func(l *lane) {
			v := l.clamp(l.add(l.load(1), l.load(2)), l.scalar[0], l.scalar[1])
			l.ranges(v)
			l.store(0, v)
		}},
	{name: "quantize", doc: "rounds to steps of scale", ops: []int{0, 1}, params: 4, scalars: 1, unroll: 4, body: func(l *lane) { l.quantize(l.div, l.par(2)) }},
	{name: "quantizeByInverse", doc: "rounds to steps of scale, multiplying by the inverse", ops: []int{0, 1}, params: 5, scalars: 1, unroll: 4, body: func(l *lane) {
		l.quantize(l.mul, l.par(4))
	}},
	{name: "quantizeGrad", doc: "passes the gradient inside the range", ops: []int{0, 1, 2}, params: 2, unroll: 4, body: func(l *lane) {
		x := l.load(2)
		l.store(0, l.keep(l.load(1), l.both(l.compare(notLess, x, l.par(0)), l.compare(notGreater, x, l.par(1)))))
	}},

	{name: "adam", doc: "is a step of Adam", ops: []int{0, 1, 2, 3}, scalars: 5, unroll: 2, flush: true, body: func(l *lane) {
		alpha, c1, c2, epsilon, decay := l.scalar[0], l.scalar[1], l.scalar[2], l.scalar[3], l.scalar[4]
		w, m, v, g := l.load(0), l.load(1), l.load(2), l.load(3)
		m = l.add(m, l.mul(l.sub(g, m), c1))
		v = l.add(v, l.mul(l.sub(l.mul(g, g), v), c2))
		l.store(1, m)
		l.store(2, v)
		w = l.sub(w, l.mul(w, decay))
		l.store(0, l.sub(w, l.div(l.mul(m, alpha), l.add(l.sqrt(v), epsilon))))
	}},
	{name: "descend", doc: "is a step of gradient descent", ops: []int{0, 1}, scalars: 1, unroll: 4, flush: true, body: func(l *lane) {
		l.store(0, l.sub(l.load(0), l.mul(l.load(1), l.scalar[0])))
	}},
	{name: "momentum", doc: "is a step of gradient descent with momentum", ops: []int{0, 1, 2}, scalars: 2, unroll: 4, flush: true, body: func(l *lane) {
		v := l.sub(l.mul(l.load(1), l.scalar[1]), l.mul(l.load(2), l.scalar[0]))
		l.store(1, v)
		l.store(0, l.add(l.load(0), v))
	}},
	{name: "nesterov", doc: "is a step of gradient descent with Nesterov's momentum", ops: []int{0, 1, 2}, scalars: 2, unroll: 4, flush: true, body: func(l *lane) {
		d := l.mul(l.load(2), l.scalar[0])
		v := l.sub(l.mul(l.load(1), l.scalar[1]), d)
		l.store(1, v)
		l.store(0, l.add(l.load(0), l.sub(l.mul(v, l.scalar[1]), d)))
	}},
	{name: "rmsprop", doc: "is a step of RMSprop", ops: []int{0, 1, 2}, scalars: 4, unroll: 2, flush: true, body: func(l *lane) {
		l.store(0, l.sub(l.load(0), l.rms(1, l.load(2))))
	}},
	{name: "rmspropMomentum", doc: "is a step of RMSprop with momentum", ops: []int{0, 1, 2, 3}, scalars: 5, unroll: 2, flush: true, body: func(l *lane) {
		v := l.add(l.mul(l.load(2), l.scalar[4]), l.rms(1, l.load(3)))
		l.store(2, v)
		l.store(0, l.sub(l.load(0), v))
	}},
	{name: "scalePass", doc: "multiplies by a number", ops: []int{0, 1}, scalars: 1, unroll: 4, flush: true, body: func(l *lane) {
		l.store(0, l.mul(l.load(1), l.scalar[0]))
	}},
}

// rms moves operand i, the average of the squared gradient, and returns the step: scalars are rate, rho, 1-rho, epsilon.
func (l *lane) rms(i int, g vec) vec {
	s := l.add(l.mul(l.load(i), l.scalar[1]), l.mul(l.mul(g, g), l.scalar[2]))
	l.store(i, s)
	return l.div(l.mul(g, l.scalar[0]), l.sqrt(l.add(s, l.scalar[3])))
}

// passing is the gradient where y is above scalar 0 and below scalar 1, or they are NaN.
func (l *lane) passing(dy, y vec) vec {
	return l.keep(dy, l.both(l.compare(notLessEqual, y, l.scalar[0]), l.compare(notGrEqual, y, l.scalar[1])))
}

// challenge takes v and its number where it is larger than the best so far, or the first NaN.
func (l *lane) challenge(best, arg, v, number vec) {
	where := l.both(l.compare(notLessEqual, v, best), l.compare(equalTo, best, best))
	l.choose(best, v, where)
	l.choose(arg, number, where)
}

// quantize writes operand 1 rounded to steps of parameter 2 between parameters 0 and 1; steps makes a number of steps of a distance, by the
// divisor or factor per. Parameter 3 is the number of steps below zero.
func (l *lane) quantize(steps func(a, b vec) vec, per vec) {
	lo := l.par(0)
	n := l.sub(steps(l.sub(l.clamp(l.load(1), lo, l.par(1)), lo), per), l.par(3))
	l.store(0, l.mul(l.floor(l.add(n, l.scalar[0])), l.par(2)))
}

// scaleShiftQuantize is scaleShiftAct and quantize with one quantizer for all columns: scalars 0 and 1 bound the value, which becomes steps of
// scalar 3 (by the divisor or factor in scalar 5) from scalar 2, scalar 4 of them below zero; scalar 6 is one half.
func (l *lane) scaleShiftQuantize(steps func(a, b vec) vec) {
	v := l.clamp(l.add(l.mul(l.load(1), l.par(0)), l.par(1)), l.scalar[0], l.scalar[1])
	n := l.sub(steps(l.sub(v, l.scalar[2]), l.scalar[5]), l.scalar[4])
	l.store(0, l.mul(l.floor(l.add(n, l.scalar[6])), l.scalar[3]))
}

// moments adds to the sums of the differences from parameter 0 and of their squares.
func (l *lane) moments(v vec) {
	d := l.sub(v, l.par(0))
	l.accumulate(0, d)
	l.accumulate(1, l.mul(d, d))
}

// ranges keeps the smallest and largest of v, and a NaN, in sums 0 to 2.
func (l *lane) ranges(v vec) {
	lo, hi, nan := l.sum[0][l.u], l.sum[1][l.u], l.sum[2][l.u]
	VMINPS(lo, v, lo) // lo where v is NaN
	VMAXPS(hi, v, hi)
	l.choose(nan, v, l.compare(unordered, v, v))
}

// random is an integer that depends on the value's number and words 1 and 2 (see mix in package compute).
func (l *lane) random() vec {
	h := l.vector()
	VPADDD(l.word[1], l.count[l.u], h)
	l.foldBits(h, 16)
	VPMULLD(l.factor[0], h, h)
	l.flip(h, l.word[2])
	l.foldBits(h, 15)
	VPMULLD(l.factor[1], h, h)
	l.foldBits(h, 16)
	return h
}
