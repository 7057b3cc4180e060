package models

import (
	"github.com/temper-ml/temper/layers"
)

func init() {
	register("mobilenet-v1-0.25", network{layers.Shape{96, 96, 3}, 2, mobileNetV1})
	register("mobilenet-v2-0.35", network{layers.Shape{96, 96, 3}, 2, mobileNetV2})
}

// mobileNetV1 is the visual-wake-words network of MLPerf Tiny (mlcommons/tiny, visual_wake_words/vww_model.py): MobileNetV1 (Howard et al., 2017)
// with width multiplier 0.25.
func mobileNetV1(_ layers.Shape, classes int) layers.Sequential {
	s := layers.Sequential{layers.Conv2D{Filters: 8, Kernel: 3, Stride: 2}, norm}
	for _, l := range []struct{ filters, stride int }{
		{16, 1}, {32, 2}, {32, 1}, {64, 2}, {64, 1}, {128, 2}, {128, 1}, {128, 1}, {128, 1}, {128, 1}, {128, 1}, {256, 2}, {256, 1},
	} {
		s = append(s, layers.DepthwiseConv2D{Kernel: 3, Stride: l.stride}, norm,
			layers.Conv2D{Filters: l.filters, Kernel: 1}, norm)
	}
	return append(s, layers.GlobalAvgPool{}, layers.Dense{Units: classes})
}

// mobileNetV2 is MobileNetV2 (Sandler et al., 2018) with width multiplier 0.35; channels are rounded to multiples of 8 as Keras does.
func mobileNetV2(_ layers.Shape, classes int) layers.Sequential {
	act := layers.BatchNorm{Activation: layers.ReLU6}
	s := layers.Sequential{layers.Conv2D{Filters: 16, Kernel: 3, Stride: 2, NoBias: true}, act}
	in := 16
	for _, g := range []struct{ expand, filters, repeat, stride int }{
		{1, 8, 1, 1}, {6, 8, 2, 2}, {6, 16, 3, 2}, {6, 24, 4, 2}, {6, 32, 3, 1}, {6, 56, 3, 2}, {6, 112, 1, 1},
	} {
		for i := range g.repeat {
			stride := g.stride
			if i > 0 {
				stride = 1
			}
			var body layers.Sequential
			if g.expand > 1 {
				body = append(body, layers.Conv2D{Filters: in * g.expand, Kernel: 1, NoBias: true}, act)
			}
			body = append(body, layers.DepthwiseConv2D{Kernel: 3, Stride: stride, NoBias: true}, act,
				layers.Conv2D{Filters: g.filters, Kernel: 1, NoBias: true}, layers.BatchNorm{})
			if stride == 1 && in == g.filters {
				s = append(s, layers.Residual{Body: body})
			} else {
				s = append(s, layers.Scope{Name: "block", Layer: body})
			}
			in = g.filters
		}
	}
	return append(s, layers.Conv2D{Filters: 1280, Kernel: 1, NoBias: true}, act, layers.GlobalAvgPool{}, layers.Dense{Units: classes})
}
