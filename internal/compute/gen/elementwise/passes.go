package main

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
			arg := l.words(0) // not number[0]: it changes
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
	{name: "pool2Grad", doc: "spreads the gradient to the maxima of 2x2, where the activation passes, and sums it", ops: []int{0, 1, 2, 3, 4, 5, 6}, sums: 1,
		scalars: 2, unroll: 2, numbers: 4, body: func(l *lane) {
			d := l.passing(l.load(4), l.load(5))
			l.accumulate(0, d)
			arg := l.loadBytes()
			for tap := range 4 {
				l.store(tap, l.keep(d, l.equal(arg, l.number[tap])))
			}
		}},
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
