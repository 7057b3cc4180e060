package compute

var pool2 = pass{row: func(r *row) { poolRow(r, r.bytes) }}

var pool2Only = pass{row: func(r *row) { poolRow(r, nil) }}

func poolRow(r *row, arg []uint8) {
	y, bias, lo, hi := r.op[0], r.param[0], r.scalar[0], r.scalar[1]
	for i := range y {
		best, from := r.op[1][i]+bias[i], 0
		for tap := 1; tap < 4; tap++ {
			// The negation lets a NaN in, the comparison with itself keeps it.
			if v := r.op[1+tap][i] + bias[i]; !(v <= best) && best == best {
				best, from = v, tap
			}
		}
		y[i] = clamp(best, lo, hi)
		if arg != nil {
			arg[i] = uint8(from)
		}
	}
}

// BiasActMaxPool2x2 writes y [h/2,w/2,c], the maxima of a(x+bias) over blocks of 2x2 of an image x [h,w,c], and to arg, unless that is nil, which of
// the four each is: 0 to 3, row by row, the first of equals. A row or column left over is not looked at. bias may be nil.
func BiasActMaxPool2x2(y []float32, arg []uint8, x, bias []float32, h, w, c int, a Act) {
	oh, ow := h/2, w/2
	if oh*ow*c == 0 {
		return
	}
	p := &pool2
	if arg == nil {
		p = &pool2Only
	}
	t := begin(p, 0, c)
	t.pool(y, arg, x, bias, w, oh, ow, a)
	t.end()
}

func (t *call) pool(y []float32, arg []uint8, x, bias []float32, w, oh, ow int, a Act) {
	t.bias(bias)
	t.scalars(a.bounds())
	t.operand(0, y[:oh*ow*t.c], t.c, 0)
	t.blocks(1, x, w, ow)
	if arg != nil {
		t.byteOperand(arg[:oh*ow*t.c])
	}
	t.run(oh, ow, t.c)
}

var pool2Range = pass{row: func(r *row) {
	poolRow(r, r.bytes)
	lo, hi, nan, bias := r.sum[0], r.sum[1], r.sum[2], r.param[0]
	for i := range lo[:len(r.op[0])] {
		for tap := range 4 {
			widen(lo, hi, nan, i, r.op[1+tap][i]+bias[i])
		}
	}
}}

// BiasActMaxPool2x2Range is BiasActMaxPool2x2, and widens the range by all of a(x+bias).
func BiasActMaxPool2x2Range(r *Range, y []float32, arg []uint8, x, bias []float32, h, w, c int, a Act) {
	oh, ow := h/2, w/2
	if oh*ow*c == 0 {
		return
	}
	t := begin(&pool2Range, 0, c)
	t.startRange()
	t.pool(y, arg, x, bias, w, oh, ow, a)
	all := t.endRange()
	lo, hi := a.bounds()
	all.Min, all.Max = clamp(all.Min, lo, hi), clamp(all.Max, lo, hi)
	r.Widen(all)
	t.end()
}

// blocks gives the four values of each 2x2 block of an image as operands from first on.
func (t *call) blocks(first int, x []float32, w, ow int) {
	skip := 2*w*t.c - 2*ow*t.c
	for tap, at := range []int{0, 1, w, w + 1} {
		t.operand(first+tap, x[at*t.c:], 2*t.c, skip)
	}
}

var pool2Grad = pass{row: func(r *row) {
	y, sum, above, below := r.op[5], r.sum[0], r.scalar[0], r.scalar[1]
	for i, d := range r.op[4] {
		if y[i] <= above || y[i] >= below {
			d = 0
		}
		sum[i] += d
		for tap := range 4 {
			r.op[tap][i] = 0
		}
		r.op[r.bytes[i]&3][i] = d
	}
}}

// BiasActMaxPool2x2Grad writes dx [h,w,c], the gradient of BiasActMaxPool2x2 by x where the gate passes it for y, from dy and y [h/2,w/2,c] and arg,
// and adds its sums over the pixels to db [c] unless that is nil.
func BiasActMaxPool2x2Grad(dx, db, dy, y []float32, arg []uint8, h, w, c int, g Gate) {
	oh, ow := h/2, w/2
	if h%2+w%2 > 0 {
		clear(dx[:h*w*c])
	}
	if oh*ow*c == 0 {
		return
	}
	t := begin(&pool2Grad, 0, c)
	t.sum(0, db)
	t.scalars(g.Above, g.Below)
	t.blocks(0, dx[:h*w*c], w, ow)
	t.operand(4, dy[:oh*ow*c], c, 0)
	t.operand(5, y[:oh*ow*c], c, 0)
	t.byteOperand(arg[:oh*ow*c])
	t.run(oh, ow, c)
	t.end()
}
