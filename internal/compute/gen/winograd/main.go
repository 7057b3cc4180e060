// Command winograd writes the assembly of package compute's Winograd transforms F(4x4,3x3) (run by go generate).
//
// A transform of a tile is two passes: one along columns of pixels, for whole rows of an image at once, and one along rows, from tile to tile. Both are the
// same one-dimensional transform of 6 (or 4) vectors into 6 (or 4), with other strides around it. Vectors run over channels.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The words of compute.winogradArgs, in bytes.
const (
	rowsAt       = 0
	nearAt       = 48
	farAt        = 56
	nearStrideAt = 64
	farStrideAt  = 72
	nearTileAt   = 80
	farTileAt    = 88
	nAt          = 96
	tilesAt      = 104
)

type vec = reg.VecVirtual

// isa is an instruction set and its vector's width in bytes.
type isa struct {
	name  string
	width int
}

func (i isa) vector() vec {
	if i.width == 64 {
		return ZMM()
	}
	return YMM()
}

// matrix is a one-dimensional transform: in vectors become out vectors. The constants are 2, 4, 5 and 8, those that it names.
type matrix struct {
	name    string
	in, out int
	consts  []float32
	body    func(i isa, x []vec, k map[float32]vec) []vec
}

func main() {
	for _, i := range []isa{{"AVX512", 64}, {"AVX2", 32}} {
		for _, m := range matrices {
			rows(i, m)
			columns(i, m)
		}
	}
	Generate()
}

var matrices = []matrix{
	{"Input", 6, 6, []float32{2, 4, 5}, func(i isa, x []vec, k map[float32]vec) []vec {
		t, u := i.minus(x[4], k[4], x[2]), i.minus(x[3], k[4], x[1])
		v, w := i.sub(x[4], x[2]), i.sub(x[3], x[1])
		first, last := i.minus(x[4], k[5], x[2]), i.minus(x[5], k[5], x[3])
		VFMADD231PS(k[4], x[0], first)
		VFMADD231PS(k[4], x[1], last)
		return []vec{first, i.add(t, u), i.sub(t, u), i.plus(v, k[2], w), i.minus(v, k[2], w), last}
	}},
	{"Grad", 4, 6, []float32{2, 4}, func(i isa, x []vec, k map[float32]vec) []vec {
		e, o := i.add(x[0], x[2]), i.add(x[1], x[3])
		e2, o2 := i.plus(x[0], k[4], x[2]), i.plus(x[1], k[4], x[3])
		return []vec{x[0], i.add(e, o), i.sub(e, o), i.plus(e2, k[2], o2), i.minus(e2, k[2], o2), x[3]}
	}},
	{"Output", 6, 4, []float32{2, 4, 8}, func(i isa, x []vec, k map[float32]vec) []vec {
		s, d := i.add(x[1], x[2]), i.sub(x[1], x[2])
		s2, d2 := i.add(x[3], x[4]), i.sub(x[3], x[4])
		first, last := i.add(x[0], s), i.add(x[5], d)
		VADDPS(s2, first, first)
		VFMADD231PS(k[8], d2, last)
		return []vec{first, i.plus(d, k[2], d2), i.plus(s, k[4], s2), last}
	}},
	{"Overlap", 6, 6, []float32{2, 4, 5}, func(i isa, x []vec, k map[float32]vec) []vec {
		s, d := i.add(x[1], x[2]), i.sub(x[1], x[2])
		s2, d2 := i.add(x[3], x[4]), i.sub(x[3], x[4])
		y4 := i.add(x[0], s)
		VADDPS(s2, y4, y4)
		y2 := i.vector()
		VMULPS(k[5], x[0], y2)
		VADDPS(s2, y2, y2)
		VFMADD231PS(k[4], s, y2)
		zero := i.zero()
		VSUBPS(y2, zero, y2)
		y3 := i.plus(d, k[2], d2)
		VFNMADD231PS(k[5], x[5], y3)
		y1 := i.sub(x[5], d)
		VMULPS(k[4], y1, y1)
		VFNMADD231PS(k[2], d2, y1)
		y0 := i.vector()
		VMULPS(k[4], x[0], y0)
		return []vec{y0, y1, y2, y3, y4, x[5]}
	}},
}

func (i isa) zero() vec {
	v := i.vector()
	if i.width == 64 {
		VPXORQ(v, v, v)
	} else {
		VXORPS(v, v, v)
	}
	return v
}

func (i isa) add(a, b vec) vec {
	v := i.vector()
	VADDPS(b, a, v)
	return v
}

func (i isa) sub(a, b vec) vec {
	v := i.vector()
	VSUBPS(b, a, v)
	return v
}

// plus is a + k*b.
func (i isa) plus(a, k, b vec) vec {
	v := i.vector()
	VMOVAPS(a, v)
	VFMADD231PS(k, b, v)
	return v
}

// minus is a - k*b.
func (i isa) minus(a, k, b vec) vec {
	v := i.vector()
	VMOVAPS(a, v)
	VFNMADD231PS(k, b, v)
	return v
}

func (i isa) constants(m matrix) map[float32]vec {
	k := map[float32]vec{}
	for _, c := range m.consts {
		r, v := GP32(), i.vector()
		MOVL(U32(math.Float32bits(c)), r)
		VMOVD(r, v.AsX())
		VBROADCASTSS(v.AsX(), v)
		k[c] = v
	}
	return k
}

// begin starts a function of the args.
func begin(name, doc string) func(at int) reg.GPVirtual {
	TEXT(name, NOSPLIT, "func(args *uint64)")
	Doc(name + " " + doc)
	Pragma("noescape")
	base := Load(Param("args"), GP64())
	return func(at int) reg.GPVirtual {
		r := GP64()
		MOVQ(Mem{Base: base, Disp: at}, r)
		return r
	}
}

// stream is n vectors at a constant stride.
type stream struct {
	base, third, stride reg.GPVirtual
}

func newStream(base, stride reg.GPVirtual) stream {
	third := GP64()
	LEAQ(Mem{Base: base, Index: stride, Scale: 2}, third)
	ADDQ(stride, third)
	return stream{base, third, stride}
}

func (s stream) at(n int) Mem {
	m := Mem{Base: s.base}
	if n >= 3 {
		m.Base = s.third
	}
	if n%3 > 0 {
		m.Index, m.Scale = s.stride, uint8(n%3)
	}
	return m
}

func (s stream) advance(by Op) {
	ADDQ(by, s.base)
	ADDQ(by, s.third)
}

// rows writes the pass between the rows of an image, each with a pointer of its own, and an intermediate form, over n vectors.
func rows(i isa, m matrix) {
	name := "winograd" + m.name + "Rows" + i.name
	arg := begin(name, "transforms columns of pixels.")
	count := m.in
	if m.name == "Output" || m.name == "Overlap" {
		count = m.out
	}
	var image []reg.GPVirtual
	for r := range count {
		image = append(image, arg(rowsAt+8*r))
	}
	near, n := newStream(arg(nearAt), arg(nearStrideAt)), arg(nAt)
	k := i.constants(m)
	Label(name + "_loop")
	x := make([]vec, m.in)
	for r := range x {
		x[r] = i.vector()
		if m.name == "Input" || m.name == "Grad" {
			VMOVUPS(Mem{Base: image[r]}, x[r])
		} else {
			VMOVUPS(near.at(r), x[r])
		}
	}
	for r, y := range m.body(i, x, k) {
		switch m.name {
		case "Input", "Grad":
			VMOVUPS(y, near.at(r))
		default:
			if m.name == "Overlap" && r < 2 {
				VADDPS(Mem{Base: image[r]}, y, y)
			}
			VMOVUPS(y, Mem{Base: image[r]})
		}
	}
	for _, r := range image {
		ADDQ(I32(i.width), r)
	}
	near.advance(I32(i.width))
	DECQ(n)
	JNZ(LabelRef(name + "_loop"))
	VZEROUPPER()
	RET()
}

// columns writes the pass between the columns of the intermediate form (near) and the points of the tiles (far). The last vector of channels comes
// first and columns go up, so that what a vector writes beyond the channels is overwritten.
func columns(i isa, m matrix) {
	name := "winograd" + m.name + "Columns" + i.name
	arg := begin(name, "transforms rows of tiles.")
	off := arg(nAt)
	SHLQ(U8(map[int]uint8{64: 6, 32: 5}[i.width]), off)
	nearStride, farStride, nearTile, farTile := arg(nearStrideAt), arg(farStrideAt), arg(nearTileAt), arg(farTileAt)
	k := i.constants(m)
	Label(name + "_vector")
	SUBQ(I32(i.width), off)
	nearBase, farBase := arg(nearAt), arg(farAt)
	ADDQ(off, nearBase)
	ADDQ(off, farBase)
	near, far := newStream(nearBase, nearStride), newStream(farBase, farStride)
	tiles := arg(tilesAt)
	var carry []vec
	switch m.name {
	case "Input":
		carry = []vec{i.vector(), i.vector()}
		VMOVUPS(near.at(0), carry[0])
		VMOVUPS(near.at(1), carry[1])
	case "Overlap":
		carry = []vec{i.zero(), i.zero()}
	}
	Label(name + "_tile")
	x := make([]vec, m.in)
	from, to := near, far
	if m.name == "Output" || m.name == "Overlap" {
		from, to = far, near
	}
	for r := range x {
		x[r] = i.vector()
		if m.name == "Input" && r < 2 {
			VMOVAPS(carry[r], x[r])
			continue
		}
		VMOVUPS(from.at(r), x[r])
		if m.name == "Input" && r >= 4 {
			VMOVAPS(x[r], carry[r-4])
		}
	}
	for r, y := range m.body(i, x, k) {
		if m.name == "Overlap" {
			if r < 2 {
				VADDPS(carry[r], y, y)
			} else if r >= 4 {
				VMOVAPS(y, carry[r-4])
				continue
			}
		}
		VMOVUPS(y, to.at(r))
	}
	near.advance(nearTile)
	far.advance(farTile)
	DECQ(tiles)
	JNZ(LabelRef(name + "_tile"))
	if m.name == "Overlap" {
		VMOVUPS(carry[0], near.at(0))
		VMOVUPS(carry[1], near.at(1))
	}
	TESTQ(off, off)
	JNZ(LabelRef(name + "_vector"))
	VZEROUPPER()
	RET()
}
