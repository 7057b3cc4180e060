package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// block is the loop over the rows of some columns.
type block struct {
	*loop
	unroll int
	label  string
	rest   reg.GPVirtual // columns of the last, partial vector, or nil
	k      reg.Register  // its mask: a mask register for AVX-512, a vector for AVX2

	ptr      [maxOps]reg.GPVirtual
	paramPtr [maxParams]reg.GPVirtual
	param    [maxParams][]reg.VecVirtual // in registers, or nil
	sum      [maxSums][]reg.VecVirtual
	count    []reg.VecVirtual // the numbers of the values
}

// maskTable holds 8 words of ones and 8 of zeros: a window of it is a mask of 0 to 8 floats.
var maskTable Mem

// countTable holds the numbers of a vector's lanes.
var countTable Mem

func table() {
	maskTable = GLOBL("elementwiseMasks", RODATA|NOPTR)
	for i := range 16 {
		v := uint32(0)
		if i < 8 {
			v = 0xffffffff
		}
		DATA(4*i, U32(v))
	}
	countTable = GLOBL("elementwiseCounts", RODATA|NOPTR)
	for i := range 16 {
		DATA(4*i, U32(uint32(i)))
	}
}

// mask makes the mask of the last columns.
func (b *block) mask() {
	t := GP64()
	if b.wide() {
		MOVQ(I32(-1), t)
		BZHIQ(b.rest, t, t)
		k := K()
		KMOVW(t.As32(), k)
		b.k = k
		return
	}
	n := GP64()
	LEAQ(maskTable, t)
	MOVQ(I32(8), n)
	SUBQ(b.rest, n)
	m := Mem{Base: t, Index: n, Scale: 4}
	k := YMM()
	VMOVUPS(m, k)
	b.k = k
}

func (b *block) masked() bool { return b.rest != nil }

// at points at the block's columns of an array whose address is in the arguments.
func (b *block) at(arg, elem int) reg.GPVirtual {
	p := GP64()
	MOVQ(b.arg(arg), p)
	LEAQ(Mem{Base: p, Index: b.col, Scale: uint8(elem)}, p)
	return p
}

func (b *block) write() {
	for i := range b.params {
		b.loadParam(i)
	}
	for i := range b.sums {
		p := b.at(sumAt+8*i, 4)
		for u := range b.unroll {
			b.sum[i] = append(b.sum[i], b.read(p, u))
		}
	}
	for _, i := range b.ops {
		elem := 4
		if i == maxOps-1 {
			elem = 1
		}
		b.ptr[i] = b.at(ptrAt+8*i, elem)
	}
	if b.words > 0 {
		b.startCount()
	}
	outer, rows := GP64(), GP64()
	MOVQ(b.arg(outerAt), outer)
	Label(b.label + "_outer")
	MOVQ(b.arg(rowsAt), rows)
	Label(b.label + "_row")
	for u := range b.unroll {
		b.body(&lane{b, u})
	}
	b.advance(strideAt)
	for _, v := range b.count {
		VPADDD(b.step, v, v)
	}
	DECQ(rows)
	JNZ(LabelRef(b.label + "_row"))
	b.advance(skipAt)
	DECQ(outer)
	JNZ(LabelRef(b.label + "_outer"))
	for i := range b.sums {
		p := b.at(sumAt+8*i, 4)
		for u, v := range b.sum[i] {
			b.put(v, p, u)
		}
	}
}

// startCount numbers the values of the first row.
func (b *block) startCount() {
	t := GP64()
	LEAQ(countTable, t)
	lane := b.vector()
	if b.wide() {
		VMOVDQU32(Mem{Base: t}, lane)
	} else {
		VMOVDQU(Mem{Base: t}, lane)
	}
	VPADDD(b.word[0], lane, lane)
	x, col := XMM(), b.vector()
	MOVQ(b.col, x)
	VPBROADCASTD(x, col)
	VPADDD(col, lane, lane)
	for u := range b.unroll {
		v := b.vector()
		VPADDD(b.integers(u*b.lanes()), lane, v)
		b.count = append(b.count, v)
	}
}

func (b *block) advance(by int) {
	for _, i := range b.ops {
		ADDQ(b.arg(by+8*i), b.ptr[i])
	}
}

// loadParam loads a parameter into registers if there are enough for all of them.
func (b *block) loadParam(i int) {
	p := b.at(paramAt+8*i, 4)
	have, temporaries := 16, 6
	if b.wide() {
		have = 32
	}
	if b.unroll > 1 && b.unroll*(b.params+b.sums)+b.scalars+b.numbers+temporaries > have {
		b.paramPtr[i] = p
		return
	}
	for u := range b.unroll {
		b.param[i] = append(b.param[i], b.read(p, u))
	}
}

// read loads vector u of parameters or sums at p.
func (b *block) read(p reg.Register, u int) reg.VecVirtual {
	v, m := b.vector(), Mem{Base: p, Disp: u * b.width}
	switch {
	case !b.masked():
		VMOVUPS(m, v)
	case b.wide():
		VMOVUPS_Z(m, b.k, v)
	default:
		VMASKMOVPS(m, b.k, v)
	}
	return v
}

// put stores vector u at p.
func (b *block) put(v, p reg.Register, u int) {
	m := Mem{Base: p, Disp: u * b.width}
	switch {
	case !b.masked():
		VMOVUPS(v, m)
	case b.wide():
		VMOVUPS(v, b.k, m)
	default:
		VMASKMOVPS(v, b.k, m)
	}
}
