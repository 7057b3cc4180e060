package compute

// Range holds the smallest and the largest of some values and zero; both are NaN when a value is. The zero Range is that of no values.
type Range struct{ Min, Max float32 }

// Widen makes r hold o.
func (r *Range) Widen(o Range) {
	switch {
	case r.Min != r.Min:
		return
	case o.Min != o.Min:
		*r = o
		return
	}
	if o.Min < r.Min {
		r.Min = o.Min
	}
	if o.Max > r.Max {
		r.Max = o.Max
	}
}

// startRange gives sums 0 to 2 for minima, maxima and NaN, a column each.
func (t *call) startRange() {
	for i := range 3 {
		t.columns(i, 0)
	}
}

// endRange is the range that the pass found.
func (t *call) endRange() (r Range) {
	lo, hi, nan := t.row.sum[0], t.row.sum[1], t.row.sum[2]
	for i := range lo {
		r.Widen(Range{lo[i], hi[i]})
		if nan[i] != nan[i] {
			return Range{nan[i], nan[i]}
		}
	}
	return r
}

// widen is what the passes do with a value of column i.
func widen(lo, hi, nan []float32, i int, v float32) {
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

var minMax = pass{row: func(r *row) {
	lo, hi, nan := r.sum[0], r.sum[1], r.sum[2]
	for i, v := range r.op[0] {
		widen(lo, hi, nan, i, v)
	}
}}

// MinMax is the range of x.
func MinMax(x []float32) Range {
	t := begin(&minMax, len(x), 1)
	t.startRange()
	t.runFlat(x)
	r := t.endRange()
	t.end()
	return r
}

// ChannelRanges writes the range of each of c channels of x.
func ChannelRanges(lo, hi, x []float32, c int) {
	t := begin(&minMax, len(x), c)
	t.startRange()
	t.runFlat(x)
	minima, maxima, nan := t.row.sum[0], t.row.sum[1], t.row.sum[2]
	for i := range c {
		var r Range
		for j := i; j < len(minima); j += c {
			r.Widen(Range{minima[j], maxima[j]})
			if nan[j] != nan[j] {
				r = Range{nan[j], nan[j]}
			}
		}
		lo[i], hi[i] = r.Min, r.Max
	}
	t.end()
}

var biasActRange = pass{row: func(r *row) {
	biasAct.row(r)
	for i, v := range r.op[0] {
		widen(r.sum[0], r.sum[1], r.sum[2], i, v)
	}
}}

// BiasActRange is BiasAct, and widens the range by the results.
func BiasActRange(r *Range, y, x, bias []float32, c int, a Act) {
	t := begin(&biasActRange, len(x), c)
	t.bias(bias)
	t.scalars(a.bounds())
	t.startRange()
	t.runFlat(y, x)
	r.Widen(t.endRange())
	t.end()
}

var addActRange = pass{row: func(r *row) {
	addAct.row(r)
	for i, v := range r.op[0] {
		widen(r.sum[0], r.sum[1], r.sum[2], i, v)
	}
}}

// AddActRange is AddAct, and widens the range by the results.
func AddActRange(r *Range, y, a, b []float32, act Act) {
	t := begin(&addActRange, len(a), 1)
	t.scalars(act.bounds())
	t.startRange()
	t.runFlat(y, a, b)
	r.Widen(t.endRange())
	t.end()
}
