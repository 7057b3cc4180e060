package sim

import (
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Lint finds what the hardware forbids: registers that nothing has set, misaligned addresses, sizes and modes out of range, blocks that do not fit into SHRAM. A
// machine that only computes would not notice.
func Lint(t arch.Target, ops []isa.Operation) []Finding {
	c := &checker{target: t, ops: ops}
	for i := range c.mem.Regions {
		c.mem.Regions[i].Same = i
	}
	for i := range ops {
		o := &ops[i]
		for _, r := range o.Unset {
			c.find(i, "unset", "%s was never written", r)
		}
		if o.DMA != nil {
			c.lintDMA(i, o.DMA)
		}
		if o.Kernel != nil {
			c.lintKernel(i, o)
		}
	}
	if len(ops) == 0 || ops[len(ops)-1].Kind != isa.Stop {
		c.list = append(c.list, Finding{Operation: len(ops), Rule: "stop", Text: "the program does not end with NPU_OP_STOP"})
	}
	return c.list
}

// demand is a rule.
func (c *checker) demand(ok bool, op int, rule, format string, args ...any) {
	if !ok {
		c.find(op, rule, format, args...)
	}
}

func (c *checker) isU65() bool { return c.target.Product == isa.ProductU65 }

func (c *checker) lintDMA(i int, t *isa.Transfer) {
	c.demand(!t.Strided, i, "dma", "transfers in two or three dimensions are not known to work")
	c.demand(t.Length > 0, i, "dma", "a transfer of no bytes")
	side := func(at uint64, internal bool, what string) {
		if internal || !c.isU65() {
			c.demand(at%16 == 0, i, "alignment", "DMA %s 0x%x is no multiple of 16", what, at)
		}
		c.address(i, at, "DMA "+what)
	}
	side(t.Src, t.SrcInternal, "source")
	side(t.Dst, t.DstInternal, "destination")
	if t.DstInternal || !c.isU65() {
		c.demand(t.Length%16 == 0, i, "alignment", "DMA length %d is no multiple of 16", t.Length)
	}
}

// address: U55 has 32 bits, U65 40.
func (c *checker) address(i int, at uint64, what string) {
	c.demand(c.isU65() || at < 1<<32, i, "address", "%s 0x%x has more than 32 bits", what, at)
}

func (c *checker) lintKernel(i int, o *isa.Operation) {
	k := o.Kernel
	c.demand(k.Cores <= c.target.Cores, i, "parallel", "%d cores, %s has %d", k.Cores, c.target.Name, c.target.Cores)
	for _, n := range named(k) {
		c.lintMap(i, n)
	}
	c.lintTypes(i, o)
	c.lintBlock(i, k)
	if o.Kind != isa.Elementwise {
		c.lintWindow(i, o)
	}
	if o.Kind == isa.Conv || o.Kind == isa.Depthwise {
		c.lintWeights(i, o)
	}
	c.lintShram(i, o)
}

// lintMap checks how a feature map lies in memory.
func (c *checker) lintMap(i int, n namedMap) {
	f := n.f
	c.demand(f.Height >= 1 && f.Width >= 1, i, "size", "%s is empty: padding is larger than what the kernel reads", n.what)
	unit := int64(f.Bytes)
	if f.Brick {
		unit = 16
		c.demand(f.StrideC%unit == 0, i, "alignment", "channel stride %d of %s is no multiple of %d", f.StrideC, n.what, unit)
	}
	c.demand(f.StrideY%unit == 0, i, "alignment", "row stride %d of %s is no multiple of %d", f.StrideY, n.what, unit)
	c.demand(f.StrideX%unit == 0, i, "alignment", "column stride %d of %s is no multiple of %d", f.StrideX, n.what, unit)
	for _, t := range tiles(f) {
		c.demand(t.base%uint64(unit) == 0, i, "alignment", "base 0x%x of %s is no multiple of %d", t.base, n.what, unit)
		c.address(i, t.base, "base of "+n.what)
	}
	if lo, hi := limits(f.Bytes, f.Signed); f.Bytes < 4 {
		c.demand(f.Zero >= lo && f.Zero <= hi, i, "zero-point", "%d is no value of %s", f.Zero, n.what)
	}
}

// lintTypes checks which types an operation takes.
func (c *checker) lintTypes(i int, o *isa.Operation) {
	k := o.Kernel
	in, out := k.IFM.Bytes, k.OFM.Bytes
	switch {
	case o.Kind == isa.Pool && k.Mode == isa.PoolSum:
		c.demand(in <= 4 && out <= 4, i, "type", "a sum from %d to %d bits", 8*in, 8*out)
		c.demand(in < 4 || !k.IFM.Brick, i, "type", "a sum over 32-bit channels needs NHWC")
		c.demand(k.OFM.Depth == 1, i, "size", "a sum over channels has %d", k.OFM.Depth)
	case o.Kind == isa.Pool:
		c.demand(k.Mode <= isa.PoolSum, i, "mode", "pooling mode %d", k.Mode)
		c.demand(in <= 2 && out <= 4, i, "type", "pooling from %d to %d bits", 8*in, 8*out)
		c.demand(k.IFM.Depth == k.OFM.Depth, i, "size", "pooling from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
	case o.Kind == isa.Elementwise:
		c.demand(k.Mode <= isa.SHL, i, "mode", "element-wise mode %d", k.Mode)
		c.demand(in <= 4 && out <= 4, i, "type", "an element-wise operation from %d to %d bits", 8*in, 8*out)
		c.demand(isa.Unary(k.Mode) || k.IFM2.Bytes == in, i, "type", "operands of %d and %d bits", 8*in, 8*k.IFM2.Bytes)
		c.demand(k.Mode < isa.CLZ || in == 4, i, "type", "element-wise mode %d takes 32 bits", k.Mode)
		c.demand(k.IFM.Depth == k.OFM.Depth, i, "size", "an element-wise operation from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
	default:
		c.demand(in <= 2 && out <= 4, i, "type", "a convolution from %d to %d bits", 8*in, 8*out)
		c.demand(o.Kind == isa.Conv || k.IFM.Depth == k.OFM.Depth, i, "size", "a depthwise convolution from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
		c.demand(!k.GlobalScale, i, "scale", "a convolution takes scales of channels")
	}
	c.demand(k.OFMRounding <= isa.RoundNatural && k.IFMRounding <= isa.RoundNatural, i, "mode", "rounding mode %d", k.OFMRounding)
	c.demand(k.Min <= k.Max, i, "activation", "limits %d to %d", k.Min, k.Max)
	a := k.Activation
	c.demand(a == isa.Relu || (a == isa.Tanh || a == isa.Sigmoid) && out == 2 || a >= isa.Table0 && a < isa.Table0+arch.LUTSlots, i, "activation",
		"function %d for %d bits", a, 8*out)
	if n := tableSize(k); n > 0 {
		c.demand((a-isa.Table0)*arch.LUTSlot+n <= arch.LUTSlots*arch.LUTSlot, i, "activation",
			"table %d of %d bytes reaches beyond the tables' banks", a-isa.Table0, n)
	}
	c.demand(k.Clip == isa.ClipOFM || k.Clip == isa.ClipUint8 || k.Clip == isa.ClipInt8 || k.Clip == isa.ClipInt16, i, "activation", "clip range %d", k.Clip)
}

// lintBlock checks the output block.
func (c *checker) lintBlock(i int, k *isa.Kernel) {
	micro := c.target.OFMBlock
	c.demand(k.BlockH <= arch.MaxBlockHeight && k.BlockW <= arch.MaxBlockWidth && k.BlockD <= arch.MaxBlockDepth, i, "block",
		"%d x %d x %d is more than %d x %d x %d",
		k.BlockH, k.BlockW, k.BlockD, arch.MaxBlockHeight, arch.MaxBlockWidth, arch.MaxBlockDepth)
	c.demand(k.BlockH%micro.H == 0 || k.BlockH == 1, i, "block", "height %d is no multiple of %d", k.BlockH, micro.H)
	c.demand(k.BlockW%micro.W == 0 || k.OFM.Width == 1 && k.BlockW == 1, i, "block", "width %d is no multiple of %d", k.BlockW, micro.W)
	c.demand(k.BlockD%micro.D == 0, i, "block", "depth %d is no multiple of %d", k.BlockD, micro.D)
	c.demand(k.BlockD >= k.OFM.Depth || k.BlockD%16 == 0, i, "block", "depth %d, smaller than the output's %d, is no multiple of 16", k.BlockD, k.OFM.Depth)
}

// lintWindow checks kernel, padding and upscaling.
func (c *checker) lintWindow(i int, o *isa.Operation) {
	k := o.Kernel
	c.demand(k.StrideX <= 3 && k.StrideY <= 3, i, "kernel", "stride %d x %d is more than 3", k.StrideY, k.StrideX)
	c.demand((k.KernelH-1)%k.DilationY == 0 && (k.KernelW-1)%k.DilationX == 0, i, "kernel",
		"%d x %d does not fit dilation %d x %d", k.KernelH, k.KernelW, k.DilationY, k.DilationX)
	c.demand(k.PadTop < k.KernelH && k.PadLeft < k.KernelW && k.PadBottom < k.KernelH && k.PadRight < k.KernelW || k.Upscale != isa.UpscaleNone, i, "kernel",
		"padding %d, %d, %d, %d is not smaller than the kernel of %d x %d", k.PadTop, k.PadLeft, k.PadBottom, k.PadRight, k.KernelH, k.KernelW)
	c.demand(k.Upscale <= isa.UpscaleZeros, i, "kernel", "upscale mode %d", k.Upscale)
	area := k.KernelH * k.KernelW
	if o.Kind == isa.Pool {
		c.demand(k.KernelH <= 256 && area <= 1<<16, i, "kernel", "pooling of %d x %d is more than 256 rows or 65536 elements", k.KernelH, k.KernelW)
		padded := k.PadTop+k.PadLeft+k.PadBottom+k.PadRight > 0
		c.demand(k.Mode != isa.PoolAverage || !padded || k.KernelH <= 8 && k.KernelW <= 8, i, "kernel",
			"an average of %d x %d with padding is more than 8 x 8", k.KernelH, k.KernelW)
		c.demand(k.Mode != isa.PoolAverage || !padded || !k.GlobalScale || k.OFMScale == isa.Scale{Scale: 1}, i, "scale",
			"an average with padding cannot be scaled")
		c.demand(k.DilationX == 1 && k.DilationY == 1, i, "kernel", "pooling with dilation")
		return
	}
	c.demand(k.KernelH <= arch.MaxKernelHeight && area <= arch.MaxKernelArea, i, "kernel",
		"%d x %d is more than %d rows or %d elements", k.KernelH, k.KernelW, arch.MaxKernelHeight, arch.MaxKernelArea)
}

func (c *checker) lintWeights(i int, o *isa.Operation) {
	k := o.Kernel
	for core := range k.Cores {
		w, s := k.Weights[core], k.Scales[core]
		c.demand(w.Base%16 == 0 && w.Length%16 == 0, i, "alignment", "weights of core %d, %d bytes at 0x%x, are not in units of 16", core, w.Length, w.Base)
		c.demand(s.Base%16 == 0 && s.Length%16 == 0, i, "alignment", "scales of core %d, %d bytes at 0x%x, are not in units of 16", core, s.Length, s.Base)
		c.address(i, w.Base, "base of weights")
		c.address(i, s.Base, "base of scales")
		channels := (k.OFM.Depth + k.Cores - 1 - core) / k.Cores
		c.demand(s.Length >= uint64(channels)*10, i, "size", "%d bytes of scales for %d channels", s.Length, channels)
		c.demand(w.Length > 0 || channels == 0, i, "size", "no weights for core %d", core)
		c.demand(s.Length < 1<<20, i, "size", "%d bytes of scales", s.Length)
	}
}
