package compute

import (
	"sync"
	"unsafe"
)

//go:generate go run ./gen/elementwise -out elementwise_amd64.s -stubs elementwise_amd64.go -pkg compute

// A pass goes once over arrays of equal layout: rows (pixels) of columns (channels). It exists as assembly for AVX-512 and AVX2 and as Go, which
// computes the same values, bit for bit; only sums are taken in another order. What belongs to a column, parameters and sums, is given once
// for all rows. Few columns are repeated until they fill some vectors, so that a pass over one channel is as fast as one over 64.

const (
	maxOps    = 7 // the last one is of bytes
	maxParams = 6
	maxSums   = 3
)

// passArgs is the argument of the assembly, as gen/elementwise knows it: operand i of a row of cols values is at op[i], the next row stride[i] bytes
// further, and after all rows there is a jump of skip[i] bytes to the next of outer groups of rows.
type passArgs struct {
	op           [maxOps]unsafe.Pointer
	stride, skip [maxOps]int
	param        [maxParams]unsafe.Pointer
	sum          [maxSums]unsafe.Pointer
	outer, rows  int
	cols         int
	scalar       [8]float32
}

// pass is one element-wise computation.
type pass struct {
	avx512, avx2 func(*uint64) // argument: a passArgs; nil on other processors
	row          func(r *row)  // the same in Go, for one row
}

// row is what the Go code of a pass gets. Sums are added to. A pass that sums in float64 has its parameters in float64, too.
type row struct {
	op      [maxOps - 1][]float32
	bytes   []uint8
	param   [maxParams][]float32
	sum     [maxSums][]float32
	param64 [maxParams][]float64
	sum64   [maxSums][]float64
	scalar  [8]float32
}

// maxPeriod bounds the columns that channels are repeated to.
const maxPeriod = 512

// period is the number of columns that c channels are repeated to: a multiple of c that fills whole vectors, if there is one of reasonable length.
func period(c int) int {
	for _, unit := range []int{64, 16} {
		if l := c / gcd(c, unit) * unit; l <= maxPeriod {
			return l
		}
	}
	return c
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// call is a pass about to run.
type call struct {
	args    passArgs
	pass    *pass
	n       int // values of each operand
	c, cols int // channels, and the columns that they are repeated to
	op      [maxOps - 1][]float32
	bytes   []uint8
	row     row // for the Go code
	folds   [maxSums][]float32
	folds64 [maxSums][]float64
	memory  [maxParams + maxSums][maxPeriod]float32
	wide    [maxParams + maxSums][maxPeriod]float64
}

var calls = sync.Pool{New: func() any { return new(call) }}

// begin prepares a pass over n values of c channels.
func begin(p *pass, n, c int) *call {
	t := calls.Get().(*call)
	t.pass, t.n, t.c, t.cols = p, n, c, period(c)
	return t
}

// end adds up what was repeated.
func (t *call) end() {
	for i := range maxSums {
		fold(t.folds[i], t.row.sum[i])
		fold(t.folds64[i], t.row.sum64[i])
	}
	t.args, t.row = passArgs{}, row{}
	t.op, t.bytes = [maxOps - 1][]float32{}, nil
	t.folds, t.folds64 = [maxSums][]float32{}, [maxSums][]float64{}
	calls.Put(t)
}

// scalars gives the numbers that hold for all channels.
func (t *call) scalars(v ...float32) { copy(t.args.scalar[:], v) }

// channels gives parameter i, a value a channel, or one value for all.
func (t *call) channels(i int, v ...float32) {
	if len(v) < t.cols {
		v = repeat(grow(t.memory[i][:0], t.cols), v)
	}
	t.args.param[i], t.row.param[i] = unsafe.Pointer(&v[0]), v
}

// channels64 gives parameter i of a pass that sums in float64.
func (t *call) channels64(i int, v []float64) {
	if len(v) < t.cols {
		v = repeat(t.wide[i][:t.cols], v)
	}
	t.args.param[i], t.row.param64[i] = unsafe.Pointer(&v[0]), v
}

// sum gives sum i, a value a channel, that the pass adds to; nil if nobody needs it.
func (t *call) sum(i int, v []float32) {
	if len(v) < t.cols {
		t.folds[i] = v
		v = grow(t.memory[maxParams+i][:0], t.cols)
		clear(v)
	}
	t.args.sum[i], t.row.sum[i] = unsafe.Pointer(&v[0]), v
}

// sum64 gives sum i of a pass that sums in float64.
func (t *call) sum64(i int, v []float64) {
	if len(v) < t.cols {
		t.folds64[i] = v
		v = t.wide[maxParams+i][:t.cols]
		clear(v)
	}
	t.args.sum[i], t.row.sum64[i] = unsafe.Pointer(&v[0]), v
}

// repeat fills dst with v, over and over.
func repeat[T float32 | float64](dst, v []T) []T {
	for n := copy(dst, v); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
	return dst
}

// fold adds sums m of repeated channels to v, in order.
func fold[T float32 | float64](v, m []T) {
	for len(v) > 0 && len(m) > 0 {
		for i := range v {
			v[i] += m[i]
		}
		m = m[len(v):]
	}
}

// stretch is the number of values that a pass goes over at a time, a block of columns after the other: they stay in the cache.
const stretch = 1 << 14

// flat runs the pass over operands without gaps, and ends it.
func (t *call) flat(operands ...[]float32) {
	for i, x := range operands {
		t.op[i] = x[:t.n]
		t.args.stride[i] = 4 * t.cols
	}
	step := max(1, stretch/t.cols) * t.cols
	whole := t.n / t.cols * t.cols
	for at := 0; at < whole; at += step {
		t.runAt(at, min(step, whole-at)/t.cols, t.cols)
	}
	if whole < t.n {
		t.runAt(whole, 1, t.n-whole)
	}
	t.end()
}

// runAt runs the pass over some rows of flat operands.
func (t *call) runAt(at, rows, cols int) {
	for i, x := range t.op {
		if x != nil {
			t.args.op[i] = unsafe.Pointer(&x[at])
		}
	}
	t.run(1, rows, cols)
}

// operand gives operand i of run: rows lie stride values apart, and after each group of them there is a jump of skip values.
func (t *call) operand(i int, x []float32, stride, skip int) {
	t.op[i] = x
	t.args.op[i] = unsafe.Pointer(&x[0])
	t.args.stride[i], t.args.skip[i] = 4*stride, 4*skip
}

// byteOperand gives the operand of bytes, without gaps.
func (t *call) byteOperand(x []uint8) {
	t.bytes = x
	t.args.op[maxOps-1], t.args.stride[maxOps-1] = unsafe.Pointer(&x[0]), t.c
}

// run calls the code of the kernel family in use.
func (t *call) run(outer, rows, cols int) {
	t.args.outer, t.args.rows, t.args.cols = outer, rows, cols
	switch f := t.pass; {
	case active().name == "avx512" && f.avx512 != nil:
		f.avx512((*uint64)(unsafe.Pointer(&t.args)))
	case active().name == "avx2" && f.avx2 != nil:
		f.avx2((*uint64)(unsafe.Pointer(&t.args)))
	default:
		t.portable()
	}
}

// portable runs the Go code row by row.
func (t *call) portable() {
	a, r := &t.args, &t.row
	r.scalar = a.scalar
	for o := range a.outer {
		for p := range a.rows {
			for i, x := range t.op {
				if x != nil {
					at := o*(a.rows*a.stride[i]+a.skip[i]) + p*a.stride[i]
					r.op[i] = unsafe.Slice((*float32)(unsafe.Add(a.op[i], at)), a.cols)
				}
			}
			if t.bytes != nil {
				at := (o*a.rows + p) * a.cols
				r.bytes = t.bytes[at : at+a.cols]
			}
			t.pass.row(r)
		}
	}
}
