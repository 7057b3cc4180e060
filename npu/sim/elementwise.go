package sim

import (
	"fmt"
	"math/bits"

	"github.com/temper-ml/temper/npu/isa"
)

// elementwise is ELEMENTWISE.
func (m *Machine) elementwise(k *isa.Kernel) error {
	if k.Mode > isa.SHL {
		return fmt.Errorf("element-wise mode %d is not known", k.Mode)
	}
	if k.IFM.Depth != k.OFM.Depth {
		return fmt.Errorf("element-wise operation from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
	}
	if err := m.check(&k.OFM, "the output"); err != nil {
		return err
	}
	if err := m.check(&k.IFM, "the input"); err != nil {
		return err
	}
	o, err := m.output(k)
	if err != nil {
		return err
	}
	f, err := function(k)
	if err != nil {
		return err
	}
	m.in = m.flat(&k.IFM, m.in)
	b, at, err := m.second(k)
	if err != nil {
		return err
	}
	m.out = grow(m.out, len(m.in))
	i := 0
	for y := range k.OFM.Height {
		for x := range k.OFM.Width {
			for c := range k.OFM.Depth {
				u, v := int64(m.in[i]), int64(b[at(y, x, c)])
				if k.Reversed {
					u, v = v, u
				}
				m.out[i] = o.apply(f(u, v))
				i++
			}
		}
	}
	m.store(&k.OFM, m.out)
	return nil
}

// second is the second operand and where its elements are.
func (m *Machine) second(k *isa.Kernel) ([]int32, func(y, x, c int) int, error) {
	f := &k.IFM2
	switch {
	case k.HasScalar:
		return []int32{k.Scalar - zeroOf(f)}, func(int, int, int) int { return 0 }, nil
	case !k.HasIFM2:
		return []int32{0}, func(int, int, int) int { return 0 }, nil
	}
	if err := m.check(f, "the second input"); err != nil {
		return nil, nil, err
	}
	b := m.flat(f, nil)
	step := func(n, d int) int {
		if n == 1 {
			return 0
		}
		return d
	}
	sy, sx, sc := step(f.Height, f.Width*f.Depth), step(f.Width, f.Depth), step(f.Depth, 1)
	return b, func(y, x, c int) int { return y*sy + x*sx + c*sc }, nil
}

// function is the arithmetic of an element-wise mode on operands without zero points, scaled for the output.
func function(k *isa.Kernel) (func(a, b int64) int64, error) {
	scale := k.OFMScale
	rounding := k.OFMRounding
	wide := k.IFM.Bytes == 4 || k.OFM.Bytes == 4 || (k.HasIFM2 || k.HasScalar) && k.IFM2.Bytes == 4
	switch k.Mode {
	case isa.Mul:
		if wide {
			scale.Scale = 1 // 32-bit products are shifted only
		}
		return func(a, b int64) int64 { return rescale(a*b, scale, rounding) }, nil
	case isa.Add, isa.Sub:
		return addition(k)
	case isa.Min:
		return func(a, b int64) int64 { return min(a, b) }, nil
	case isa.Max:
		return func(a, b int64) int64 { return max(a, b) }, nil
	case isa.LRelu:
		return func(a, _ int64) int64 {
			if a < 0 {
				return rescale(a, scale, rounding)
			}
			return a
		}, nil
	case isa.Abs:
		return func(a, _ int64) int64 { return rescale(int64(magnitude(a)), scale, rounding) }, nil
	}
	return shifts(k)
}

// shifts are the modes for 32-bit values only.
func shifts(k *isa.Kernel) (func(a, b int64) int64, error) {
	if k.IFM.Bytes != 4 {
		return nil, fmt.Errorf("element-wise mode %d of %d-bit values", k.Mode, 8*k.IFM.Bytes)
	}
	switch k.Mode {
	case isa.CLZ:
		return func(a, _ int64) int64 { return int64(bits.LeadingZeros32(uint32(a))) }, nil
	case isa.SHL:
		return func(a, b int64) int64 {
			if b < 0 || b > 31 {
				return 0
			}
			return int64(int32(a << b))
		}, nil
	}
	half := k.OFMRounding == isa.RoundNatural
	return func(a, b int64) int64 {
		b = min(max(b, 0), 63)
		if half && b > 0 {
			return (a + 1<<(b-1)) >> b
		}
		return a >> b
	}, nil
}

// addition is ADD and SUB. In the modes OPA_32 and OPB_32 one operand is brought to the scale of the other, which is a step of 2^19 (8 bits) or 2^14 (16 bits).
func addition(k *isa.Kernel) (func(a, b int64) int64, error) {
	sign := int64(1)
	if k.Mode == isa.Sub {
		sign = -1
	}
	a16, b16, out := int64(k.OPAScale.Scale), int64(k.OPBScale.Scale&0xffff), k.OFMScale
	if k.ScaleMode == isa.OPAOPB16 {
		return func(a, b int64) int64 { return rescale(a*a16+sign*b*b16, out, k.OFMRounding) }, nil
	}
	shift := 20
	if k.IFM.Bytes == 2 {
		shift = 15
	}
	if k.IFM.Bytes > 2 || k.ScaleMode > isa.OPB32 {
		return nil, fmt.Errorf("operand scale mode %d of %d-bit values", k.ScaleMode, 8*k.IFM.Bytes)
	}
	own := isa.Scale{Scale: k.OPAScale.Scale, Shift: min(k.OPAScale.Shift+shift, 63)}
	scaled := func(v int64) int64 { return rescale(v<<shift, own, k.IFMRounding) }
	if k.ScaleMode == isa.OPA32 {
		return func(a, b int64) int64 { return rescale(scaled(a)+sign*b<<(shift-1), out, k.OFMRounding) }, nil
	}
	return func(a, b int64) int64 { return rescale(a<<(shift-1)+sign*scaled(b), out, k.OFMRounding) }, nil
}
