package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lane is one vector of a row, for which a body is written.
type lane struct {
	*block
	u int
}

type vec = reg.VecVirtual

// load reads operand i.
func (l *lane) load(i int) vec { return l.read(l.ptr[i], l.u) }

func (l *lane) store(i int, v vec) { l.put(v, l.ptr[i], l.u) }

// par is parameter i.
func (l *lane) par(i int) vec {
	if l.param[i] != nil {
		return l.param[i][l.u]
	}
	return l.read(l.paramPtr[i], l.u)
}

// from3 makes a function of the instruction that takes two sources: f(a, b) is a OP b.
func (l *lane) from3(instruction func(...Op)) func(a, b vec) vec {
	return func(a, b vec) vec {
		v := l.vector()
		instruction(b, a, v)
		return v
	}
}

func (l *lane) add(a, b vec) vec { return l.from3(VADDPS)(a, b) }
func (l *lane) sub(a, b vec) vec { return l.from3(VSUBPS)(a, b) }
func (l *lane) mul(a, b vec) vec { return l.from3(VMULPS)(a, b) }
func (l *lane) div(a, b vec) vec { return l.from3(VDIVPS)(a, b) }

// max and min return b where a value is NaN.
func (l *lane) max(a, b vec) vec { return l.from3(VMAXPS)(a, b) }
func (l *lane) min(a, b vec) vec { return l.from3(VMINPS)(a, b) }

// clamp is min(max(x, lo), hi), and NaN for NaN.
func (l *lane) clamp(x, lo, hi vec) vec { return l.min(hi, l.max(lo, x)) }

func (l *lane) sqrt(a vec) vec {
	v := l.vector()
	VSQRTPS(a, v)
	return v
}

func (l *lane) floor(a vec) vec {
	v := l.vector()
	if l.wide() {
		VRNDSCALEPS(Imm(1), a, v)
	} else {
		VROUNDPS(Imm(1), a, v)
	}
	return v
}

// accumulate adds v to sum i.
func (l *lane) accumulate(i int, v vec) {
	s := l.sum[i][l.u]
	VADDPS(v, s, s)
}

// Predicates of comparisons. Those whose name begins with not are true for NaN.
const (
	equalTo      = 0
	unordered    = 3
	notLess      = 5
	notLessEqual = 6
	notGrEqual   = 9
	notGreater   = 10
)

// bits is the result of a comparison: a mask register or a vector of ones and zeros.
type bits = reg.Register

// compare is a PREDICATE b.
func (l *lane) compare(predicate int, a, b vec) bits {
	var to reg.Register = YMM()
	if l.wide() {
		to = K()
	}
	VCMPPS(Imm(uint64(predicate)), b, a, to)
	return to
}

// both is where two comparisons hold.
func (l *lane) both(a, b bits) bits {
	if l.wide() {
		k := K()
		KANDW(a, b, k)
		return k
	}
	v := YMM()
	VANDPS(a, b, v)
	return v
}

// keep is v where the bits are set, else 0.
func (l *lane) keep(v vec, where bits) vec {
	out := l.vector()
	if l.wide() {
		VMOVAPS_Z(v, where, out)
	} else {
		VANDPS(v, where, out)
	}
	return out
}

// choose changes old to v where the bits are set.
func (l *lane) choose(old, v vec, where bits) {
	if l.wide() {
		VMOVAPS(v, where, old)
	} else {
		VBLENDVPS(where, v, old, old)
	}
}

// integers is a vector of an integer in every lane.
func (l *loop) integers(n int) vec {
	v := l.vector()
	if n == 0 {
		if l.wide() {
			VPXORD(v, v, v)
		} else {
			VPXOR(v, v, v)
		}
		return v
	}
	r, x := GP32(), XMM()
	MOVL(U32(uint32(n)), r)
	if l.wide() {
		VPBROADCASTD(r, v)
		return v
	}
	MOVD(r, x)
	VPBROADCASTD(x, v)
	return v
}

// equal compares integers.
func (l *lane) equal(a, b vec) bits {
	if l.wide() {
		k := K()
		VPCMPEQD(a, b, k)
		return k
	}
	v := YMM()
	VPCMPEQD(a, b, v)
	return v
}

// loadBytes reads the operand of bytes as integers.
func (l *lane) loadBytes() vec {
	v, m := l.vector(), Mem{Base: l.ptr[maxOps-1], Disp: l.u * l.lanes()}
	switch {
	case l.wide() && l.masked():
		VPMOVZXBD_Z(m, l.k, v)
	case !l.masked():
		VPMOVZXBD(m, v)
	default: // byte by byte, from the last
		word, i, b, x := GP64(), GP64(), GP64(), XMM()
		XORQ(word, word)
		MOVQ(l.rest, i)
		next := fmt.Sprintf("%s_bytes%d", l.label, l.u)
		Label(next)
		SHLQ(Imm(8), word)
		MOVBQZX(Mem{Base: m.Base, Index: i, Scale: 1, Disp: -1}, b)
		ORQ(b, word)
		DECQ(i)
		JNZ(LabelRef(next))
		MOVQ(word, x)
		VPMOVZXBD(x, v)
	}
	return v
}

// storeBytes writes integers below 256 to the operand of bytes.
func (l *lane) storeBytes(v vec) {
	m := Mem{Base: l.ptr[maxOps-1], Disp: l.u * l.lanes()}
	if l.wide() {
		if l.masked() {
			VPMOVDB(v, l.k, m)
		} else {
			VPMOVDB(v, m)
		}
		return
	}
	high, low := XMM(), XMM()
	VEXTRACTI128(Imm(1), v, high)
	VPACKUSDW(high, v.AsX(), low)
	VPACKUSWB(low, low, low)
	if !l.masked() {
		VMOVQ(low, m)
		return
	}
	word, i := GP64(), GP64()
	VMOVQ(low, word)
	XORQ(i, i)
	next := fmt.Sprintf("%s_pack%d", l.label, l.u)
	Label(next)
	MOVB(word.As8(), Mem{Base: m.Base, Index: i, Scale: 1})
	SHRQ(Imm(8), word)
	INCQ(i)
	CMPQ(i, l.rest)
	JL(LabelRef(next))
}

// larger is the larger of unsigned integers.
func (l *lane) larger(a, b vec) vec {
	v := l.vector()
	VPMAXUD(a, b, v)
	return v
}

// flip changes the bits of v that are set in b.
func (l *lane) flip(v, b vec) {
	if l.wide() {
		VPXORD(b, v, v)
	} else {
		VPXOR(b, v, v)
	}
}

// foldBits flips the lower bits of integers where those n places above are set.
func (l *lane) foldBits(v vec, n int) {
	t := l.vector()
	VPSRLD(Imm(uint64(n)), v, t)
	l.flip(v, t)
}
