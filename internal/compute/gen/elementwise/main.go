// Command elementwise writes the assembly of package compute's element-wise passes (run by go generate).
//
// Every pass is the same loop around another body: over blocks of columns (channels) and within a block over rows (pixels), so that what belongs to a
// column, its parameters and its sums, stays in registers. The last columns, fewer than a vector, are read and written under a mask.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The words of compute.passArgs, in bytes.
const (
	maxOps    = 7
	maxParams = 6
	maxSums   = 5

	ptrAt    = 0
	strideAt = ptrAt + 8*maxOps
	skipAt   = strideAt + 8*maxOps
	paramAt  = skipAt + 8*maxOps
	sumAt    = paramAt + 8*maxParams
	outerAt  = sumAt + 8*maxSums
	rowsAt   = outerAt + 8
	colsAt   = rowsAt + 8
	scalarAt = colsAt + 8
	wordAt   = scalarAt + 4*8
)

// pass describes a pass. The operands are numbered as in compute.passArgs; operand 6, where it is used, is of bytes.
type pass struct {
	name, doc             string
	ops                   []int // the operands in use
	params, sums, scalars int
	unroll                int  // vectors of a block
	narrow                int  // the same for AVX2, where it differs
	numbers               int  // vectors of the integers 0, 1, ... that the body needs
	words                 int  // integers for all columns; the first is the number of the first value, and each lane knows the number of its value
	flush                 bool // denormal numbers count as zero
	body                  func(l *lane)
}

func main() {
	table()
	for _, p := range passes {
		for _, isa := range []isa{{"AVX512", 64}, {"AVX2", 32}} {
			p.write(isa)
		}
	}
	Generate()
}

// isa is an instruction set and its vector's width in bytes.
type isa struct {
	name  string
	width int
}

func (i isa) wide() bool { return i.width == 64 }

func (i isa) vector() reg.VecVirtual {
	if i.wide() {
		return ZMM()
	}
	return YMM()
}

// loop is a pass being written.
type loop struct {
	pass
	isa
	name   string
	args   reg.Register
	col    reg.GPVirtual // columns done
	scalar []reg.VecVirtual
	number []reg.VecVirtual
	word   []reg.VecVirtual
	step   reg.VecVirtual    // columns, where values are numbered
	factor [2]reg.VecVirtual // of random numbers
}

// lanes is the number of columns of a vector.
func (l *loop) lanes() int { return l.width / 4 }

func (l *loop) arg(at int) Mem { return Mem{Base: l.args, Disp: at} }

// factors are those of compute.mix.
var factors = [2]int{0x7feb352d, 0x846ca68b}

func (p pass) write(i isa) {
	if !i.wide() && p.narrow > 0 {
		p.unroll = p.narrow
	}
	l := &loop{pass: p, isa: i, name: p.name + i.name}
	TEXT(l.name, NOSPLIT, "func(args *uint64)")
	Doc(fmt.Sprintf("%s %s.", l.name, p.doc))
	Pragma("noescape")
	l.args = Load(Param("args"), GP64())
	var old Mem
	if p.flush {
		old = setFlush()
	}
	for s := range p.scalars {
		v := i.vector()
		VBROADCASTSS(l.arg(scalarAt+4*s), v)
		l.scalar = append(l.scalar, v)
	}
	for n := range p.numbers {
		l.number = append(l.number, l.integers(n))
	}
	for w := range p.words {
		v := i.vector()
		VPBROADCASTD(l.arg(wordAt+4*w), v)
		l.word = append(l.word, v)
	}
	if p.words > 0 {
		l.step = i.vector()
		VPBROADCASTD(l.arg(colsAt), l.step)
		for i, f := range factors {
			l.factor[i] = l.integers(f)
		}
	}
	l.col = GP64()
	XORQ(l.col, l.col)
	for _, unroll := range []int{p.unroll, 1} {
		l.blocks(unroll)
		if p.unroll == 1 {
			break
		}
	}
	rest := GP64()
	MOVQ(l.arg(colsAt), rest)
	SUBQ(l.col, rest)
	JZ(LabelRef(l.name + "_done"))
	b := &block{loop: l, unroll: 1, label: l.name + "_tail", rest: rest}
	b.mask()
	b.write()
	Label(l.name + "_done")
	if p.flush {
		LDMXCSR(old)
	}
	VZEROUPPER()
	RET()
}

// setFlush makes the processor take denormal numbers for zero, as input and as result, and returns where the old state is. Denormals are slow on most
// processors.
func setFlush() (old Mem) {
	const flushToZero, denormalsAreZero = 1 << 15, 1 << 6
	state := AllocLocal(8)
	old, changed := state, state.Offset(4)
	STMXCSR(old)
	r := GP32()
	MOVL(old, r)
	ORL(U32(flushToZero|denormalsAreZero), r)
	MOVL(r, changed)
	LDMXCSR(changed)
	return old
}

// blocks runs blocks of so many vectors while they fit.
func (l *loop) blocks(unroll int) {
	b := &block{loop: l, unroll: unroll, label: fmt.Sprintf("%s_block%d", l.name, unroll)}
	Label(b.label)
	end := GP64()
	LEAQ(Mem{Base: l.col, Disp: unroll * l.lanes()}, end)
	CMPQ(end, l.arg(colsAt))
	JG(LabelRef(b.label + "_done"))
	b.write()
	ADDQ(I32(int32(unroll*l.lanes())), l.col)
	JMP(LabelRef(b.label))
	Label(b.label + "_done")
}
