package perf

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Step is an operation of a program with its estimate.
type Step struct {
	Index      int   // among the operations
	Cost       Cost  // of a kernel
	Cycles     int64 // of the kernel, or of the transfer
	Port       int   // from which a transfer reads
	Bytes      int64 // of a transfer
	Start, End int64
	Stalled    int64 // cycles for which the kernel waits for transfers, after the kernel before it has ended
	Layer      int   // kernels that are pieces of one layer have the same number
}

// Run estimates when each operation of a program begins and ends. Kernels run one after the other; a transfer begins when the command processor reaches it, and runs
// beside kernels until a wait. The processor runs ahead by the number of kernels that the hardware holds. That transfers and kernels share memories is left out.
func (m *Machine) Run(ops []isa.Operation) []Step {
	var steps []Step
	layers := layersOf(ops)
	var now, kernelEnd, dmaEnd int64
	var kernels, transfers []int64 // ends
	wait := func(ends []int64, left int) {
		if n := len(ends); n > left {
			now = max(now, ends[n-1-left])
		}
	}
	for i := range ops {
		o := &ops[i]
		s := Step{Index: i}
		switch o.Kind {
		case isa.Stop:
			return steps
		case isa.DMAWait:
			wait(transfers, o.Wait)
			continue
		case isa.KernelWait:
			wait(kernels, o.Wait)
			continue
		case isa.DMA:
			wait(transfers, m.Target.DMAs-1)
			s.Bytes, s.Port = int64(o.DMA.Length), m.Area(o.DMA.SrcRegion)
			s.Cycles = m.transfer(o.DMA)
			s.Start = max(now, dmaEnd)
			s.End = s.Start + s.Cycles
			dmaEnd = s.End
			transfers = append(transfers, s.End)
		default:
			before := now
			wait(kernels, arch.MaxKernels-1)
			l := layers[i]
			s.Layer = l.number
			s.Cost = m.piece(o, l.first, l.last)
			s.Cycles = s.Cost.Total()
			s.Start = max(now, kernelEnd)
			s.Stalled = max(0, before-kernelEnd)
			s.End = s.Start + s.Cycles
			kernelEnd = s.End
			kernels = append(kernels, s.End)
		}
		steps = append(steps, s)
	}
	return steps
}

// transfer is the time of a DMA: the slower of reading and writing. SHRAM takes a byte a cycle.
func (m *Machine) transfer(t *isa.Transfer) int64 {
	from, to := m.Area(t.SrcRegion), m.Area(t.DstRegion)
	read := int64(float64(t.Length)/m.bandwidth(from)) + int64(m.System.Port[from].ReadLatency)
	if t.DstInternal {
		return max(read, int64(t.Length))
	}
	return max(read, int64(float64(t.Length)/m.bandwidth(to))+int64(m.System.Port[to].WriteLatency))
}

// piece is the cost of a kernel that is a part of a layer: filling the pipeline counts for the first, emptying it for the last.
func (m *Machine) piece(o *isa.Operation, first, last bool) Cost {
	k := o.Kernel
	c := Config{Block: arch.Shape{H: k.BlockH, W: k.BlockW, D: k.BlockD}}
	c.IFM = ifmBlock(m.Target, o, c.Block)
	q := newQuery(m, o, &c)
	q.first, q.last = first, last
	return q.cost()
}

// part says which piece of a layer a kernel is.
type part struct {
	number      int
	first, last bool
}

// layersOf finds kernels that belong together: slices of the output's channels that follow each other, and stripes of rows with the same weights.
func layersOf(ops []isa.Operation) map[int]part {
	parts := map[int]part{}
	lastOf := map[int]int{} // layer: its last kernel
	previous, n := -1, 0
	for i := range ops {
		o := &ops[i]
		if o.Kernel == nil {
			continue
		}
		layer := -1
		if previous >= 0 && slicesOfOne(&ops[previous], o) {
			layer = parts[previous].number
		}
		for l := n - 1; l >= 0 && layer < 0; l-- {
			if stripesOfOne(&ops[lastOf[l]], o) {
				layer = l
			}
		}
		if layer < 0 {
			layer = n
			n++
			parts[i] = part{layer, true, true}
		} else {
			p := parts[lastOf[layer]]
			p.last = false
			parts[lastOf[layer]] = p
			parts[i] = part{layer, false, true}
		}
		lastOf[layer], previous = i, i
	}
	return parts
}

func alike(a, b *isa.Operation) bool {
	x, y := a.Kernel, b.Kernel
	return a.Kind == b.Kind && x.Mode == y.Mode && x.KernelH == y.KernelH && x.KernelW == y.KernelW && x.StrideY == y.StrideY && x.StrideX == y.StrideX &&
		x.Upscale == y.Upscale && x.Activation == y.Activation && x.BlockH == y.BlockH && x.BlockW == y.BlockW && x.BlockD == y.BlockD &&
		sameKind(&x.IFM, &y.IFM) && sameKind(&x.OFM, &y.OFM) && x.HasIFM2 == y.HasIFM2 && x.HasScalar == y.HasScalar && x.OFMScale == y.OFMScale
}

// sameKind: two feature maps may be parts of one.
func sameKind(f, g *isa.FeatureMap) bool {
	return f.StrideY == g.StrideY && f.Width == g.Width && f.Zero == g.Zero && f.Region == g.Region && f.Bytes == g.Bytes && f.Brick == g.Brick
}

// slicesOfOne: the same input (of a depthwise operation: other channels of it), other channels of the output.
func slicesOfOne(a, b *isa.Operation) bool {
	x, y := a.Kernel, b.Kernel
	step := uint64(x.OFM.Depth * x.OFM.Bytes)
	if x.OFM.Brick {
		step = uint64(int64(x.OFM.Depth/brick) * x.OFM.StrideC)
	}
	return (a.Kind == isa.Conv && x.IFM.Base == y.IFM.Base || a.Kind == isa.Depthwise) && alike(a, b) && x.OFM.Height == y.OFM.Height &&
		y.OFM.Base[0] == x.OFM.Base[0]+step
}

// stripesOfOne: the same weights and channels, other rows. Without weights, the rows must follow each other, or lie in a buffer that is written round and round.
func stripesOfOne(a, b *isa.Operation) bool {
	x, y := a.Kernel, b.Kernel
	if !alike(a, b) || x.OFM.Depth != y.OFM.Depth || x.IFM.Depth != y.IFM.Depth {
		return false
	}
	next := y.OFM.Base[0] == x.OFM.Base[0]+uint64(int64(x.OFM.Height)*x.OFM.StrideY)
	if a.Kind == isa.Conv || a.Kind == isa.Depthwise {
		return x.Weights == y.Weights && x.Scales == y.Scales && (next || x.OFM.Base != y.OFM.Base || x.OFM.Height < x.OFM.Height0)
	}
	return x.OFM.Width > 1 && x.IFM.Base != y.IFM.Base && y.IFM.Base[0] != x.OFM.Base[0] && (next || x.OFM.Base[2] != 0)
}
