// Command gen writes the assembly kernels of package compute (run by go generate).
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
		tile("AVX512", mr, 64, 2)
	}
	for mr := 1; mr <= 6; mr++ {
		tile("AVX2", mr, 32, 2)
	}
	for mr := 1; mr <= 14; mr++ {
		tile("AVX512", mr, 64, 1)
	}
	for mr := 1; mr <= 12; mr++ {
		tile("AVX2", mr, 32, 1)
	}
	fma("AVX512", 64, 24)
	fma("AVX2", 32, 12)
	Generate()
}

// arguments returns a loader of the words of an argument struct, tileArgs, named in order. avo could read the struct itself, but
// only from a package that type-checks, which this one does not before its stubs are written.
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

// tile writes a kernel of mr rows and cols vectors of columns. Row i of the left factor is at a + i*rowStride; three rows share a pointer.
func tile(isa string, mr, width, cols int) {
	name := fmt.Sprintf("tile%s%d", isa, mr)
	if cols == 1 {
		name = fmt.Sprintf("narrow%s%d", isa, mr)
	}
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(fmt.Sprintf("%s multiplies %d rows by %d columns.", name, mr, cols*width/4))
	Pragma("noescape")
	field := arguments("a", "b", "c", "rowStride", "kStride", "outer", "k", "outerSkip", "ldc", "accumulate", "bStride", "ahead")
	b, rowStride, kStride, bStride := field("b"), field("rowStride"), field("kStride"), field("bStride")
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
	for i := range sum {
		sum[i] = make([]reg.VecVirtual, cols)
		for j := range sum[i] {
			sum[i][j] = vector(width)
			if width == 64 {
				VPXORQ(sum[i][j], sum[i][j], sum[i][j])
			} else {
				VXORPS(sum[i][j], sum[i][j], sum[i][j])
			}
		}
	}
	right := make([]reg.VecVirtual, cols)
	for j := range right {
		right[j] = vector(width)
	}
	left := vector(width)
	outer, ahead := field("outer"), field("ahead")

	Label(name + "_outer")
	k := field("k")
	Label(name + "_loop")
	for j := range right {
		VMOVUPS(Mem{Base: b, Disp: j * width}, right[j])
	}
	for i := range mr {
		if cols == 1 && width == 64 { // one product a load: the multiplier reads memory itself
			VFMADD231PS_BCST(at(i), right[0], sum[i][0])
			continue
		}
		VBROADCASTSS(at(i), left)
		for j := range cols {
			VFMADD231PS(left, right[j], sum[i][j])
		}
	}
	for _, r := range rows {
		ADDQ(kStride, r)
	}
	ADDQ(bStride, b)
	PREFETCHT1(Mem{Base: ahead}) // what will be read next, a line a round
	ADDQ(I32(64), ahead)
	DECQ(k)
	JNZ(LabelRef(name + "_loop"))
	skip := field("outerSkip")
	for _, r := range rows {
		ADDQ(skip, r)
	}
	DECQ(outer)
	JNZ(LabelRef(name + "_outer"))

	c, ldc := field("c"), field("ldc")
	acc := field("accumulate")
	TESTQ(acc, acc)
	JZ(LabelRef(name + "_store"))
	row := GP64()
	MOVQ(c, row)
	for i := range mr {
		for j := range cols {
			VADDPS(Mem{Base: row, Disp: j * width}, sum[i][j], sum[i][j])
		}
		ADDQ(ldc, row)
	}
	Label(name + "_store")
	for i := range mr {
		for j := range cols {
			VMOVUPS(sum[i][j], Mem{Base: c, Disp: j * width})
		}
		ADDQ(ldc, c)
	}
	VZEROUPPER()
	RET()
}

// fma writes a loop of multiply-adds in registers alone: sums times args[0] of them.
func fma(isa string, width, sums int) {
	name := "fma" + isa
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(fmt.Sprintf("%s does %d multiply-adds of vectors a round.", name, sums))
	Pragma("noescape")
	n := arguments("rounds")("rounds")
	sum := make([]reg.VecVirtual, sums)
	for i := range sum {
		sum[i] = vector(width)
		if width == 64 {
			VPXORQ(sum[i], sum[i], sum[i])
		} else {
			VXORPS(sum[i], sum[i], sum[i])
		}
	}
	Label(name + "_loop")
	for i := range sum {
		VFMADD231PS(sum[i], sum[i], sum[i])
	}
	DECQ(n)
	JNZ(LabelRef(name + "_loop"))
	VZEROUPPER()
	RET()
}
