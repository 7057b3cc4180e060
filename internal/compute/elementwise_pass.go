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
	maxSums   = 5
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
	word         [4]uint32
}

// pass is one element-wise computation.
type pass struct {
	avx512, avx2 func(*uint64) // argument: a passArgs; nil on other processors
	row          func(r *row)  // the same in Go, for one row
}

// row is what the Go code of a pass gets. Sums are added to.
type row struct {
	op     [maxOps - 1][]float32
	bytes  []uint8
	param  [maxParams][]float32
	sum    [maxSums][]float32
	scalar [8]float32
	word   [4]uint32 // the first is the number of the row's first value
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
	memory  [maxParams + maxSums][]float32 // kept from call to call
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
	}
	t.args, t.row = passArgs{}, row{}
	t.op, t.bytes = [maxOps - 1][]float32{}, nil
	t.folds = [maxSums][]float32{}
	calls.Put(t)
}

// room is memory i with a value for each column.
func (t *call) room(i int) []float32 {
	if cap(t.memory[i]) < t.cols {
		t.memory[i] = make([]float32, max(t.cols, maxPeriod))
	}
	return t.memory[i][:t.cols]
}

// scalars gives the numbers that hold for all channels.
func (t *call) scalars(v ...float32) { copy(t.args.scalar[:], v) }

// channels gives parameter i, a value a channel, or one value for all.
func (t *call) channels(i int, v ...float32) {
	if len(v) < t.cols {
		v = repeat(t.room(i), v)
	}
	t.args.param[i], t.row.param[i] = unsafe.Pointer(&v[0]), v
}

// sum gives sum i, a value a channel, that the pass adds to; nil if nobody needs it.
func (t *call) sum(i int, v []float32) {
	if len(v) < t.cols {
		t.folds[i] = v
		v = t.room(maxParams + i)
		clear(v)
	}
	t.args.sum[i], t.row.sum[i] = unsafe.Pointer(&v[0]), v
}

// columns gives sum i as a value for each column, all v at first; the caller combines them.
func (t *call) columns(i int, v float32) []float32 {
	x := t.room(maxParams + i)
	for j := range x {
		x[j] = v
	}
	t.args.sum[i], t.row.sum[i] = unsafe.Pointer(&x[0]), x
	return x
}

// repeat fills dst with v, over and over.
func repeat(dst, v []float32) []float32 {
	for n := copy(dst, v); n < len(dst); n *= 2 {
		copy(dst[n:], dst[:n])
	}
	return dst
}

// fold adds sums m of repeated channels to v, in order.
func fold(v, m []float32) {
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
	t.runFlat(operands...)
	t.end()
}

func (t *call) runFlat(operands ...[]float32) {
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
}

// runAt runs the pass over some rows of flat operands.
func (t *call) runAt(at, rows, cols int) {
	for i, x := range t.op {
		if x != nil {
			t.args.op[i] = unsafe.Pointer(&x[at])
		}
	}
	first := t.args.word[0]
	t.args.word[0] += uint32(at)
	t.run(1, rows, cols)
	t.args.word[0] = first
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
	r.scalar, r.word = a.scalar, a.word
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
			r.word[0] = a.word[0] + uint32((o*a.rows+p)*a.cols)
			t.pass.row(r)
		}
	}
}
