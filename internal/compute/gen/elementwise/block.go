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
	half   reg.Register  // AVX2, float64: the mask of the floats before conversion

	ptr      [maxOps]reg.GPVirtual
	paramPtr [maxParams]reg.GPVirtual
	param    [maxParams][]reg.VecVirtual // in registers, or nil
	sum      [maxSums][]reg.VecVirtual
}

// maskTable holds 8 words of ones and 8 of zeros: a window of it is a mask of 0 to 8 floats.
var maskTable Mem

func table() {
	maskTable = GLOBL("elementwiseMasks", RODATA|NOPTR)
	for i := range 16 {
		v := uint32(0)
		if i < 8 {
			v = 0xffffffff
		}
		DATA(4*i, U32(v))
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
	if !b.double {
		k := YMM()
		VMOVUPS(m, k)
		b.k = k
		return
	}
	half, k := XMM(), YMM()
	VMOVUPS(m, half)
	VPMOVSXDQ(half, k)
	b.k, b.half = k, half
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
		p := b.at(sumAt+8*i, b.elem())
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
	outer, rows := GP64(), GP64()
	MOVQ(b.arg(outerAt), outer)
	Label(b.label + "_outer")
	MOVQ(b.arg(rowsAt), rows)
	Label(b.label + "_row")
	for u := range b.unroll {
		b.body(&lane{b, u})
	}
	b.advance(strideAt)
	DECQ(rows)
	JNZ(LabelRef(b.label + "_row"))
	b.advance(skipAt)
	DECQ(outer)
	JNZ(LabelRef(b.label + "_outer"))
	for i := range b.sums {
		p := b.at(sumAt+8*i, b.elem())
		for u, v := range b.sum[i] {
			b.put(v, p, u)
		}
	}
}

func (b *block) advance(by int) {
	for _, i := range b.ops {
		ADDQ(b.arg(by+8*i), b.ptr[i])
	}
}

// loadParam loads a parameter into registers if there are enough for all of them.
func (b *block) loadParam(i int) {
	p := b.at(paramAt+8*i, b.elem())
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
	case b.wide() && b.double:
		VMOVUPD_Z(m, b.k, v)
	case b.wide():
		VMOVUPS_Z(m, b.k, v)
	case b.double:
		VMASKMOVPD(m, b.k, v)
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
	case b.wide() && b.double:
		VMOVUPD(v, b.k, m)
	case b.wide():
		VMOVUPS(v, b.k, m)
	case b.double:
		VMASKMOVPD(v, b.k, m)
	default:
		VMASKMOVPS(v, b.k, m)
	}
}
