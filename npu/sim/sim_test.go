package sim

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// TestRescale: DBL is TensorFlow Lite's double rounding, and products beyond 64 bits are exact.
func TestRescale(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		v := int32(r.Uint32()) >> r.IntN(31)
		m := int32(1<<30 + r.IntN(1<<30))
		shift := r.IntN(32)
		want := quant.MultiplyByQuantizedMultiplier(v, m, -shift)
		if got := rescale(int64(v), isa.Scale{Scale: uint32(m), Shift: 31 + shift}, isa.RoundDouble); got != int64(want) {
			t.Fatalf("%d * %d >> %d is %d, want %d", v, m, 31+shift, got, want)
		}
	}
	for range 20000 {
		v := int64(r.Uint64()) >> (23 + r.IntN(34))
		s := isa.Scale{Scale: r.Uint32(), Shift: r.IntN(64)}
		product := new(big.Int).Mul(big.NewInt(v), new(big.Int).SetUint64(uint64(s.Scale)))
		half := new(big.Int)
		if s.Shift > 0 {
			half.Lsh(big.NewInt(1), uint(s.Shift-1))
		}
		natural := new(big.Int).Rsh(new(big.Int).Add(product, half), uint(s.Shift))
		truncated := new(big.Int).Quo(product, new(big.Int).Lsh(big.NewInt(1), uint(s.Shift)))
		for rounding, want := range map[int]*big.Int{isa.RoundNatural: natural, isa.RoundTruncate: truncated} {
			if got := rescale(v, s, rounding); want.IsInt64() && got != want.Int64() {
				t.Fatalf("%d * %d >> %d, rounding %d, is %d, want %d", v, s.Scale, s.Shift, rounding, got, want)
			}
		}
	}
}

// add is a program that adds a constant to 4x4x8 bytes, from 0 to 128 of region 1.
func add() []isa.Command {
	set := func(op isa.Op, p uint16) isa.Command { return isa.Command{Op: op, Param: p} }
	at := isa.WithAddress
	var list []isa.Command
	for _, f := range [][14]isa.Op{
		{isa.SET_IFM_REGION, isa.SET_IFM_BASE0, isa.SET_IFM_BASE1, isa.SET_IFM_BASE2, isa.SET_IFM_BASE3,
			isa.SET_IFM_HEIGHT0_M1, isa.SET_IFM_HEIGHT1_M1, isa.SET_IFM_WIDTH0_M1,
			isa.SET_IFM_DEPTH_M1, isa.SET_IFM_STRIDE_Y, isa.SET_IFM_STRIDE_X, isa.SET_IFM_STRIDE_C, isa.SET_IFM_ZERO_POINT, isa.SET_IFM_PRECISION},
		{isa.SET_OFM_REGION, isa.SET_OFM_BASE0, isa.SET_OFM_BASE1, isa.SET_OFM_BASE2, isa.SET_OFM_BASE3,
			isa.SET_OFM_HEIGHT0_M1, isa.SET_OFM_HEIGHT1_M1, isa.SET_OFM_WIDTH0_M1,
			isa.SET_OFM_DEPTH_M1, isa.SET_OFM_STRIDE_Y, isa.SET_OFM_STRIDE_X, isa.SET_OFM_STRIDE_C, isa.SET_OFM_ZERO_POINT, isa.SET_OFM_PRECISION},
	} {
		base := int64(0)
		if f[0] == isa.SET_OFM_REGION {
			base = 128
		}
		list = append(list, set(f[0], 1), at(f[1], base), at(f[2], 0), at(f[3], 0), at(f[4], 0), set(f[5], 3), set(f[6], 3), set(f[7], 3), set(f[8], 7),
			at(f[9], 32), at(f[10], 8), at(f[11], 1), set(f[12], 0), set(f[13], 1))
	}
	return append(list, set(isa.SET_OFM_HEIGHT_M1, 3), set(isa.SET_OFM_WIDTH_M1, 3), set(isa.SET_OFM_BLK_HEIGHT, 3), set(isa.SET_OFM_BLK_WIDTH, 3),
		set(isa.SET_OFM_BLK_DEPTH, 7),
		set(isa.SET_IFM2_BROADCAST, 1<<7), set(isa.SET_IFM2_SCALAR, 5), set(isa.SET_IFM2_PRECISION, 1), set(isa.SET_IFM2_ZERO_POINT, 0),
		at(isa.SET_OPA_SCALE, 1), at(isa.SET_OPB_SCALE, 1), at(isa.SET_OFM_SCALE, 1), set(isa.SET_ACTIVATION, 0),
		set(isa.SET_ACTIVATION_MIN, 0xff80), set(isa.SET_ACTIVATION_MAX, 127),
		set(isa.SET_ACC_FORMAT, 0), set(isa.SET_BLOCKDEP, 0), set(isa.SET_IFM_IB_END, 22), set(isa.SET_AB_START, 22),
		set(isa.OP_ELEMENTWISE, isa.Add), set(isa.OP_STOP, 0xffff))
}

func target(t testing.TB, name string) arch.Target {
	a, err := arch.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestProgram runs a program made by hand, and variants that must fail.
func TestProgram(t *testing.T) {
	m := New(target(t, "ethos-u55-128"))
	m.Regions[1] = make([]byte, 256)
	for i := range 128 {
		m.Regions[1][i] = byte(i)
	}
	ops := isa.Operations(add())
	if err := m.Run(ops); err != nil {
		t.Fatal(err)
	}
	for i := range 128 {
		if got, want := int8(m.Regions[1][128+i]), min(i+5, 127); int(got) != want {
			t.Fatalf("element %d is %d, want %d", i, got, want)
		}
	}
	var mem Memory
	for i := range mem.Regions {
		mem.Regions[i].Same = i
	}
	mem.Regions[1] = Region{Size: 256, Same: 1, Inputs: []isa.Span{{Base: 0, Length: 128}}}
	mem.Outputs = []Piece{{Region: 1, Span: isa.Span{Base: 128, Length: 128}}}
	for _, f := range append(Lint(m.Target, ops), Hazards(m.Target, ops, mem)...) {
		t.Error(f)
	}
	mem.Regions[1].Inputs = nil
	if f := Hazards(m.Target, ops, mem); len(f) != 1 || f[0].Rule != "uninitialized" {
		t.Errorf("an input that is not there: %v", f)
	}

	m.Regions[1] = make([]byte, 255)
	if err := m.Run(ops); err == nil || !strings.Contains(err.Error(), "the output reaches from 128 to 256 in region 1 of 255 bytes") {
		t.Errorf("outside of the region: %v", err)
	}
	m.Regions[1] = make([]byte, 256)
	m.Limit = 100
	if err := m.Run(ops); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("beyond the limit: %v", err)
	}
	if err := m.Run(ops[:1]); err == nil {
		t.Error("a program without STOP ends without an error")
	}
	if f := Lint(m.Target, ops[:1]); len(f) != 1 || f[0].Rule != "stop" {
		t.Errorf("no STOP: %v", f)
	}
}

// TestInterpolation: 16-bit tables have base and slope.
func TestInterpolation(t *testing.T) {
	m := New(target(t, "ethos-u55-128"))
	m.shram = make([]byte, m.Target.Banks*arch.BankSize)
	at := m.shram[m.Target.LUTStart():]
	for i := range 512 { // the function is v/2
		base := (i*128 - 32768) / 2
		at[4*i], at[4*i+1], at[4*i+2] = byte(base), byte(base>>8), 64
	}
	k := &isa.Kernel{OFM: isa.FeatureMap{Bytes: 2, Signed: true}, Activation: isa.Table0, Min: -32768, Max: 32767}
	o, err := m.output(k)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []int64{-32768, -2, 0, 2, 1000, 32766} {
		if got := o.apply(v); int64(got) != v/2 {
			t.Errorf("%d becomes %d", v, got)
		}
	}
}

// FuzzRun: any program ends, stays within its memory, and can be checked.
func FuzzRun(f *testing.F) {
	f.Add(isa.Encode(add()), uint8(2))
	conv := add()
	conv[len(conv)-2] = isa.Command{Op: isa.OP_CONV}
	f.Add(isa.Encode(conv), uint8(0))
	conv[len(conv)-2] = isa.Command{Op: isa.OP_POOL, Param: 1}
	f.Add(isa.Encode(conv), uint8(5))
	f.Fuzz(func(t *testing.T, stream []byte, which uint8) {
		list, err := isa.Decode(stream)
		if err != nil || len(list) > 200 {
			return
		}
		ops := isa.Operations(list)
		m := New(target(t, arch.Targets()[int(which)%len(arch.Targets())]))
		m.Limit = 1 << 20
		guard := make([]byte, 4096)
		m.Regions[0], m.Regions[1] = guard[64:1064:1064], guard[1128:3128:3128]
		m.Regions[2] = m.Regions[1]
		_ = m.Run(ops) // whatever comes out, it comes
		for i, b := range guard {
			if b != 0 && (i < 64 || i >= 1064 && i < 1128 || i >= 3128) {
				t.Fatalf("byte %d outside of the regions was written", i)
			}
		}
		mem := Memory{Limit: 1 << 20}
		for i := range mem.Regions {
			mem.Regions[i] = Region{Size: len(m.Regions[i]), Same: i}
		}
		mem.Regions[2].Same = 1
		for _, x := range append(Lint(m.Target, ops), Hazards(m.Target, ops, mem)...) {
			if x.String() == "" {
				t.Fatal("a finding without a text")
			}
		}
	})
}
