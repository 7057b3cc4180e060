package interp_test

import (
	"fmt"

	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

// A file is prepared once and run as often as wanted. Here it is a ReLU whose output has twice the scale of its input; a model from disk comes from
// tflite.ReadFile.
func ExampleNew() {
	in, out := quant.PerTensor(0.5, 0), quant.PerTensor(1, -128)
	m := &tflite.Model{Version: 3, Subgraphs: []*tflite.Graph{{
		Tensors: []*tflite.Tensor{
			{Name: "x", Type: tflite.INT8, Shape: []int{1, 4}, Quant: &in},
			{Name: "y", Type: tflite.INT8, Shape: []int{1, 4}, Quant: &out},
		},
		Inputs: []int{0}, Outputs: []int{1},
		Operators: []*tflite.Operator{{Code: tflite.RELU, Inputs: []int{0}, Outputs: []int{1}}},
	}}}
	it, err := interp.New(m, interp.TFLM)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := it.Inputs()[0].SetFloats([]float32{-3, 0, 2, 2.4}); err != nil {
		fmt.Println(err)
		return
	}
	it.Invoke()
	y := make([]float32, 4)
	if err := it.Outputs()[0].Floats(y); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("codes in ", it.Inputs()[0].Int8())
	fmt.Println("codes out", it.Outputs()[0].Int8())
	fmt.Println("values   ", y)
	// Output:
	// codes in  [-6 0 4 5]
	// codes out [-128 -128 -126 -125]
	// values    [0 0 2 3]
}
