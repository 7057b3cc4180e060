package tflite

// Padding of a convolution or pool.
type Padding int8

const (
	SAME  Padding = 0
	VALID Padding = 1
)

// Activation is a fused activation function.
type Activation int8

const (
	NONE             Activation = 0
	RELU_ACT         Activation = 1
	RELU_N1_TO_1_ACT Activation = 2
	RELU6_ACT        Activation = 3
	TANH_ACT         Activation = 4
	SIGN_BIT_ACT     Activation = 5
)

// The options of the operators, named and typed as in the TFLite schema. Operators whose options table is empty have Options == nil.
type (
	Conv2DOptions struct {
		Padding              Padding
		StrideW, StrideH     int
		DilationW, DilationH int // 1 when not dilated
		Activation           Activation
	}
	DepthwiseConv2DOptions struct {
		Padding              Padding
		StrideW, StrideH     int
		DepthMultiplier      int
		DilationW, DilationH int
		Activation           Activation
	}
	TransposeConvOptions struct {
		Padding          Padding
		StrideW, StrideH int
		Activation       Activation
	}
	Pool2DOptions struct {
		Padding                   Padding
		StrideW, StrideH          int
		FilterWidth, FilterHeight int
		Activation                Activation
	}
	FullyConnectedOptions struct {
		Activation    Activation
		WeightsFormat int8 // 0, the default row-major layout, is the only one supported
		KeepNumDims   bool
	}
	SoftmaxOptions       struct{ Beta float32 }
	ConcatenationOptions struct {
		Axis       int
		Activation Activation
	}
	AddOptions            struct{ Activation Activation }
	SubOptions            struct{ Activation Activation }
	MulOptions            struct{ Activation Activation }
	L2NormOptions         struct{ Activation Activation }
	LeakyReluOptions      struct{ Alpha float32 }
	ReshapeOptions        struct{ NewShape []int }
	ReducerOptions        struct{ KeepDims bool }
	ResizeBilinearOptions struct{ AlignCorners, HalfPixelCenters bool }
	// ResizeNearestNeighborOptions has the same flags as the bilinear one.
	ResizeNearestNeighborOptions struct{ AlignCorners, HalfPixelCenters bool }
	StridedSliceOptions          struct {
		BeginMask, EndMask, EllipsisMask, NewAxisMask, ShrinkAxisMask int
		Offset                                                        bool
	}
	SqueezeOptions      struct{ SqueezeDims []int }
	SplitOptions        struct{ NumSplits int }
	SplitVOptions       struct{ NumSplits int }
	PackOptions         struct{ ValuesCount, Axis int }
	UnpackOptions       struct{ Num, Axis int }
	MirrorPadOptions    struct{ Mode int8 } // 0 REFLECT, 1 SYMMETRIC
	SpaceToDepthOptions struct{ BlockSize int }
	DepthToSpaceOptions struct{ BlockSize int }
	BatchMatMulOptions  struct{ AdjX, AdjY, AsymmetricQuantizeInputs bool }
	ArgMaxOptions       struct{ OutputType Type }
	ArgMinOptions       struct{ OutputType Type }
	GatherOptions       struct{ Axis, BatchDims int }
	CastOptions         struct{ InType, OutType Type }
)
