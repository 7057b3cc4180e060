package tflite

import (
	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/temper-ml/temper/export/tflite/internal/fb"
)

// options reads the options table of an operator; nil for those that have no fields of use.
func (r *reader) options(kind fb.BuiltinOptions, table flatbuffers.Table) any {
	switch kind {
	case fb.BuiltinOptionsConv2DOptions:
		var t fb.Conv2DOptions
		t.Init(table.Bytes, table.Pos)
		return &Conv2DOptions{
			Padding:    Padding(t.Padding()),
			StrideW:    int(t.StrideW()),
			StrideH:    int(t.StrideH()),
			DilationW:  int(t.DilationWFactor()),
			DilationH:  int(t.DilationHFactor()),
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsDepthwiseConv2DOptions:
		var t fb.DepthwiseConv2DOptions
		t.Init(table.Bytes, table.Pos)
		return &DepthwiseConv2DOptions{
			Padding:         Padding(t.Padding()),
			StrideW:         int(t.StrideW()),
			StrideH:         int(t.StrideH()),
			DepthMultiplier: int(t.DepthMultiplier()),
			DilationW:       int(t.DilationWFactor()),
			DilationH:       int(t.DilationHFactor()),
			Activation:      Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsTransposeConvOptions:
		var t fb.TransposeConvOptions
		t.Init(table.Bytes, table.Pos)
		return &TransposeConvOptions{
			Padding:    Padding(t.Padding()),
			StrideW:    int(t.StrideW()),
			StrideH:    int(t.StrideH()),
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsPool2DOptions:
		var t fb.Pool2DOptions
		t.Init(table.Bytes, table.Pos)
		return &Pool2DOptions{
			Padding:      Padding(t.Padding()),
			StrideW:      int(t.StrideW()),
			StrideH:      int(t.StrideH()),
			FilterWidth:  int(t.FilterWidth()),
			FilterHeight: int(t.FilterHeight()),
			Activation:   Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsFullyConnectedOptions:
		var t fb.FullyConnectedOptions
		t.Init(table.Bytes, table.Pos)
		return &FullyConnectedOptions{
			Activation:    Activation(t.FusedActivationFunction()),
			WeightsFormat: t.WeightsFormat(),
			KeepNumDims:   t.KeepNumDims(),
		}
	case fb.BuiltinOptionsSoftmaxOptions:
		var t fb.SoftmaxOptions
		t.Init(table.Bytes, table.Pos)
		return &SoftmaxOptions{
			Beta: t.Beta(),
		}
	case fb.BuiltinOptionsConcatenationOptions:
		var t fb.ConcatenationOptions
		t.Init(table.Bytes, table.Pos)
		return &ConcatenationOptions{
			Axis:       int(t.Axis()),
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsAddOptions:
		var t fb.AddOptions
		t.Init(table.Bytes, table.Pos)
		return &AddOptions{
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsSubOptions:
		var t fb.SubOptions
		t.Init(table.Bytes, table.Pos)
		return &SubOptions{
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsMulOptions:
		var t fb.MulOptions
		t.Init(table.Bytes, table.Pos)
		return &MulOptions{
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsL2NormOptions:
		var t fb.L2NormOptions
		t.Init(table.Bytes, table.Pos)
		return &L2NormOptions{
			Activation: Activation(t.FusedActivationFunction()),
		}
	case fb.BuiltinOptionsLeakyReluOptions:
		var t fb.LeakyReluOptions
		t.Init(table.Bytes, table.Pos)
		return &LeakyReluOptions{
			Alpha: t.Alpha(),
		}
	case fb.BuiltinOptionsReshapeOptions:
		var t fb.ReshapeOptions
		t.Init(table.Bytes, table.Pos)
		return &ReshapeOptions{
			NewShape: r.ints(t.NewShapeLength(), t.NewShape),
		}
	case fb.BuiltinOptionsReducerOptions:
		var t fb.ReducerOptions
		t.Init(table.Bytes, table.Pos)
		return &ReducerOptions{
			KeepDims: t.KeepDims(),
		}
	case fb.BuiltinOptionsResizeBilinearOptions:
		var t fb.ResizeBilinearOptions
		t.Init(table.Bytes, table.Pos)
		return &ResizeBilinearOptions{
			AlignCorners:     t.AlignCorners(),
			HalfPixelCenters: t.HalfPixelCenters(),
		}
	case fb.BuiltinOptionsResizeNearestNeighborOptions:
		var t fb.ResizeNearestNeighborOptions
		t.Init(table.Bytes, table.Pos)
		return &ResizeNearestNeighborOptions{
			AlignCorners:     t.AlignCorners(),
			HalfPixelCenters: t.HalfPixelCenters(),
		}
	case fb.BuiltinOptionsStridedSliceOptions:
		var t fb.StridedSliceOptions
		t.Init(table.Bytes, table.Pos)
		return &StridedSliceOptions{
			BeginMask:      int(t.BeginMask()),
			EndMask:        int(t.EndMask()),
			EllipsisMask:   int(t.EllipsisMask()),
			NewAxisMask:    int(t.NewAxisMask()),
			ShrinkAxisMask: int(t.ShrinkAxisMask()),
			Offset:         t.Offset(),
		}
	case fb.BuiltinOptionsSqueezeOptions:
		var t fb.SqueezeOptions
		t.Init(table.Bytes, table.Pos)
		return &SqueezeOptions{
			SqueezeDims: r.ints(t.SqueezeDimsLength(), t.SqueezeDims),
		}
	case fb.BuiltinOptionsSplitOptions:
		var t fb.SplitOptions
		t.Init(table.Bytes, table.Pos)
		return &SplitOptions{
			NumSplits: int(t.NumSplits()),
		}
	case fb.BuiltinOptionsSplitVOptions:
		var t fb.SplitVOptions
		t.Init(table.Bytes, table.Pos)
		return &SplitVOptions{
			NumSplits: int(t.NumSplits()),
		}
	case fb.BuiltinOptionsPackOptions:
		var t fb.PackOptions
		t.Init(table.Bytes, table.Pos)
		return &PackOptions{
			ValuesCount: int(t.ValuesCount()),
			Axis:        int(t.Axis()),
		}
	case fb.BuiltinOptionsUnpackOptions:
		var t fb.UnpackOptions
		t.Init(table.Bytes, table.Pos)
		return &UnpackOptions{
			Num:  int(t.Num()),
			Axis: int(t.Axis()),
		}
	case fb.BuiltinOptionsMirrorPadOptions:
		var t fb.MirrorPadOptions
		t.Init(table.Bytes, table.Pos)
		return &MirrorPadOptions{
			Mode: t.Mode(),
		}
	case fb.BuiltinOptionsSpaceToDepthOptions:
		var t fb.SpaceToDepthOptions
		t.Init(table.Bytes, table.Pos)
		return &SpaceToDepthOptions{
			BlockSize: int(t.BlockSize()),
		}
	case fb.BuiltinOptionsDepthToSpaceOptions:
		var t fb.DepthToSpaceOptions
		t.Init(table.Bytes, table.Pos)
		return &DepthToSpaceOptions{
			BlockSize: int(t.BlockSize()),
		}
	case fb.BuiltinOptionsBatchMatMulOptions:
		var t fb.BatchMatMulOptions
		t.Init(table.Bytes, table.Pos)
		return &BatchMatMulOptions{
			AdjX:                     t.AdjX(),
			AdjY:                     t.AdjY(),
			AsymmetricQuantizeInputs: t.AsymmetricQuantizeInputs(),
		}
	case fb.BuiltinOptionsArgMaxOptions:
		var t fb.ArgMaxOptions
		t.Init(table.Bytes, table.Pos)
		return &ArgMaxOptions{
			OutputType: Type(t.OutputType()),
		}
	case fb.BuiltinOptionsArgMinOptions:
		var t fb.ArgMinOptions
		t.Init(table.Bytes, table.Pos)
		return &ArgMinOptions{
			OutputType: Type(t.OutputType()),
		}
	case fb.BuiltinOptionsGatherOptions:
		var t fb.GatherOptions
		t.Init(table.Bytes, table.Pos)
		return &GatherOptions{
			Axis:      int(t.Axis()),
			BatchDims: int(t.BatchDims()),
		}
	case fb.BuiltinOptionsCastOptions:
		var t fb.CastOptions
		t.Init(table.Bytes, table.Pos)
		return &CastOptions{
			InType:  Type(t.InDataType()),
			OutType: Type(t.OutDataType()),
		}
	}
	return nil
}
