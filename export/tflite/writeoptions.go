package tflite

import (
	"fmt"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/temper-ml/temper/export/tflite/internal/fb"
)

// options writes the options table of an operator.
func (w *writer) options(options any) (fb.BuiltinOptions, flatbuffers.UOffsetT, error) {
	b := w.b
	switch o := options.(type) {
	case nil:
		return fb.BuiltinOptionsNONE, 0, nil
	case *Conv2DOptions:
		fb.Conv2DOptionsStart(b)
		fb.Conv2DOptionsAddPadding(b, int8(o.Padding))
		fb.Conv2DOptionsAddStrideW(b, int32(o.StrideW))
		fb.Conv2DOptionsAddStrideH(b, int32(o.StrideH))
		fb.Conv2DOptionsAddDilationWFactor(b, int32(o.DilationW))
		fb.Conv2DOptionsAddDilationHFactor(b, int32(o.DilationH))
		fb.Conv2DOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsConv2DOptions, fb.Conv2DOptionsEnd(b), nil
	case *DepthwiseConv2DOptions:
		fb.DepthwiseConv2DOptionsStart(b)
		fb.DepthwiseConv2DOptionsAddPadding(b, int8(o.Padding))
		fb.DepthwiseConv2DOptionsAddStrideW(b, int32(o.StrideW))
		fb.DepthwiseConv2DOptionsAddStrideH(b, int32(o.StrideH))
		fb.DepthwiseConv2DOptionsAddDepthMultiplier(b, int32(o.DepthMultiplier))
		fb.DepthwiseConv2DOptionsAddDilationWFactor(b, int32(o.DilationW))
		fb.DepthwiseConv2DOptionsAddDilationHFactor(b, int32(o.DilationH))
		fb.DepthwiseConv2DOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsDepthwiseConv2DOptions, fb.DepthwiseConv2DOptionsEnd(b), nil
	case *TransposeConvOptions:
		fb.TransposeConvOptionsStart(b)
		fb.TransposeConvOptionsAddPadding(b, int8(o.Padding))
		fb.TransposeConvOptionsAddStrideW(b, int32(o.StrideW))
		fb.TransposeConvOptionsAddStrideH(b, int32(o.StrideH))
		fb.TransposeConvOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsTransposeConvOptions, fb.TransposeConvOptionsEnd(b), nil
	case *Pool2DOptions:
		fb.Pool2DOptionsStart(b)
		fb.Pool2DOptionsAddPadding(b, int8(o.Padding))
		fb.Pool2DOptionsAddStrideW(b, int32(o.StrideW))
		fb.Pool2DOptionsAddStrideH(b, int32(o.StrideH))
		fb.Pool2DOptionsAddFilterWidth(b, int32(o.FilterWidth))
		fb.Pool2DOptionsAddFilterHeight(b, int32(o.FilterHeight))
		fb.Pool2DOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsPool2DOptions, fb.Pool2DOptionsEnd(b), nil
	case *FullyConnectedOptions:
		fb.FullyConnectedOptionsStart(b)
		fb.FullyConnectedOptionsAddFusedActivationFunction(b, int8(o.Activation))
		fb.FullyConnectedOptionsAddWeightsFormat(b, o.WeightsFormat)
		fb.FullyConnectedOptionsAddKeepNumDims(b, o.KeepNumDims)
		return fb.BuiltinOptionsFullyConnectedOptions, fb.FullyConnectedOptionsEnd(b), nil
	case *SoftmaxOptions:
		fb.SoftmaxOptionsStart(b)
		fb.SoftmaxOptionsAddBeta(b, o.Beta)
		return fb.BuiltinOptionsSoftmaxOptions, fb.SoftmaxOptionsEnd(b), nil
	case *ConcatenationOptions:
		fb.ConcatenationOptionsStart(b)
		fb.ConcatenationOptionsAddAxis(b, int32(o.Axis))
		fb.ConcatenationOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsConcatenationOptions, fb.ConcatenationOptionsEnd(b), nil
	case *AddOptions:
		fb.AddOptionsStart(b)
		fb.AddOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsAddOptions, fb.AddOptionsEnd(b), nil
	case *SubOptions:
		fb.SubOptionsStart(b)
		fb.SubOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsSubOptions, fb.SubOptionsEnd(b), nil
	case *MulOptions:
		fb.MulOptionsStart(b)
		fb.MulOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsMulOptions, fb.MulOptionsEnd(b), nil
	case *L2NormOptions:
		fb.L2NormOptionsStart(b)
		fb.L2NormOptionsAddFusedActivationFunction(b, int8(o.Activation))
		return fb.BuiltinOptionsL2NormOptions, fb.L2NormOptionsEnd(b), nil
	case *LeakyReluOptions:
		fb.LeakyReluOptionsStart(b)
		fb.LeakyReluOptionsAddAlpha(b, o.Alpha)
		return fb.BuiltinOptionsLeakyReluOptions, fb.LeakyReluOptionsEnd(b), nil
	case *ReshapeOptions:
		v := w.ints(o.NewShape)
		fb.ReshapeOptionsStart(b)
		fb.ReshapeOptionsAddNewShape(b, v)
		return fb.BuiltinOptionsReshapeOptions, fb.ReshapeOptionsEnd(b), nil
	case *ReducerOptions:
		fb.ReducerOptionsStart(b)
		fb.ReducerOptionsAddKeepDims(b, o.KeepDims)
		return fb.BuiltinOptionsReducerOptions, fb.ReducerOptionsEnd(b), nil
	case *ResizeBilinearOptions:
		fb.ResizeBilinearOptionsStart(b)
		fb.ResizeBilinearOptionsAddAlignCorners(b, o.AlignCorners)
		fb.ResizeBilinearOptionsAddHalfPixelCenters(b, o.HalfPixelCenters)
		return fb.BuiltinOptionsResizeBilinearOptions, fb.ResizeBilinearOptionsEnd(b), nil
	case *ResizeNearestNeighborOptions:
		fb.ResizeNearestNeighborOptionsStart(b)
		fb.ResizeNearestNeighborOptionsAddAlignCorners(b, o.AlignCorners)
		fb.ResizeNearestNeighborOptionsAddHalfPixelCenters(b, o.HalfPixelCenters)
		return fb.BuiltinOptionsResizeNearestNeighborOptions, fb.ResizeNearestNeighborOptionsEnd(b), nil
	case *StridedSliceOptions:
		fb.StridedSliceOptionsStart(b)
		fb.StridedSliceOptionsAddBeginMask(b, int32(o.BeginMask))
		fb.StridedSliceOptionsAddEndMask(b, int32(o.EndMask))
		fb.StridedSliceOptionsAddEllipsisMask(b, int32(o.EllipsisMask))
		fb.StridedSliceOptionsAddNewAxisMask(b, int32(o.NewAxisMask))
		fb.StridedSliceOptionsAddShrinkAxisMask(b, int32(o.ShrinkAxisMask))
		fb.StridedSliceOptionsAddOffset(b, o.Offset)
		return fb.BuiltinOptionsStridedSliceOptions, fb.StridedSliceOptionsEnd(b), nil
	case *SqueezeOptions:
		v := w.ints(o.SqueezeDims)
		fb.SqueezeOptionsStart(b)
		fb.SqueezeOptionsAddSqueezeDims(b, v)
		return fb.BuiltinOptionsSqueezeOptions, fb.SqueezeOptionsEnd(b), nil
	case *SplitOptions:
		fb.SplitOptionsStart(b)
		fb.SplitOptionsAddNumSplits(b, int32(o.NumSplits))
		return fb.BuiltinOptionsSplitOptions, fb.SplitOptionsEnd(b), nil
	case *SplitVOptions:
		fb.SplitVOptionsStart(b)
		fb.SplitVOptionsAddNumSplits(b, int32(o.NumSplits))
		return fb.BuiltinOptionsSplitVOptions, fb.SplitVOptionsEnd(b), nil
	case *PackOptions:
		fb.PackOptionsStart(b)
		fb.PackOptionsAddValuesCount(b, int32(o.ValuesCount))
		fb.PackOptionsAddAxis(b, int32(o.Axis))
		return fb.BuiltinOptionsPackOptions, fb.PackOptionsEnd(b), nil
	case *UnpackOptions:
		fb.UnpackOptionsStart(b)
		fb.UnpackOptionsAddNum(b, int32(o.Num))
		fb.UnpackOptionsAddAxis(b, int32(o.Axis))
		return fb.BuiltinOptionsUnpackOptions, fb.UnpackOptionsEnd(b), nil
	case *MirrorPadOptions:
		fb.MirrorPadOptionsStart(b)
		fb.MirrorPadOptionsAddMode(b, o.Mode)
		return fb.BuiltinOptionsMirrorPadOptions, fb.MirrorPadOptionsEnd(b), nil
	case *SpaceToDepthOptions:
		fb.SpaceToDepthOptionsStart(b)
		fb.SpaceToDepthOptionsAddBlockSize(b, int32(o.BlockSize))
		return fb.BuiltinOptionsSpaceToDepthOptions, fb.SpaceToDepthOptionsEnd(b), nil
	case *DepthToSpaceOptions:
		fb.DepthToSpaceOptionsStart(b)
		fb.DepthToSpaceOptionsAddBlockSize(b, int32(o.BlockSize))
		return fb.BuiltinOptionsDepthToSpaceOptions, fb.DepthToSpaceOptionsEnd(b), nil
	case *BatchMatMulOptions:
		fb.BatchMatMulOptionsStart(b)
		fb.BatchMatMulOptionsAddAdjX(b, o.AdjX)
		fb.BatchMatMulOptionsAddAdjY(b, o.AdjY)
		fb.BatchMatMulOptionsAddAsymmetricQuantizeInputs(b, o.AsymmetricQuantizeInputs)
		return fb.BuiltinOptionsBatchMatMulOptions, fb.BatchMatMulOptionsEnd(b), nil
	case *ArgMaxOptions:
		fb.ArgMaxOptionsStart(b)
		fb.ArgMaxOptionsAddOutputType(b, int8(o.OutputType))
		return fb.BuiltinOptionsArgMaxOptions, fb.ArgMaxOptionsEnd(b), nil
	case *ArgMinOptions:
		fb.ArgMinOptionsStart(b)
		fb.ArgMinOptionsAddOutputType(b, int8(o.OutputType))
		return fb.BuiltinOptionsArgMinOptions, fb.ArgMinOptionsEnd(b), nil
	case *GatherOptions:
		fb.GatherOptionsStart(b)
		fb.GatherOptionsAddAxis(b, int32(o.Axis))
		fb.GatherOptionsAddBatchDims(b, int32(o.BatchDims))
		return fb.BuiltinOptionsGatherOptions, fb.GatherOptionsEnd(b), nil
	case *CastOptions:
		fb.CastOptionsStart(b)
		fb.CastOptionsAddInDataType(b, int8(o.InType))
		fb.CastOptionsAddOutDataType(b, int8(o.OutType))
		return fb.BuiltinOptionsCastOptions, fb.CastOptionsEnd(b), nil
	}
	return 0, 0, fmt.Errorf("options of type %T cannot be written", options)
}
