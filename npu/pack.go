package npu

import (
	"fmt"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/mlw"
)

// pool of constants: what a file's region 0 holds, the same bytes once.
type constants struct {
	data []byte
	at   map[string]int
}

// put returns where the bytes are, a multiple of 16.
func (c *constants) put(b []byte) int {
	if c.at == nil {
		c.at = map[string]int{}
	}
	if at, ok := c.at[string(b)]; ok {
		return at
	}
	at := len(c.data)
	c.at[string(b)] = at
	c.data = append(c.data, b...)
	for len(c.data)%16 != 0 {
		c.data = append(c.data, 0)
	}
	return at
}

// pack puts the weights and factors of a step among the constants, for each core: every Cores-th channel.
func (c *constants) pack(t arch.Target, s *step) error {
	k := &s.k
	l := mlw.Layout{OC: s.ofm.c, KH: (k.KernelH-1)/k.DilationY + 1, KW: (k.KernelW-1)/k.DilationX + 1, IC: s.ifm.c, PartKernel: k.PartKernel, IFMBits: 8 * s.ifm.bytes,
		BlockDepth: k.BlockD, MicroDepth: t.OFMBlock.D, IFMDepth: t.IFMDepth, DilationY: k.DilationY, DilationX: k.DilationX, Cores: t.Cores}
	if s.kind == isa.Depthwise {
		l.Depthwise, l.PartKernel, l.IC = true, false, 1
	}
	for core := range t.Cores {
		if core >= s.ofm.c {
			continue
		}
		var records []byte
		var err error
		for o := core; o < s.ofm.c; o += t.Cores {
			r := s.records[o]
			if records, err = mlw.AppendRecord(records, mlw.Record{Bias: r.bias, Scale: r.scale.Scale, Shift: r.scale.Shift}); err != nil {
				return fmt.Errorf("channel %d: %w", o, err)
			}
		}
		for len(records)%16 != 0 {
			records = append(records, 0)
		}
		l.Core = core
		n, err := l.Count()
		if err != nil {
			return err
		}
		ordered := make([]int16, 0, n)
		if err := l.Each(func(i int) {
			w := int16(0)
			if i >= 0 {
				w = s.weights[i]
			}
			ordered = append(ordered, w)
		}); err != nil {
			return err
		}
		stream, err := mlw.Encode(ordered)
		if err != nil {
			return err
		}
		s.weightSize += len(stream)
		s.padded += n
		k.Scales[core] = isa.Span{Base: uint64(c.put(records)), Length: uint64(len(records))}
		k.Weights[core] = isa.Span{Base: uint64(c.put(stream)), Length: uint64(len(stream))}
	}
	return nil
}
