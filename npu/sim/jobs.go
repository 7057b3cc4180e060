package sim

import (
	"github.com/temper-ml/temper/npu/isa"
)

// box is a part of a feature map; the upper bounds are exclusive.
type box struct{ y0, y1, x0, x1, c0, c1 int }

// jobs are the blocks in which a kernel works: output blocks, channels fastest, then columns, then rows; a convolution works on each once for every
// block of input channels.
type jobs struct {
	kind        isa.Kind
	k           *isa.Kernel
	d, w, h     int // output blocks
	ifm         int // blocks of input channels
	ifmChannels int // of such a block
}

func newJobs(o *isa.Operation) jobs {
	k := o.Kernel
	up := func(n, by int) int { return (n + by - 1) / by }
	j := jobs{kind: o.Kind, k: k, d: up(k.OFM.Depth, k.BlockD), w: up(k.OFM.Width, k.BlockW), h: up(k.OFM.Height, k.BlockH), ifm: 1}
	if j.reduces() {
		j.ifmChannels = 32
		if k.PartKernel && o.Kind == isa.Conv || k.IFM.Bytes == 2 {
			j.ifmChannels = 16
		}
		j.ifm = up(k.IFM.Depth, j.ifmChannels)
	}
	return j
}

// reduces tells whether an output channel needs all input channels.
func (j *jobs) reduces() bool {
	return j.kind == isa.Conv || j.kind == isa.Pool && j.k.Mode == isa.PoolSum
}

func (j *jobs) count() int { return j.d * j.w * j.h * j.ifm }

// output is what job i writes. Only the last of the jobs on a block does.
func (j *jobs) output(i int) box {
	i /= j.ifm
	d, w, h := i%j.d, i/j.d%j.w, i/j.d/j.w
	return box{y0: h * j.k.BlockH, y1: min((h+1)*j.k.BlockH, j.k.OFM.Height), x0: w * j.k.BlockW, x1: min((w+1)*j.k.BlockW, j.k.OFM.Width),
		c0: d * j.k.BlockD, c1: min((d+1)*j.k.BlockD, j.k.OFM.Depth)}
}

// input is what job i reads of the first input, or of the second of an element-wise operation.
func (j *jobs) input(i int, second bool) box {
	o := j.output(i)
	k := j.k
	if j.kind == isa.Elementwise {
		if second {
			return o.within(&k.IFM2)
		}
		return o
	}
	b := box{y0: o.y0*k.StrideY - k.PadTop, y1: (o.y1-1)*k.StrideY - k.PadTop + k.KernelH,
		x0: o.x0*k.StrideX - k.PadLeft, x1: (o.x1-1)*k.StrideX - k.PadLeft + k.KernelW, c0: o.c0, c1: o.c1}
	if k.Upscale != isa.UpscaleNone {
		b.y0, b.y1, b.x0, b.x1 = b.y0/2, (b.y1+1)/2, b.x0/2, (b.x1+1)/2
	}
	if j.reduces() {
		b.c0 = i % j.ifm * j.ifmChannels
		b.c1 = b.c0 + j.ifmChannels
	}
	return box{max(b.y0, 0), min(b.y1, k.IFM.Height), max(b.x0, 0), min(b.x1, k.IFM.Width), b.c0, min(b.c1, k.IFM.Depth)}
}

// within is the part of a broadcast operand.
func (b box) within(f *isa.FeatureMap) box {
	if f.Height == 1 {
		b.y0, b.y1 = 0, 1
	}
	if f.Width == 1 {
		b.x0, b.x1 = 0, 1
	}
	if f.Depth == 1 {
		b.c0, b.c1 = 0, 1
	}
	return b
}

func whole(f *isa.FeatureMap) box { return box{0, f.Height, 0, f.Width, 0, f.Depth} }

// ranges calls visit with the byte ranges of a part of a feature map, until the limit is reached.
func (c *checker) ranges(f *isa.FeatureMap, b box, visit func(lo, hi int64)) {
	n := product(max(0, b.y1-b.y0), max(0, b.x1-b.x0), max(0, b.c1-b.c0))
	if c.left -= 16; n < 0 || n > c.left { // 16 for what a call costs anyway
		c.left = -1
	} else {
		c.left -= n
	}
	if c.left < 0 {
		return
	}
	for _, t := range tiles(f) {
		for y := max(b.y0, t.y); y < min(b.y1, t.y+t.h); y++ {
			for x := max(b.x0, t.x); x < min(b.x1, t.x+t.w); x++ {
				at := int64(t.base) + int64(y-t.y)*f.StrideY + int64(x-t.x)*f.StrideX
				for ch := b.c0; ch < b.c1; {
					end := b.c1
					if f.Brick {
						end = min(end, (ch/brick+1)*brick)
					}
					lo := at + channelOffset(f, ch)
					visit(lo, lo+int64((end-ch)*f.Bytes))
					ch = end
				}
			}
		}
	}
}
