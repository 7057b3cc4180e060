package perf

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/mlw"
)

// Weights are the bytes of a layer's weights.
type Weights struct {
	Original int `json:"original"` // a byte a weight
	Padded   int `json:"padded"`   // with the zeros that fill up blocks and micro-blocks
	Encoded  int `json:"encoded"`  // streams in flash
	Entropy  int `json:"entropy"`  // estimated bound: what the frequencies of the values alone allow, of the original weights
	Scales   int `json:"scales"`   // bias and scale records
}

func (w *Weights) add(v Weights) {
	w.Original += v.Original
	w.Padded += v.Padded
	w.Encoded += v.Encoded
	w.Entropy += v.Entropy
	w.Scales += v.Scales
}

// weightsOf decodes a kernel's weights. before are the operations before it, by which transfers are followed back to the constants.
func weightsOf(t arch.Target, before []isa.Operation, o *isa.Operation, constants []byte) (Weights, error) {
	k := o.Kernel
	l := mlw.Layout{OC: k.OFM.Depth, KH: (k.KernelH-1)/k.DilationY + 1, KW: (k.KernelW-1)/k.DilationX + 1, IC: k.IFM.Depth, PartKernel: k.PartKernel,
		IFMBits: 8 * k.IFM.Bytes, BlockDepth: k.BlockD, MicroDepth: t.OFMBlock.D, IFMDepth: t.IFMDepth, DilationY: k.DilationY, DilationX: k.DilationX, Cores: k.Cores}
	if k.Decompose4x4 {
		l.SubKernelH, l.SubKernelW = 4, 4
	}
	if o.Kind == isa.Depthwise {
		l.Depthwise, l.PartKernel, l.IC = true, false, 1
	}
	w := Weights{Original: l.OC * l.KH * l.KW * l.IC}
	count := map[int16]int{}
	for core := 0; core < k.Cores && core < l.OC; core++ {
		w.Encoded += int(k.Weights[core].Length)
		w.Scales += int(k.Scales[core].Length)
		stream, err := source(before, k.WeightRegion, k.Weights[core], constants)
		if err != nil {
			return w, err
		}
		l.Core = core
		n, err := l.Count()
		if err != nil {
			return w, err
		}
		values, err := mlw.Decode(stream, n)
		if err != nil {
			return w, fmt.Errorf("weights of core %d: %w", core, err)
		}
		w.Padded += len(values)
		i := 0
		if err := l.Each(func(at int) {
			if at >= 0 && i < len(values) {
				count[values[i]]++
			}
			i++
		}); err != nil {
			return w, err
		}
	}
	total := 0
	for _, n := range count {
		total += n
	}
	bits := 0.0
	for _, n := range count {
		bits -= float64(n) * math.Log2(float64(n)/float64(total))
	}
	w.Entropy = int(math.Ceil(bits / 8))
	return w, nil
}

// source finds bytes in the constants: where they are, or where the last transfer to them came from.
func source(before []isa.Operation, region int, s isa.Span, constants []byte) ([]byte, error) {
	at := s.Base
	for i := len(before) - 1; i >= 0 && region != 0; i-- {
		if d := before[i].DMA; d != nil && !d.DstInternal && d.DstRegion == region && d.Dst <= at && at+s.Length <= d.Dst+d.Length {
			at, region = at-d.Dst+d.Src, d.SrcRegion
		}
	}
	if region != 0 || at > uint64(len(constants)) || s.Length > uint64(len(constants))-at {
		return nil, fmt.Errorf("bytes %d to %d of region %d do not come from the %d bytes of constants", s.Base, s.Base+s.Length, region, len(constants))
	}
	return constants[at : at+s.Length], nil
}
