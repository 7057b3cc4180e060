// Command depthwise writes the assembly of package compute's float depthwise convolutions (run by go generate).
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The words of compute.lineArgs and compute.gridArgs: the first ones are common.
const (
	dst = 8 * iota
	src
	other
	lines
	pixels
	vectors
	srcLine
	otherLine
	srcPixel
	otherPixel
	taps    // lineArgs: table of offsets in src and in the kernel
	tapsEnd // lineArgs
	tapRow  = taps
	tapCol  = tapsEnd
	sumRow  = tapCol + 8
	sumCol  = sumRow + 8

	lineAhead = tapsEnd + 8
	gridAhead = sumCol + 8
)

type isa struct {
	name  string
	width int
}

func (i isa) vector() reg.VecVirtual {
	if i.width == 64 {
		return ZMM()
	}
	return YMM()
}

func (i isa) zero() reg.VecVirtual {
	v := i.vector()
	if i.width == 64 {
		VPXORQ(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

func main() {
	for _, i := range []isa{{"AVX512", 64}, {"AVX2", 32}} {
		line(i)
		for rows := 1; rows <= 3; rows++ {
			for cols := 1; cols <= 3; cols++ {
				grid(i, rows, cols)
			}
		}
	}
	Generate()
}

func begin(name, doc string) reg.Register {
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " " + doc)
	Pragma("noescape")
	return Load(Param("args"), GP64())
}

func load(args reg.Register, at int) reg.GPVirtual {
	r := GP64()
	MOVQ(Mem{Base: args, Disp: at}, r)
	return r
}

// line writes dst = the sum over taps of src*kernel, for lines of pixels; as many pixels at a time as there are sums to hide the latency.
func line(i isa) {
	name := "depthwiseLine" + i.name
	args := begin(name, "computes lines of pixels of a depthwise convolution.")
	arg := func(at int) Mem { return Mem{Base: args, Disp: at} }
	pixel, ahead := load(args, srcPixel), load(args, lineAhead)
	off := GP64()
	Label(name + "_line")
	XORQ(off, off)
	Label(name + "_vector")
	s, d, n := load(args, src), load(args, dst), load(args, pixels)
	ADDQ(off, s)
	ADDQ(off, d)
	for _, block := range []int{8, 4, 2, 1} {
		here := fmt.Sprintf("%s_%d", name, block)
		Label(here)
		CMPQ(n, I32(block))
		JL(LabelRef(here + "_done"))
		sum := make([]reg.VecVirtual, block)
		for p := range sum {
			sum[p] = i.zero()
		}
		tap := load(args, taps)
		CMPQ(tap, arg(tapsEnd))
		JE(LabelRef(here + "_store"))
		Label(here + "_tap")
		w := GP64()
		MOVQ(Mem{Base: tap, Disp: 8}, w)
		ADDQ(arg(other), w)
		weight := i.vector()
		VMOVUPS(Mem{Base: w, Index: off, Scale: 1}, weight)
		ptr := []reg.GPVirtual{GP64()}
		MOVQ(Mem{Base: tap}, ptr[0])
		ADDQ(s, ptr[0])
		at := func(ptr []reg.GPVirtual, stride reg.GPVirtual, p int) Mem {
			m := Mem{Base: ptr[p/3]}
			if p%3 > 0 {
				m.Index, m.Scale = stride, uint8(p%3)
			}
			return m
		}
		for p := 3; p < block; p += 3 {
			r := GP64()
			LEAQ(Mem{Base: ptr[len(ptr)-1], Index: pixel, Scale: 2}, r)
			ADDQ(pixel, r)
			ptr = append(ptr, r)
		}
		for p := range sum {
			VFMADD231PS(at(ptr, pixel, p), weight, sum[p])
		}
		PREFETCHT1(Mem{Base: ahead})
		ADDQ(I32(64), ahead)
		ADDQ(I32(16), tap)
		CMPQ(tap, arg(tapsEnd))
		JNE(LabelRef(here + "_tap"))
		Label(here + "_store")
		step := load(args, otherPixel)
		for p := range sum {
			VMOVUPS(sum[p], Mem{Base: d})
			ADDQ(step, d)
		}
		skip := GP64()
		MOVQ(pixel, skip)
		SHLQ(U8(map[int]uint8{8: 3, 4: 2, 2: 1, 1: 0}[block]), skip)
		ADDQ(skip, s)
		SUBQ(I32(block), n)
		JMP(LabelRef(here))
		Label(here + "_done")
	}
	ADDQ(I32(i.width), off)
	end := load(args, vectors)
	CMPQ(off, end)
	JL(LabelRef(name + "_vector"))
	DECQ(arg(lines))
	JZ(LabelRef(name + "_end"))
	for _, side := range [][2]int{{src, srcLine}, {dst, otherLine}} { // not behind the last line: the collector may look at args
		r := load(args, side[1])
		ADDQ(r, arg(side[0]))
	}
	JMP(LabelRef(name + "_line"))
	Label(name + "_end")
	VZEROUPPER()
	RET()
}

// grid writes sums[row][col] += the sum over lines of pixels of other * src at the place of the tap.
func grid(i isa, rows, cols int) {
	name := fmt.Sprintf("depthwiseGrid%d%d%s", rows, cols, i.name)
	args := begin(name, fmt.Sprintf("adds up the kernel's gradient for %d by %d taps.", rows, cols))
	off, ahead := GP64(), load(args, gridAhead)
	XORQ(off, off)
	Label(name + "_vector")
	sum := make([]reg.VecVirtual, rows*cols)
	sums := func(f func(k int, m Mem)) {
		p, row, col := load(args, dst), load(args, sumRow), load(args, sumCol)
		ADDQ(off, p)
		for r := range rows {
			for c := range cols {
				m := Mem{Base: p}
				if c > 0 {
					m.Index, m.Scale = col, uint8(c)
				}
				f(r*cols+c, m)
			}
			ADDQ(row, p)
		}
	}
	sums(func(k int, m Mem) {
		sum[k] = i.vector()
		VMOVUPS(m, sum[k])
	})
	x, d, n := load(args, src), load(args, other), load(args, lines)
	ADDQ(off, x)
	ADDQ(off, d)
	col, xPixel, dPixel := load(args, tapCol), load(args, srcPixel), load(args, otherPixel)
	Label(name + "_line")
	row := []reg.GPVirtual{GP64()}
	MOVQ(x, row[0])
	for r := 1; r < rows; r++ {
		row = append(row, load(args, tapRow))
		ADDQ(row[r-1], row[r])
	}
	dy := GP64()
	MOVQ(d, dy)
	px := load(args, pixels)
	Label(name + "_pixel")
	g := i.vector()
	VMOVUPS(Mem{Base: dy}, g)
	for r := range rows {
		for c := range cols {
			m := Mem{Base: row[r]}
			if c > 0 {
				m.Index, m.Scale = col, uint8(c)
			}
			VFMADD231PS(m, g, sum[r*cols+c])
		}
		ADDQ(xPixel, row[r])
	}
	PREFETCHT1(Mem{Base: ahead})
	ADDQ(I32(64), ahead)
	ADDQ(dPixel, dy)
	DECQ(px)
	JNZ(LabelRef(name + "_pixel"))
	for _, side := range []struct {
		at  reg.GPVirtual
		arg int
	}{{x, srcLine}, {d, otherLine}} {
		r := load(args, side.arg)
		ADDQ(r, side.at)
	}
	DECQ(n)
	JNZ(LabelRef(name + "_line"))
	sums(func(k int, m Mem) { VMOVUPS(sum[k], m) })
	ADDQ(I32(i.width), off)
	end := load(args, vectors)
	CMPQ(off, end)
	JL(LabelRef(name + "_vector"))
	VZEROUPPER()
	RET()
}
