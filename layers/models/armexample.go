package models

import "github.com/temper-ml/temper/layers"

func init() {
	register("arm-example", network{layers.Shape{28, 28, 1}, 10, armExample})
}

// armExample is the network of Arm's model-conditioning examples.
func armExample(_ layers.Shape, classes int) layers.Sequential {
	conv := layers.Conv2D{Filters: 32, Kernel: 3, Activation: layers.ReLU}
	return layers.Sequential{
		conv, conv, layers.MaxPool2D{Size: 2},
		conv, layers.MaxPool2D{Size: 2},
		layers.Flatten{}, layers.Dense{Units: classes},
	}
}
