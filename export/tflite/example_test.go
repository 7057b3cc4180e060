package tflite_test

import (
	"fmt"
	"os"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

// A model is plain values; Marshal and Read are the file.
func ExampleModel_Marshal() {
	q := quant.PerTensor(0.5, 3)
	m := &tflite.Model{Version: 3, Description: "a clamp", Subgraphs: []*tflite.Graph{{
		Name: "main",
		Tensors: []*tflite.Tensor{
			{Name: "x", Type: tflite.INT8, Shape: []int{1, 8}, Quant: &q},
			{Name: "y", Type: tflite.INT8, Shape: []int{1, 8}, Quant: &q},
		},
		Inputs: []int{0}, Outputs: []int{1},
		Operators: []*tflite.Operator{{Code: tflite.RELU6, Version: 2, Inputs: []int{0}, Outputs: []int{1}}},
	}}}
	data, err := m.Marshal()
	if err != nil {
		fmt.Println(err)
		return
	}
	if m, err = tflite.Read(data); err != nil {
		fmt.Println(err)
		return
	}
	if err := tflite.Dump(os.Stdout, m); err != nil {
		fmt.Println(err)
	}
	// Output:
	// model "a clamp", schema 3
	// subgraph 0 "main": inputs [0], outputs [1]
	//   0: RELU6 v2 [0] -> [1]
	//   t0: x int8 [1 8], scale 0.5 zero 3
	//   t1: y int8 [1 8], scale 0.5 zero 3
}
