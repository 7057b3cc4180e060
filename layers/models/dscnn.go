package models

import "github.com/temper-ml/temper/layers"

func init() {
	register("ds-cnn", network{layers.Shape{49, 10, 1}, 12, dsCNN})
}

// dsCNN is the keyword-spotting network of MLPerf Tiny (mlcommons/tiny, keyword_spotting/keras_model.py; Zhang et al., Hello Edge, 2017).
// For another input the size of the first kernel stays within the input.
func dsCNN(input layers.Shape, classes int) layers.Sequential {
	first := [2]int{10, 4}
	if len(input) == 3 {
		first = [2]int{min(10, input[0]), min(4, input[1])}
	}
	s := layers.Sequential{
		layers.Conv2D{Filters: 64, KernelSize: first, Stride: 2}, norm, layers.Dropout{Rate: 0.2},
	}
	for range 4 {
		s = append(s, layers.DepthwiseConv2D{Kernel: 3}, norm, layers.Conv2D{Filters: 64, Kernel: 1}, norm)
	}
	return append(s, layers.Dropout{Rate: 0.4}, layers.GlobalAvgPool{}, layers.Dense{Units: classes})
}
