package sim

import (
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// DefaultLimit is the work that a run may take unless the machine says otherwise, in multiply-accumulates and element accesses: some minutes.
const DefaultLimit = 1 << 37

// maxElements bounds a feature map or a window's input.
const maxElements = 1 << 26

// Machine is an NPU and its memory. It is not safe for concurrent use.
type Machine struct {
	Target  arch.Target
	Regions [8][]byte // memory that programs may touch; nil for a region that is not there. Two regions may share memory
	Limit   int64     // of a run's work; 0 is DefaultLimit

	shram   []byte
	left    int64
	weights cache
	in, out []int32 // scratch
	offsets []int64
}

// New makes a machine without memory.
func New(t arch.Target) *Machine { return &Machine{Target: t} }

// Run executes operations in order up to STOP. It always ends: with an error where an operation touches memory outside its region, has a weight stream that
// cannot be decoded, means something that is not known, or where the work is beyond the limit. The error names command and operation.
func (m *Machine) Run(ops []isa.Operation) error {
	m.left = m.Limit
	if m.left == 0 {
		m.left = DefaultLimit
	}
	if m.shram == nil {
		m.shram = make([]byte, m.Target.Banks*arch.BankSize)
	}
	for i := range ops {
		o := &ops[i]
		var err error
		switch o.Kind {
		case isa.DMA:
			err = m.transfer(o.DMA)
		case isa.Conv, isa.Depthwise:
			err = m.conv(o.Kind, o.Kernel)
		case isa.Pool:
			err = m.pool(o.Kernel)
		case isa.Elementwise:
			err = m.elementwise(o.Kernel)
		case isa.Stop:
			return nil
		}
		if err != nil {
			return fmt.Errorf("command %d, operation %d (%s): %w", o.Command, i, o.Kind, err)
		}
		if o.Kernel != nil && o.Kernel.Activation < isa.Table0 && m.Target.EndBanks() == 0 {
			m.spoilTables()
		}
	}
	return fmt.Errorf("the program does not end with NPU_OP_STOP")
}

// spoilTables is what accumulators do to tables on targets that keep no banks for them.
func (m *Machine) spoilTables() {
	at := m.shram[m.Target.LUTStart():]
	for i := range at {
		at[i] = 0xa5
	}
}

// charge takes work from the limit.
func (m *Machine) charge(n int64) error {
	if n < 0 || n > m.left {
		return fmt.Errorf("the program needs more work than the limit allows (%d to go)", m.left)
	}
	m.left -= n
	return nil
}

// memory is a piece of a region.
func (m *Machine) memory(region int, at, length uint64, what string) ([]byte, error) {
	r := m.Regions[region]
	if at > uint64(len(r)) || length > uint64(len(r))-at {
		return nil, fmt.Errorf("%s, %d bytes at 0x%x of region %d, is outside the region of %d bytes", what, length, at, region, len(r))
	}
	return r[at : at+length], nil
}

// transfer is a DMA.
func (m *Machine) transfer(t *isa.Transfer) error {
	if t.Strided {
		return fmt.Errorf("DMA in two or three dimensions is not supported")
	}
	side := func(region int, internal bool, at uint64, what string) ([]byte, error) {
		if !internal {
			return m.memory(region, at, t.Length, what)
		}
		if at > uint64(len(m.shram)) || t.Length > uint64(len(m.shram))-at {
			return nil, fmt.Errorf("%s, %d bytes at 0x%x, is outside the SHRAM of %d bytes", what, t.Length, at, len(m.shram))
		}
		return m.shram[at : at+t.Length], nil
	}
	src, err := side(t.SrcRegion, t.SrcInternal, t.Src, "DMA source")
	if err != nil {
		return err
	}
	dst, err := side(t.DstRegion, t.DstInternal, t.Dst, "DMA destination")
	if err != nil {
		return err
	}
	if err := m.charge(int64(t.Length) / 8); err != nil {
		return err
	}
	copy(dst, src)
	return nil
}
