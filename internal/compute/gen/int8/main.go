// Command int8 writes the integer assembly kernels of package compute (run by go generate).
package main

import (
	"fmt"
	"slices"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	for mr := 1; mr <= 14; mr++ {
		product("VNNI", mr, 64, 2)
		product("VNNI", mr, 64, 1)
	}
	for mr := 1; mr <= 4; mr++ {
		product("AVX2", mr, 32, 2)
	}
	depthwise()
	widen()
	maximum()
	requantize()
	Generate()
}

// arguments returns a loader of the words of an argument struct, named in order.
func arguments(names ...string) func(string) reg.GPVirtual {
	base := Load(Param("args"), GP64())
	return func(name string) reg.GPVirtual {
		i := slices.Index(names, name)
		if i < 0 {
			panic("no argument " + name)
		}
		r := GP64()
		MOVQ(Mem{Base: base, Disp: 8 * i}, r)
		return r
	}
}

func vector(width int) reg.VecVirtual {
	if width == 64 {
		return ZMM()
	}
	return YMM()
}

// product writes a kernel of mr rows and cols vectors of 32-bit sums. Each step multiplies four bytes of a row: with VNNI four uint8 by int8, with
// AVX2 two int16 by int16.
func product(isa string, mr, width, cols int) {
	name := fmt.Sprintf("int8%s%dx%d", isa, mr, cols*width/4)
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(fmt.Sprintf("%s multiplies %d rows by %d columns.", name, mr, cols*width/4))
	Pragma("noescape")
	field := arguments("a", "b", "c", "start", "rowStride", "outer", "k", "outerSkip", "startStride")
	b, rowStride := field("b"), field("rowStride")
	var rows []reg.GPVirtual
	for i := 0; i < mr; i += 3 {
		if i == 0 {
			rows = append(rows, field("a"))
			continue
		}
		r := GP64()
		LEAQ(Mem{Base: rows[len(rows)-1], Index: rowStride, Scale: 2}, r)
		ADDQ(rowStride, r)
		rows = append(rows, r)
	}
	at := func(i int) Mem {
		m := Mem{Base: rows[i/3]}
		if i%3 > 0 {
			m.Index, m.Scale = rowStride, uint8(i%3)
		}
		return m
	}
	sum := make([][]reg.VecVirtual, mr)
	start, startStride := field("start"), field("startStride")
	for i := range sum {
		for j := range cols {
			v := vector(width)
			VMOVUPS(Mem{Base: start, Disp: j * width}, v)
			sum[i] = append(sum[i], v)
		}
		if i < mr-1 {
			ADDQ(startStride, start)
		}
	}
	right := make([]reg.VecVirtual, cols)
	for j := range right {
		right[j] = vector(width)
	}
	left := vector(width)
	outer := field("outer")

	Label(name + "_outer")
	k := field("k")
	Label(name + "_loop")
	for j := range right {
		VMOVUPS(Mem{Base: b, Disp: j * width}, right[j])
	}
	for i := range mr {
		VPBROADCASTD(at(i), left)
		for j := range cols {
			if isa == "VNNI" {
				VPDPBUSD(right[j], left, sum[i][j])
				continue
			}
			p := vector(width)
			VPMADDWD(right[j], left, p)
			VPADDD(p, sum[i][j], sum[i][j])
		}
	}
	for _, r := range rows {
		ADDQ(Imm(4), r)
	}
	ADDQ(U32(cols*width), b)
	DECQ(k)
	JNZ(LabelRef(name + "_loop"))
	skip := field("outerSkip")
	for _, r := range rows {
		ADDQ(skip, r)
	}
	DECQ(outer)
	JNZ(LabelRef(name + "_outer"))

	c := field("c")
	for i := range mr {
		for j := range cols {
			VMOVUPS(sum[i][j], Mem{Base: c, Disp: (i*cols + j) * width})
		}
	}
	VZEROUPPER()
	RET()
}

// depthwise writes the kernel for 32 channels of one row of output pixels: int16 images and kernels, products of 16 bits, sums of 32.
func depthwise() {
	const name = "int8Depthwise512"
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " sums the taps of 32 channels for a row of pixels.")
	Pragma("noescape")
	field := arguments("x", "w", "y", "start", "pixels", "pixelStride", "taps", "offsets", "yStride", "wStride")
	x, y := field("x"), field("y")
	pixels, pixelStride, yStride, wStride := field("pixels"), field("pixelStride"), field("yStride"), field("wStride")
	start := field("start")
	lo, hi := ZMM(), ZMM()
	VMOVUPS(Mem{Base: start}, lo)
	VMOVUPS(Mem{Base: start, Disp: 64}, hi)
	Label(name + "_pixel")
	w, offsets, taps := field("w"), field("offsets"), field("taps")
	s0, s1 := ZMM(), ZMM()
	VMOVDQA32(lo, s0)
	VMOVDQA32(hi, s1)
	Label(name + "_tap")
	at := GP64()
	MOVQ(Mem{Base: offsets}, at)
	v := ZMM()
	VMOVDQU16(Mem{Base: x, Index: at, Scale: 1}, v)
	VPMULLW(Mem{Base: w}, v, v)
	t := ZMM()
	VPMOVSXWD(v.AsY(), t)
	VPADDD(t, s0, s0)
	half := YMM()
	VEXTRACTI64X4(Imm(1), v, half)
	VPMOVSXWD(half, t)
	VPADDD(t, s1, s1)
	ADDQ(Imm(8), offsets)
	ADDQ(wStride, w)
	DECQ(taps)
	JNZ(LabelRef(name + "_tap"))
	VMOVDQU32(s0, Mem{Base: y})
	VMOVDQU32(s1, Mem{Base: y, Disp: 64})
	ADDQ(yStride, y)
	ADDQ(pixelStride, x)
	DECQ(pixels)
	JNZ(LabelRef(name + "_pixel"))
	VZEROUPPER()
	RET()
}

// widen writes the pass from int8 to int16 minus a zero point, 32 values at a time.
func widen() {
	const name = "int8Widen512"
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " writes x-zero as int16.")
	Pragma("noescape")
	field := arguments("y", "x", "n", "zero")
	y, x, n := field("y"), field("x"), field("n")
	zero, v := ZMM(), ZMM()
	VPBROADCASTW(field("zero").As32(), zero)
	Label(name + "_loop")
	VPMOVSXBW(Mem{Base: x}, v)
	VPSUBW(zero, v, v)
	VMOVDQU16(v, Mem{Base: y})
	ADDQ(Imm(32), x)
	ADDQ(Imm(64), y)
	DECQ(n)
	JNZ(LabelRef(name + "_loop"))
	VZEROUPPER()
	RET()
}

// maximum writes the int8 maximum of two rows, 64 values at a time.
func maximum() {
	const name = "int8Max512"
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " writes the larger of a and b.")
	Pragma("noescape")
	field := arguments("y", "a", "b", "n")
	y, a, b, n := field("y"), field("a"), field("b"), field("n")
	v := ZMM()
	Label(name + "_loop")
	VMOVDQU8(Mem{Base: a}, v)
	VPMAXSB(Mem{Base: b}, v, v)
	VMOVDQU8(v, Mem{Base: y})
	ADDQ(Imm(64), a)
	ADDQ(Imm(64), b)
	ADDQ(Imm(64), y)
	DECQ(n)
	JNZ(LabelRef(name + "_loop"))
	VZEROUPPER()
	RET()
}

// requantize writes the pass from 32-bit sums to int8: TFLite Micro's MultiplyByQuantizedMultiplier with two roundings, for 16 channels of a number
// of pixels. Exact while sums and their shifted values stay within 30 bits.
func requantize() {
	const name = "requantize512"
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " scales, rounds, clamps and narrows 16 channels of sums.")
	Pragma("noescape")
	field := arguments("y", "x", "multiplier", "left", "right", "pixels", "xStride", "yStride", "zero", "lo", "hi", "mask", "half", "negative")
	y, x := field("y"), field("x")
	load := func(name string) reg.VecVirtual {
		v := ZMM()
		VMOVUPS(Mem{Base: field(name)}, v)
		return v
	}
	broadcast := func(name string) reg.VecVirtual {
		v := ZMM()
		VPBROADCASTD(field(name).As32(), v)
		return v
	}
	m, left, right, half, negative := load("multiplier"), load("left"), load("right"), load("half"), load("negative")
	zero, lo, hi := broadcast("zero"), broadcast("lo"), broadcast("hi")
	odd := ZMM() // the multipliers of the odd channels in even places
	VPSRLQ(Imm(32), m, odd)
	round := ZMM()
	bit := GP64()
	MOVQ(U32(1<<30), bit)
	VPBROADCASTQ(bit, round)
	keep, odds := K(), K()
	KMOVW(field("mask").As32(), keep)
	pattern := GP32()
	MOVL(U32(0xAAAA), pattern)
	KMOVW(pattern, odds)
	pixels, xStride, yStride := field("pixels"), field("xStride"), field("yStride")
	Label(name + "_pixel")
	v, a, b := ZMM(), ZMM(), ZMM()
	VMOVDQU32(Mem{Base: x}, v)
	VPSLLVD(left, v, v)
	VPMULDQ(m, v, a)
	VPSRLQ(Imm(32), v, b)
	VPMULDQ(odd, b, b)
	VPADDQ(round, a, a)
	VPADDQ(round, b, b)
	VPSRLQ(Imm(31), a, a)
	VPSLLQ(Imm(1), b, b)
	VMOVDQA32(b, odds, a)
	sign := ZMM()
	VPSRAD(Imm(31), a, sign)
	VPANDD(negative, sign, sign)
	VPADDD(half, a, a)
	VPADDD(sign, a, a)
	VPSRAVD(right, a, a)
	VPADDD(zero, a, a)
	VPMAXSD(lo, a, a)
	VPMINSD(hi, a, a)
	VPMOVDB(a, keep, Mem{Base: y})
	ADDQ(xStride, x)
	ADDQ(yStride, y)
	DECQ(pixels)
	JNZ(LabelRef(name + "_pixel"))
	VZEROUPPER()
	RET()
}
