package isa

// Assemble writes the commands of operations: the registers that an operation needs and that do not hold their value yet, in the order in which Vela
// writes them, then waits, then the operation. Indices of commands and lists of unset registers are ignored. cores is what U65 programs set in the beginning; 0
// leaves it out, as U55 programs must.
func Assemble(ops []Operation, cores int) []Command {
	a := &assembler{holds: map[Op]Command{}}
	if cores > 0 {
		a.set(SET_PARALLEL_MODE, cores-1)
	}
	var waits []Command
	flush := func(c Command) {
		a.list = append(append(a.list, waits...), c)
		waits = nil
	}
	for i := range ops {
		o := &ops[i]
		switch o.Kind {
		case DMAWait:
			waits = append(waits, Command{Op: OP_DMA_WAIT, Param: uint16(o.Wait)})
		case KernelWait:
			waits = append(waits, Command{Op: OP_KERNEL_WAIT, Param: uint16(o.Wait)})
		case Stop:
			flush(Command{Op: OP_STOP, Param: 0xffff})
		case DMA:
			a.transfer(o.DMA)
			flush(Command{Op: OP_DMA_START})
		default:
			a.kernel(o.Kind, o.Kernel)
			start := [...]Op{Conv: OP_CONV, Depthwise: OP_DEPTHWISE, Pool: OP_POOL, Elementwise: OP_ELEMENTWISE}
			flush(Command{Op: start[o.Kind], Param: uint16(o.Kernel.Mode)})
		}
	}
	return append(a.list, waits...)
}

// assembler knows what the registers hold.
type assembler struct {
	list  []Command
	holds map[Op]Command
}

func (a *assembler) write(c Command) {
	if old, ok := a.holds[c.Op]; ok && old == c {
		return
	}
	a.holds[c.Op] = c
	a.list = append(a.list, c)
}

func (a *assembler) set(op Op, v int) { a.write(Command{Op: op, Param: uint16(v)}) }

func (a *assembler) address(op Op, v int64) { a.write(WithAddress(op, v)) }

func (a *assembler) value(op Op, v uint32, param int) {
	a.write(Command{Op: op, Param: uint16(param), Value: v})
}

func bit(b bool, at int) int {
	if b {
		return 1 << at
	}
	return 0
}

func log2(bytes int) int {
	n := 0
	for 1<<n < bytes {
		n++
	}
	return n
}

func (a *assembler) transfer(t *Transfer) {
	a.set(SET_DMA0_SRC_REGION, t.SrcRegion|bit(t.SrcInternal, 8))
	a.address(SET_DMA0_SRC, int64(t.Src))
	a.set(SET_DMA0_DST_REGION, t.DstRegion|bit(t.DstInternal, 8))
	a.address(SET_DMA0_DST, int64(t.Dst))
	a.address(SET_DMA0_LEN, int64(t.Length))
}

// kernel writes the registers of an operation on feature maps.
func (a *assembler) kernel(kind Kind, k *Kernel) {
	if kind == Elementwise {
		if k.Mode == Add || k.Mode == Sub {
			a.value(SET_OPA_SCALE, k.OPAScale.Scale, k.OPAScale.Shift)
			a.value(SET_OPB_SCALE, k.OPBScale.Scale, 0)
		}
		a.value(SET_OFM_SCALE, k.OFMScale.Scale, k.OFMScale.Shift)
	}
	a.ifm(&k.IFM, k)
	a.set(SET_IFM_UPSCALE, k.Upscale)
	if kind != Elementwise {
		a.set(SET_IFM_PAD_TOP, k.PadTop)
		a.set(SET_IFM_PAD_LEFT, k.PadLeft)
		a.set(SET_IFM_PAD_BOTTOM, k.PadBottom)
		a.set(SET_IFM_PAD_RIGHT, k.PadRight)
	}
	a.ofm(&k.OFM, k)
	if kind != Elementwise {
		a.window(k)
	}
	if kind == Conv || kind == Depthwise {
		a.weights(k)
	}
	a.set(SET_ACTIVATION, k.Activation|k.Clip<<12)
	a.set(SET_ACTIVATION_MIN, int(k.Min))
	a.set(SET_ACTIVATION_MAX, int(k.Max))
	if kind == Pool && k.GlobalScale {
		a.value(SET_OFM_SCALE, k.OFMScale.Scale, k.OFMScale.Shift)
	}
	if kind == Elementwise && !Unary(k.Mode) {
		a.operand2(k)
	}
	a.set(SET_OFM_BLK_HEIGHT, k.BlockH-1)
	a.set(SET_OFM_BLK_WIDTH, k.BlockW-1)
	a.set(SET_OFM_BLK_DEPTH, k.BlockD-1)
	a.set(SET_IFM_IB_END, k.IFMEnd)
	a.set(SET_AB_START, k.AccStart)
	if k.HasIFM2 {
		a.set(SET_IFM2_IB_START, k.IFM2Start)
	}
	a.set(SET_ACC_FORMAT, k.AccFormat)
	a.set(SET_BLOCKDEP, k.BlockDep)
}

func (a *assembler) ifm(f *FeatureMap, k *Kernel) {
	a.set(SET_IFM_REGION, f.Region)
	for i, op := range [4]Op{SET_IFM_BASE0, SET_IFM_BASE1, SET_IFM_BASE2, SET_IFM_BASE3} {
		a.address(op, int64(f.Base[i]))
	}
	a.set(SET_IFM_HEIGHT0_M1, f.Height0-1)
	a.set(SET_IFM_HEIGHT1_M1, f.Height1-1)
	a.set(SET_IFM_WIDTH0_M1, f.Width0-1)
	a.set(SET_IFM_DEPTH_M1, f.Depth-1)
	a.address(SET_IFM_STRIDE_Y, f.StrideY)
	a.address(SET_IFM_STRIDE_X, f.StrideX)
	a.address(SET_IFM_STRIDE_C, f.StrideC)
	a.set(SET_IFM_ZERO_POINT, int(f.Zero))
	a.set(SET_IFM_PRECISION, bit(f.Signed, 0)|log2(f.Bytes)<<2|bit(f.Brick, 6)|k.ScaleMode<<8|k.IFMRounding<<14)
}

func (a *assembler) ofm(f *FeatureMap, k *Kernel) {
	a.set(SET_OFM_REGION, f.Region)
	for i, op := range [4]Op{SET_OFM_BASE0, SET_OFM_BASE1, SET_OFM_BASE2, SET_OFM_BASE3} {
		a.address(op, int64(f.Base[i]))
	}
	a.set(SET_OFM_HEIGHT_M1, f.Height-1)
	a.set(SET_OFM_WIDTH_M1, f.Width-1)
	a.set(SET_OFM_HEIGHT0_M1, f.Height0-1)
	a.set(SET_OFM_HEIGHT1_M1, f.Height1-1)
	a.set(SET_OFM_WIDTH0_M1, f.Width0-1)
	a.set(SET_OFM_DEPTH_M1, f.Depth-1)
	a.address(SET_OFM_STRIDE_Y, f.StrideY)
	a.address(SET_OFM_STRIDE_X, f.StrideX)
	a.address(SET_OFM_STRIDE_C, f.StrideC)
	a.set(SET_OFM_ZERO_POINT, int(f.Zero))
	a.set(SET_OFM_PRECISION, bit(f.Signed, 0)|log2(f.Bytes)<<1|bit(f.Brick, 6)|bit(k.GlobalScale, 8)|k.OFMRounding<<14)
}

func (a *assembler) window(k *Kernel) {
	a.set(SET_KERNEL_HEIGHT, k.KernelH-1)
	a.set(SET_KERNEL_WIDTH, k.KernelW-1)
	x, y := k.StrideX-1, k.StrideY-1
	a.set(SET_KERNEL_STRIDE, x&1|y&1<<1|bit(k.PartKernel, 2)|(k.DilationX-1)<<3|(k.DilationY-1)<<4|bit(k.Decompose4x4, 5)|x>>1&1<<6|y>>1&1<<9)
}

// weights: the second core's are left out where it has no channels.
func (a *assembler) weights(k *Kernel) {
	second := k.Cores == 2 && k.OFM.Depth > 1
	a.set(SET_WEIGHT_REGION, k.WeightRegion)
	a.address(SET_WEIGHT_BASE, int64(k.Weights[0].Base))
	a.value(SET_WEIGHT_LENGTH, uint32(k.Weights[0].Length), 0)
	if second {
		a.address(SET_WEIGHT1_BASE, int64(k.Weights[1].Base))
	}
	if k.Cores == 2 {
		a.value(SET_WEIGHT1_LENGTH, uint32(k.Weights[1].Length), 0)
	}
	a.set(SET_SCALE_REGION, k.ScaleRegion)
	a.address(SET_SCALE_BASE, int64(k.Scales[0].Base))
	a.value(SET_SCALE_LENGTH, uint32(k.Scales[0].Length), 0)
	if second {
		a.address(SET_SCALE1_BASE, int64(k.Scales[1].Base))
	}
	if k.Cores == 2 {
		a.value(SET_SCALE1_LENGTH, uint32(k.Scales[1].Length), 0)
	}
}

// operand2 writes the second operand: a constant, or a feature map, which is broadcast where its size is 1 and the output's is not.
func (a *assembler) operand2(k *Kernel) {
	f := &k.IFM2
	broadcast := bit(k.Reversed, 6)
	if k.HasScalar {
		broadcast |= 1 << 7
		a.set(SET_IFM2_SCALAR, int(k.Scalar))
	} else {
		broadcast |= bit(f.Height != k.OFM.Height, 0) | bit(f.Width != k.OFM.Width, 1) | bit(f.Depth != k.OFM.Depth, 2)
		a.set(SET_IFM2_REGION, f.Region)
		for i, op := range [4]Op{SET_IFM2_BASE0, SET_IFM2_BASE1, SET_IFM2_BASE2, SET_IFM2_BASE3} {
			a.address(op, int64(f.Base[i]))
		}
		a.set(SET_IFM2_HEIGHT0_M1, f.Height0-1)
		a.set(SET_IFM2_HEIGHT1_M1, f.Height1-1)
		a.set(SET_IFM2_WIDTH0_M1, f.Width0-1)
		a.address(SET_IFM2_STRIDE_Y, f.StrideY)
		a.address(SET_IFM2_STRIDE_X, f.StrideX)
		a.address(SET_IFM2_STRIDE_C, f.StrideC)
	}
	a.set(SET_IFM2_ZERO_POINT, int(f.Zero))
	a.set(SET_IFM2_PRECISION, bit(f.Signed, 0)|log2(f.Bytes)<<2|bit(f.Brick, 6))
	a.set(SET_IFM2_BROADCAST, broadcast)
}
