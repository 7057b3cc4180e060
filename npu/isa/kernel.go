package isa

// kernel reads the registers of an operation on feature maps.
func (r *registers) kernel(kind Kind, mode int) *Kernel {
	k := &Kernel{Mode: mode, Cores: 1, StrideX: 1, StrideY: 1, DilationX: 1, DilationY: 1, KernelH: 1, KernelW: 1}
	k.OFM = r.ofm(k)
	k.IFM = r.ifm(k)
	if r.set[SET_PARALLEL_MODE] {
		k.Cores = 1 + int(r.param[SET_PARALLEL_MODE]&1)
	}
	if kind == Elementwise {
		k.IFM.Height, k.IFM.Width = k.OFM.Height, k.OFM.Width
		if !Unary(mode) {
			r.operand2(k)
		}
	} else {
		r.window(k)
	}
	if kind == Conv || kind == Depthwise {
		r.weights(k)
	}
	if kind == Pool || kind == Elementwise {
		r.scales(kind, k)
	}
	r.activation(k)
	k.BlockH, k.BlockW, k.BlockD = r.get(SET_OFM_BLK_HEIGHT)+1, r.get(SET_OFM_BLK_WIDTH)+1, r.get(SET_OFM_BLK_DEPTH)+1
	k.AccFormat, k.BlockDep = r.get(SET_ACC_FORMAT)&3, r.get(SET_BLOCKDEP)&3
	k.IFMEnd, k.AccStart = r.get(SET_IFM_IB_END), r.get(SET_AB_START)
	return k
}

func (r *registers) ofm(k *Kernel) FeatureMap {
	p := r.get(SET_OFM_PRECISION)
	k.GlobalScale, k.OFMRounding = p>>8&1 == 1, p>>14&3
	return FeatureMap{Region: r.get(SET_OFM_REGION) & 7, Base: [4]uint64{r.addr(SET_OFM_BASE0), r.addr(SET_OFM_BASE1), r.addr(SET_OFM_BASE2), r.addr(SET_OFM_BASE3)},
		StrideX: r.stride(SET_OFM_STRIDE_X), StrideY: r.stride(SET_OFM_STRIDE_Y), StrideC: r.stride(SET_OFM_STRIDE_C),
		Width0: r.get(SET_OFM_WIDTH0_M1) + 1, Height0: r.get(SET_OFM_HEIGHT0_M1) + 1, Height1: r.get(SET_OFM_HEIGHT1_M1) + 1,
		Height: r.get(SET_OFM_HEIGHT_M1) + 1, Width: r.get(SET_OFM_WIDTH_M1) + 1, Depth: r.get(SET_OFM_DEPTH_M1) + 1,
		Bytes: 1 << (p >> 1 & 3), Signed: p&1 == 1, Brick: p>>6&3 == 1, Zero: number16(r.get(SET_OFM_ZERO_POINT), p&1 == 1)}
}

func (r *registers) ifm(k *Kernel) FeatureMap {
	p := r.get(SET_IFM_PRECISION)
	k.ScaleMode, k.IFMRounding = p>>8&3, p>>14&3
	return FeatureMap{Region: r.get(SET_IFM_REGION) & 7, Base: [4]uint64{r.addr(SET_IFM_BASE0), r.addr(SET_IFM_BASE1), r.addr(SET_IFM_BASE2), r.addr(SET_IFM_BASE3)},
		StrideX: r.stride(SET_IFM_STRIDE_X), StrideY: r.stride(SET_IFM_STRIDE_Y), StrideC: r.stride(SET_IFM_STRIDE_C),
		Width0: r.get(SET_IFM_WIDTH0_M1) + 1, Height0: r.get(SET_IFM_HEIGHT0_M1) + 1, Height1: r.get(SET_IFM_HEIGHT1_M1) + 1, Depth: r.get(SET_IFM_DEPTH_M1) + 1,
		Bytes: 1 << (p >> 2 & 3), Signed: p&1 == 1, Brick: p>>6&3 == 1, Zero: number16(r.get(SET_IFM_ZERO_POINT), p&1 == 1)}
}

// operand2 is the second operand of an element-wise operation.
func (r *registers) operand2(k *Kernel) {
	b, p := r.get(SET_IFM2_BROADCAST), r.get(SET_IFM2_PRECISION)
	k.Reversed, k.HasScalar = b>>6&1 == 1, b>>7&1 == 1
	zero := number16(r.get(SET_IFM2_ZERO_POINT), p&1 == 1)
	if k.HasScalar {
		k.Scalar = number16(r.get(SET_IFM2_SCALAR), p&1 == 1)
		k.IFM2 = FeatureMap{Bytes: 1 << (p >> 2 & 3), Signed: p&1 == 1, Zero: zero}
		return
	}
	k.HasIFM2 = true
	k.IFM2Start = r.get(SET_IFM2_IB_START)
	f := FeatureMap{Region: r.get(SET_IFM2_REGION) & 7, Base: [4]uint64{r.addr(SET_IFM2_BASE0), r.addr(SET_IFM2_BASE1), r.addr(SET_IFM2_BASE2), r.addr(SET_IFM2_BASE3)},
		StrideX: r.stride(SET_IFM2_STRIDE_X), StrideY: r.stride(SET_IFM2_STRIDE_Y), StrideC: r.stride(SET_IFM2_STRIDE_C),
		Width0: r.get(SET_IFM2_WIDTH0_M1) + 1, Height0: r.get(SET_IFM2_HEIGHT0_M1) + 1, Height1: r.get(SET_IFM2_HEIGHT1_M1) + 1,
		Height: k.OFM.Height, Width: k.OFM.Width, Depth: k.IFM.Depth,
		Bytes: 1 << (p >> 2 & 3), Signed: p&1 == 1, Brick: p>>6&3 == 1, Zero: zero}
	if b&1 == 1 {
		f.Height = 1
	}
	if b>>1&1 == 1 {
		f.Width = 1
	}
	if b>>2&1 == 1 {
		f.Depth = 1
	}
	k.IFM2 = f
}

// window reads kernel, padding and upscaling. The input has no height and width of its own: they follow from the output's.
func (r *registers) window(k *Kernel) {
	k.PadTop, k.PadLeft = r.get(SET_IFM_PAD_TOP)&0x7f, r.get(SET_IFM_PAD_LEFT)&0x7f
	k.PadBottom, k.PadRight = r.get(SET_IFM_PAD_BOTTOM)&0xff, r.get(SET_IFM_PAD_RIGHT)&0xff
	k.KernelH, k.KernelW = r.get(SET_KERNEL_HEIGHT)+1, r.get(SET_KERNEL_WIDTH)+1
	s := r.get(SET_KERNEL_STRIDE)
	k.StrideX, k.StrideY = 1+s&1+s>>6&1*2, 1+s>>1&1+s>>9&1*2
	k.PartKernel, k.Decompose4x4 = s>>2&1 == 1, s>>5&1 == 1
	k.DilationX, k.DilationY = 1+s>>3&1, 1+s>>4&1
	k.Upscale = r.get(SET_IFM_UPSCALE) & 3
	h := (k.OFM.Height-1)*k.StrideY + k.KernelH - k.PadTop - k.PadBottom
	w := (k.OFM.Width-1)*k.StrideX + k.KernelW - k.PadLeft - k.PadRight
	if k.Upscale != UpscaleNone {
		h, w = (h+1)/2, (w+1)/2
	}
	k.IFM.Height, k.IFM.Width = max(h, 0), max(w, 0)
}

func (r *registers) weights(k *Kernel) {
	k.WeightRegion, k.ScaleRegion = r.get(SET_WEIGHT_REGION)&7, r.get(SET_SCALE_REGION)&7
	k.Weights[0] = r.span(SET_WEIGHT_BASE, SET_WEIGHT_LENGTH)
	k.Scales[0] = r.span(SET_SCALE_BASE, SET_SCALE_LENGTH)
	if k.Cores == 2 && k.OFM.Depth > 1 { // the second core takes every other channel
		k.Weights[1] = r.span(SET_WEIGHT1_BASE, SET_WEIGHT1_LENGTH)
		k.Scales[1] = r.span(SET_SCALE1_BASE, SET_SCALE1_LENGTH)
	}
}

// scales reads the factors of an operation without weights. A pooling with no scale for all channels is not scaled.
func (r *registers) scales(kind Kind, k *Kernel) {
	k.OFMScale = Scale{Scale: 1}
	if kind == Pool && k.GlobalScale || kind == Elementwise {
		k.OFMScale = r.scale(SET_OFM_SCALE)
	}
	if kind == Elementwise && (k.Mode == Add || k.Mode == Sub) {
		k.OPAScale = r.scale(SET_OPA_SCALE)
		k.OPBScale = Scale{Scale: uint32(r.addr(SET_OPB_SCALE))}
	}
}

func (r *registers) activation(k *Kernel) {
	a := r.get(SET_ACTIVATION)
	k.Activation, k.Clip = a&0x1f, a>>12&7
	k.Min, k.Max = number16(r.get(SET_ACTIVATION_MIN), k.OFM.Signed), number16(r.get(SET_ACTIVATION_MAX), k.OFM.Signed)
}
