package layers_test

import (
	"fmt"
	"log"

	"github.com/temper-ml/temper/layers"
)

// A small network for digits of 28 by 28 pixels, and what it costs.
func Example() {
	net, err := layers.Model{Name: "digits", Seed: 1, Input: layers.Shape{28, 28, 1}, Layer: layers.Sequential{
		layers.Conv2D{Filters: 8, Kernel: 3, Stride: 2, Activation: layers.ReLU},
		layers.MaxPool2D{Size: 2},
		layers.Flatten{},
		layers.Dense{Units: 10},
	}}.Trace()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(layers.Summary(net))
	// Output:
	// layer          kinds                output           parameters  MACs
	// conv2d         Conv2D+BiasAdd+ReLU  [batch,14,14,8]  80          14112
	// max_pooling2d  MaxPool2D            [batch,7,7,8]    0           0
	// flatten        Reshape              [batch,392]      0           0
	// dense          Dense+BiasAdd        [batch,10]       3930        3920
	// digits: 4010 parameters (4010 trainable), 18032 MACs an example
}

// The error of a network that does not fit together names the layer and the shapes.
func ExampleModel_Trace() {
	conv := layers.Conv2D{Filters: 16, Kernel: 3, Stride: 2}
	_, err := layers.Model{Name: "net", Input: layers.Shape{32, 32, 3}, Layer: layers.Residual{Body: conv, Name: "block"}}.Trace()
	fmt.Println(err)
	// Output: net: block/add: Add: shapes [batch,16,16,16] and [batch,32,32,3] do not fit
}
