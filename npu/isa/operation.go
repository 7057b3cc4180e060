package isa

// Kind is what an operation of a stream is.
type Kind int

const (
	Conv Kind = iota
	Depthwise
	Pool
	Elementwise
	DMA
	DMAWait    // Wait operations of DMA may still be outstanding afterwards
	KernelWait // the same for the other kinds
	Stop
)

var kindNames = [...]string{"CONV", "DEPTHWISE", "POOL", "ELEMENTWISE", "DMA", "DMA_WAIT", "KERNEL_WAIT", "STOP"}

func (k Kind) String() string { return kindNames[k] }

// Operation is an NPU_OP command with what its registers held.
type Operation struct {
	Kind    Kind
	Command int // index of the command in the stream
	Wait    int // DMAWait, KernelWait
	DMA     *Transfer
	Kernel  *Kernel // Conv, Depthwise, Pool, Elementwise
	// Unset are registers that the operation needs and that nothing had written. They read as zero here; on hardware they hold what the program
	// before left.
	Unset []Op
}

// Transfer is a one-dimensional DMA.
type Transfer struct {
	Src, Dst                 uint64
	SrcRegion, DstRegion     int
	SrcInternal, DstInternal bool // SHRAM instead of a region
	Length                   uint64
	Strided                  bool // 2D or 3D mode
}

// Pooling and element-wise modes.
const (
	PoolMax, PoolAverage, PoolSum = 0, 1, 2
	Mul, Add, Sub, Min, Max       = 0, 1, 2, 3, 4
	LRelu, Abs, CLZ, SHR, SHL     = 5, 6, 7, 8, 9
)

// Unary tells whether an element-wise mode has one operand.
func Unary(mode int) bool { return mode >= LRelu && mode <= CLZ }

// Rounding modes, of OFM_PRECISION and IFM_PRECISION.
const (
	RoundDouble   = 0 // twice, as TensorFlow Lite does
	RoundTruncate = 1 // towards zero
	RoundNatural  = 2 // half up
)

// Activation functions and clip ranges; table n is Table0+n.
const (
	Relu, Tanh, Sigmoid, Table0               = 0, 3, 4, 16
	ClipOFM, ClipUint8, ClipInt8, ClipInt16   = 0, 2, 3, 5
	UpscaleNone, UpscaleNearest, UpscaleZeros = 0, 1, 2
	OPAOPB16, OPA32, OPB32                    = 0, 1, 2
	AccInt32, AccInt40, AccFP16               = 0, 1, 2
)

// FeatureMap is how a feature map lies in memory, in up to four tiles: the element (y, x, c) is in tile right + 2*bottom with right = x >= Width0 and
// bottom = y >= Height0 (or Height1 in the right half).
type FeatureMap struct {
	Region                    int
	Base                      [4]uint64
	StrideX, StrideY, StrideC int64 // bytes
	Width0, Height0, Height1  int
	Height, Width, Depth      int
	Bytes                     int // of an element: 1, 2, 4 or 8
	Signed                    bool
	Brick                     bool // NHCWB16: bricks of 16 channels
	Zero                      int32
}

// Scale is a fixed-point factor Scale / 2^Shift.
type Scale struct {
	Scale uint32
	Shift int
}

// Span is a piece of memory.
type Span struct{ Base, Length uint64 }

// Kernel is an operation on feature maps with the meaning of its registers.
type Kernel struct {
	Mode           int // pooling or element-wise mode
	IFM, IFM2, OFM FeatureMap
	HasIFM2        bool  // element-wise with two feature maps
	HasScalar      bool  // element-wise with a constant second operand
	Scalar         int32 // quantized
	Reversed       bool  // the second operand comes first

	PadTop, PadLeft, PadBottom, PadRight             int
	KernelH, KernelW, StrideY, StrideX               int // kernel sizes with the gaps of dilation
	DilationY, DilationX                             int
	PartKernel                                       bool // weight order
	Decompose4x4                                     bool
	Upscale                                          int
	Cores                                            int
	WeightRegion, ScaleRegion                        int
	Weights, Scales                                  [2]Span // of each core
	GlobalScale                                      bool
	OFMScale, OPAScale, OPBScale                     Scale
	ScaleMode, IFMRounding, OFMRounding              int
	Activation, Clip                                 int
	Min, Max                                         int32
	BlockH, BlockW, BlockD                           int
	AccFormat, BlockDep, IFMEnd, IFM2Start, AccStart int
}

// registers is the state of a stream.
type registers struct {
	param [1 << 10]uint16
	value [1 << 10]uint64 // param's high bits above the payload
	set   map[Op]bool
	unset []Op
}

// Operations gives the registers' contents at each NPU_OP command their meaning. IRQ and PMU_MASK, which change nothing that a program sees, are left
// out. Operations behind a STOP are, too.
func Operations(list []Command) []Operation {
	r := &registers{set: map[Op]bool{}}
	var ops []Operation
	for i, c := range list {
		o := Operation{Command: i}
		r.unset = nil
		switch c.Op {
		case OP_IRQ, OP_PMU_MASK:
			continue
		case OP_STOP:
			o.Kind = Stop
			return append(ops, o)
		case OP_DMA_WAIT:
			o.Kind, o.Wait = DMAWait, int(c.Param&15)
		case OP_KERNEL_WAIT:
			o.Kind, o.Wait = KernelWait, int(c.Param&15)
		case OP_DMA_START:
			o.Kind, o.DMA = DMA, r.transfer()
		case OP_CONV:
			o.Kind, o.Kernel = Conv, r.kernel(Conv, 0)
		case OP_DEPTHWISE:
			o.Kind, o.Kernel = Depthwise, r.kernel(Depthwise, 0)
		case OP_POOL:
			o.Kind, o.Kernel = Pool, r.kernel(Pool, int(c.Param&7))
		case OP_ELEMENTWISE:
			o.Kind, o.Kernel = Elementwise, r.kernel(Elementwise, int(c.Param&63))
		default:
			r.set[c.Op] = true
			if c.Op&Payload != 0 {
				r.param[c.Op&^Payload], r.value[c.Op&^Payload] = c.Param, uint64(c.Value)|uint64(c.Param&0xff)<<32
			} else {
				r.param[c.Op] = c.Param
			}
			continue
		}
		o.Unset = r.unset
		ops = append(ops, o)
	}
	return ops
}

// need remembers a register that was never written.
func (r *registers) need(o Op) {
	if !r.set[o] {
		r.unset = append(r.unset, o)
	}
}

func (r *registers) get(o Op) int {
	r.need(o)
	return int(r.param[o])
}

func (r *registers) addr(o Op) uint64 {
	r.need(o)
	return r.value[o&^Payload]
}

func (r *registers) stride(o Op) int64 { return signExtend40(r.addr(o)) }

// scale has the shift in its parameter.
func (r *registers) scale(o Op) Scale {
	r.need(o)
	return Scale{uint32(r.value[o&^Payload]), int(r.param[o&^Payload] & 63)}
}

// span is a piece of memory; the length has 32 bits.
func (r *registers) span(base, length Op) Span {
	return Span{r.addr(base), r.addr(length) & 0xffffffff}
}

func (r *registers) transfer() *Transfer {
	s, d := r.get(SET_DMA0_SRC_REGION), r.get(SET_DMA0_DST_REGION)
	return &Transfer{Src: r.addr(SET_DMA0_SRC), Dst: r.addr(SET_DMA0_DST), SrcRegion: s & 7, DstRegion: d & 7, SrcInternal: s>>8&1 == 1, DstInternal: d>>8&1 == 1,
		Length: r.addr(SET_DMA0_LEN), Strided: (s|d)>>9&3 != 0}
}

// number16 is a 16-bit register that is signed where the feature map is.
func number16(v int, signed bool) int32 {
	if signed {
		return int32(int16(v))
	}
	return int32(uint16(v))
}
