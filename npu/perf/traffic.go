package perf

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// brick is the number of channels that one brick holds.
const brick = 16

// stored are the elements of a feature map of f's size in the format of g: bricks are always whole.
func stored(f, g *isa.FeatureMap) int64 {
	d := f.Depth
	if g.Brick {
		d = roundUp(d, brick)
	}
	return int64(f.Height) * int64(f.Width) * int64(d)
}

// moved are the bytes that a transfer of so many bytes occupies a memory for: bursts shorter than the memory's are as slow as whole ones.
func (q *query) moved(f *isa.FeatureMap, block arch.Shape, read bool, bytes int64) int64 {
	wide := block.W * block.D * f.Bytes // a block's row, if its channels are all there are
	burst := 0
	cores := q.m.Target.Cores
	switch {
	case f.Brick && f.Width*f.Bytes*brick == block.D:
		burst = wide
	case f.Brick && read:
		burst = brick * f.Bytes * block.W
	case f.Brick:
		burst = brick * f.Bytes * block.W * cores
	case f.Depth*f.Bytes == block.D && (read || block.D <= brick):
		burst = wide
	case read:
		burst = block.D * f.Bytes
	default:
		burst = min(64, brick*f.Bytes*cores, block.D*f.Bytes)
	}
	full := q.m.System.Port[q.m.Area(f.Region)].Burst
	return bytes * int64(full) / int64(max(1, min(full, burst)))
}

// blockTransfer is the time to move a block, as far as it is in the feature map.
func (q *query) blockTransfer(f *isa.FeatureMap, block arch.Shape, read bool) int64 {
	port := q.m.Area(f.Region)
	latency := q.m.System.Port[port].WriteLatency
	if read {
		latency = q.m.System.Port[port].ReadLatency
	}
	bytes := volume(clip(block, f)) * int64(f.Bytes)
	return int64(latency) + int64(float64(q.moved(f, block, read, bytes))/q.m.bandwidth(port))
}

// operands are what an element-wise operation reads. A single element is read once, if it has more than eight bits; the second of two not at all.
func (q *query) operands(b *Bytes) {
	k := q.k
	single := func(f *isa.FeatureMap) bool { return f.Height*f.Width*f.Depth == 1 }
	read := func(f *isa.FeatureMap) int64 {
		elements := stored(&k.OFM, &k.IFM)
		if single(f) {
			if elements = stored(f, &k.IFM); f.Bytes == 1 {
				return 0
			}
		}
		return q.moved(f, q.ifm0, true, elements*int64(f.Bytes))
	}
	b.IFM = read(&k.IFM)
	if k.HasIFM2 && (!single(&k.IFM) || b.IFM == 0) {
		b.IFM2 = read(&k.IFM2)
	}
}

// traffic estimates what the operation moves, and each memory's time for it.
func (q *query) traffic(c *Cost) {
	k, b := q.k, &c.Bytes
	if q.o.Kind == isa.Elementwise {
		q.operands(b)
	} else {
		depth := k.IFM.Depth
		if k.IFM.Brick {
			depth = roundUp(depth, brick)
		}
		blocks := int64(divUp(k.OFM.Height, q.ofm.H)) * int64(divUp(k.OFM.Width, q.ofm.W))
		parts := int64(divUp(q.kernelW, subKernel) * divUp(q.kernelH, subKernel))
		fetches := blocks
		if reduces(q.o) {
			fetches *= int64(divUp(k.OFM.Depth, q.ofm.D))
		}
		b.IFM = q.moved(&k.IFM, q.ifm0, true, int64(q.ifm.H)*int64(q.ifm.W)*int64(depth)*parts*fetches*int64(k.IFM.Bytes))
		if q.o.Kind != isa.Pool {
			b.Refetch = blocks
			b.Weights, b.Scales = blocks*q.weights, blocks*q.scales
		}
	}
	b.OFM = q.moved(&k.OFM, q.ofm0, false, stored(&k.OFM, &k.OFM)*int64(k.OFM.Bytes))
	var bytes [2]int64
	bytes[q.m.Area(k.IFM.Region)] += b.IFM
	if k.HasIFM2 {
		bytes[q.m.Area(k.IFM2.Region)] += b.IFM2
	}
	bytes[q.m.Area(k.OFM.Region)] += b.OFM
	bytes[q.m.Area(k.WeightRegion)] += b.Weights
	bytes[q.m.Area(k.ScaleRegion)] += b.Scales
	for i := range bytes {
		c.Memory[i] = int64(float64(bytes[i]) / q.m.bandwidth(i))
	}
}
