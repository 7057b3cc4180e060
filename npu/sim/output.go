package sim

import (
	"encoding/binary"
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// output is what happens to results after they are scaled: zero point, limits, a table.
type output struct {
	zero, lo, hi int64
	raw          bool // stored as they are: 32-bit results without a clip range
	bytes        int
	table        []byte
	first        int32 // value of the table's first entry
}

func (m *Machine) output(k *isa.Kernel) (*output, error) {
	f := &k.OFM
	o := &output{zero: int64(f.Zero), bytes: f.Bytes}
	bytes, signed := f.Bytes, f.Signed
	switch k.Clip {
	case isa.ClipOFM:
		o.raw = f.Bytes == 4
	case isa.ClipUint8:
		bytes, signed = 1, false
	case isa.ClipInt8:
		bytes, signed = 1, true
	case isa.ClipInt16:
		bytes, signed = 2, true
	default:
		return nil, fmt.Errorf("activation clip range %d is not known", k.Clip)
	}
	lo, hi := limits(bytes, signed)
	o.first = lo
	o.lo, o.hi = int64(max(lo, k.Min)), int64(min(hi, k.Max))
	switch {
	case k.Activation == isa.Relu:
		return o, nil
	case k.Activation < isa.Table0 || k.Activation >= isa.Table0+arch.LUTSlots:
		return nil, fmt.Errorf("activation function %d is not supported: built-in TANH and SIGMOID are not known exactly", k.Activation)
	case o.raw:
		return nil, fmt.Errorf("a table for 32-bit results needs a clip range")
	}
	size := 256 * f.Bytes
	if f.Bytes == 2 {
		size = 2048
	}
	if bytes == 2 != (f.Bytes == 2) {
		return nil, fmt.Errorf("a table from %d-bit to %d-bit values is not supported", 8*bytes, 8*f.Bytes)
	}
	at := m.Target.LUTStart() + (k.Activation-isa.Table0)*arch.LUTSlot
	if at+size > len(m.shram) {
		return nil, fmt.Errorf("table %d of %d bytes reaches beyond the tables' banks", k.Activation-isa.Table0, size)
	}
	o.table = m.shram[at : at+size]
	return o, nil
}

// apply turns a scaled result into what is stored.
func (o *output) apply(v int64) int32 {
	if o.raw {
		return int32(v)
	}
	q := int32(min(max(v+o.zero, o.lo), o.hi))
	if o.table == nil {
		return q
	}
	switch i := int(q - o.first); o.bytes {
	case 1:
		return int32(o.table[i&0xff])
	case 2: // 512 entries of base and slope; the low 7 bits interpolate
		e := binary.LittleEndian.Uint32(o.table[i>>7&511*4:])
		base, slope := int32(int16(e)), int32(int16(e>>16))
		return base + (slope*int32(i&127)+64)>>7
	default:
		return int32(binary.LittleEndian.Uint32(o.table[i&0xff*4:]))
	}
}
