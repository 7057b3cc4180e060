package models

import (
	"github.com/temper-ml/temper/layers"
)

func init() {
	register("resnet-8", network{layers.Shape{32, 32, 3}, 10, resNet8})
}

// resNet8 is the image-classification network of MLPerf Tiny (mlcommons/tiny, image_classification/keras_model.py, resnet_v1_eembc).
func resNet8(_ layers.Shape, classes int) layers.Sequential {
	conv := func(filters, kernel, stride int) layers.Conv2D {
		return layers.Conv2D{Filters: filters, Kernel: kernel, Stride: stride, Init: layers.HeNormal}
	}
	block := func(filters, stride int) layers.Residual {
		r := layers.Residual{
			Body:       layers.Sequential{conv(filters, 3, stride), norm, conv(filters, 3, 1), layers.BatchNorm{}},
			Activation: layers.ReLU,
		}
		if stride > 1 {
			r.Shortcut = conv(filters, 1, stride)
		}
		return r
	}
	return layers.Sequential{
		conv(16, 3, 1), norm,
		block(16, 1), block(32, 2), block(64, 2),
		layers.GlobalAvgPool{}, layers.Dense{Units: classes, Init: layers.HeNormal},
	}
}
