package perf

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Layout are the SHRAM banks of an operation: output stage, input (element-wise operations: two), accumulators, tables.
type Layout struct {
	IFMEnd, IFM2Start, AccStart, TableStart int
}

// Config is a legal block configuration.
type Config struct {
	Block  arch.Shape // of the output
	IFM    arch.Shape // of the input that it needs
	Layout Layout
	Cost   Cost // estimated; zero from Fit
}

// Apply writes the configuration into an operation's registers.
func (c *Config) Apply(k *isa.Kernel) {
	k.BlockH, k.BlockW, k.BlockD = c.Block.H, c.Block.W, c.Block.D
	k.IFMEnd, k.IFM2Start, k.AccStart = c.Layout.IFMEnd, c.Layout.IFM2Start, c.Layout.AccStart
}

// splitDepth is the multiple that a block's depth must be where it splits the output.
const splitDepth = 16

// subKernel is the side of the part of a kernel that the hardware works on at once.
const subKernel = 8

func divUp(n, by int) int { return (n + by - 1) / by }

func roundUp(n, to int) int { return divUp(n, to) * to }

func reduces(o *isa.Operation) bool {
	return o.Kind == isa.Conv || o.Kind == isa.Pool && o.Kernel.Mode == isa.PoolSum
}

// AccFormat is the accumulator that an operation needs: 40 bits for sums of products of 16-bit inputs, if they are rescaled, otherwise 32.
func AccFormat(kind isa.Kind, mode, inputBytes int, scaled bool) int {
	sums := kind == isa.Conv || kind == isa.Depthwise || kind == isa.Pool && mode == isa.PoolSum || kind == isa.Elementwise
	if inputBytes == 2 && sums && scaled {
		return isa.AccInt40
	}
	return isa.AccInt32
}

// PartKernel tells whether weights of a convolution are better ordered kernel first than depth first: the order that leaves fewer multipliers idle.
func PartKernel(channels, kernelElements, inputBytes int) bool {
	if channels <= 8 {
		return true
	}
	deep, step := 32, 4
	if inputBytes == 2 {
		deep, step = 16, 2
	}
	whole := float64(channels) / float64(roundUp(channels, deep))
	part := float64(channels) / float64(roundUp(channels, 8)) * (float64(kernelElements) / float64(roundUp(kernelElements, step)))
	return part >= whole
}

// ifmBlock is what an output block needs of the input, for one sub-kernel.
func ifmBlock(t arch.Target, o *isa.Operation, b arch.Shape) arch.Shape {
	k := o.Kernel
	side := func(n, stride, kernel, micro int) int {
		n = (n-1)*stride + min(kernel, subKernel)
		switch k.Upscale {
		case isa.UpscaleNearest:
			n = divUp(n+1, 2)
		case isa.UpscaleZeros:
			n = divUp(n, 2)
		}
		return roundUp(n, micro)
	}
	if o.Kind == isa.Elementwise {
		return arch.Shape{H: roundUp(b.H, t.OFMBlock.H), W: roundUp(b.W, t.OFMBlock.W), D: b.D}
	}
	in := arch.Shape{H: side(b.H, k.StrideY, k.KernelH, t.OFMBlock.H), W: side(b.W, k.StrideX, k.KernelW, t.OFMBlock.W), D: b.D}
	if reduces(o) {
		switch {
		case k.IFM.Bytes == 2:
			in.D = roundUp(min(k.IFM.Depth, 16), 4)
		case o.Kind == isa.Conv && k.PartKernel:
			in.D = roundUp(min(k.IFM.Depth, 16), t.IFMDepth)
		default:
			in.D = roundUp(min(k.IFM.Depth, 32), t.IFMDepth)
		}
	}
	return in
}

// granuleIFM is the step in which banks are given to an operation's input.
func granuleIFM(o *isa.Operation) int {
	switch ew := o.Kind == isa.Elementwise; {
	case o.Kernel.IFM.Bytes == 4:
		return arch.GranuleElementwise32
	case o.Kernel.IFM.Bytes == 2 && ew:
		return arch.GranuleElementwise16
	case o.Kernel.IFM.Bytes == 2:
		return arch.GranuleIFM16
	case ew:
		return arch.GranuleElementwise8
	}
	return arch.GranuleIFM8
}

// accumulators are bits and granule of an operation's accumulator.
func accumulators(format int) (bits, granule int) {
	switch format {
	case isa.AccInt40:
		return 40, arch.GranuleAcc40
	case isa.AccFP16:
		return 16, arch.GranuleAcc16
	}
	return 32, arch.GranuleAcc32
}

// Fit lays an operation with a given output block out in SHRAM. Both input and accumulators are held twice. It is false where the block is not a multiple of the
// micro-block, too large, or does not fit. Of the operation it reads shapes, kernel, order of weights, activation and accumulator format.
func Fit(t arch.Target, o *isa.Operation, block arch.Shape) (Config, bool) {
	u := t.OFMBlock
	if block.H < 1 || block.W < 1 || block.D < 1 || block.H%u.H != 0 || block.W%u.W != 0 || block.D%u.D != 0 ||
		block.H > arch.MaxBlockHeight || block.W > arch.MaxBlockWidth || block.D > arch.MaxBlockDepth {
		return Config{}, false
	}
	k := o.Kernel
	c := Config{Block: block, IFM: ifmBlock(t, o, block)}
	bytes := c.IFM.H * c.IFM.W * roundUp(c.IFM.D*k.IFM.Bytes, 8)
	input := roundUp(2*divUp(bytes, arch.BankSize), t.Granules[granuleIFM(o)])
	tables := t.EndBanks()
	if k.Activation >= isa.Table0 {
		tables = arch.LUTBanks
	}
	l := &c.Layout
	l.TableStart = t.Banks - tables
	l.IFMEnd = arch.OutputBanks + input
	l.IFM2Start, l.AccStart = l.IFMEnd, l.TableStart
	if o.Kind == isa.Elementwise {
		second := input
		if k.HasScalar {
			second = 0
		}
		fits := l.IFM2Start+second <= l.AccStart
		l.IFMEnd = l.AccStart
		return c, fits
	}
	bits, granule := accumulators(k.AccFormat)
	h := block.H
	if u.H == 2 && k.OFM.Height == 1 && k.KernelH == 1 {
		h = 1 // one row of outputs has accumulators for one row
	}
	acc := h * block.W * roundUp(block.D, 8) * bits / 8
	l.AccStart -= roundUp(2*divUp(acc, arch.BankSize), t.Granules[granule])
	return c, l.IFMEnd <= l.AccStart
}

// Legal calls visit with every block configuration that an operation may have: multiples of the micro-block (of two with upscaling), up to the first that covers the
// output; where the depth is split, of multiples of 16.
func Legal(t arch.Target, o *isa.Operation, visit func(Config)) {
	u, out := t.OFMBlock, &o.Kernel.OFM
	if o.Kernel.Upscale != isa.UpscaleNone {
		u.H, u.W = max(u.H, 2), max(u.W, 2)
	}
	maxD := min(arch.MaxBlockDepth, out.Depth)
	maxH, maxW := roundUp(min(arch.MaxBlockHeight, out.Height), u.H), roundUp(min(arch.MaxBlockWidth, out.Width), u.W)
	for d := u.D; d < maxD+u.D; d += u.D {
		if d < maxD && d%splitDepth != 0 {
			continue
		}
		for h := u.H; h <= maxH; h += u.H {
			for w := u.W; w <= maxW; w += u.W {
				c, ok := Fit(t, o, arch.Shape{H: h, W: w, D: d})
				if !ok {
					break // wider ones need more
				}
				visit(c)
			}
		}
	}
}
