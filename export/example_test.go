package export_test

import (
	"fmt"
	"os"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/layers"
)

// A float network, quantized with a few samples, becomes an int8 file: bias and activation are in the operator of their layer.
func ExampleTFLite() {
	net, err := layers.Model{Name: "sine", Input: layers.Shape{1}, Layer: layers.Sequential{
		layers.Dense{Name: "hidden", Units: 2, Activation: layers.ReLU, Init: layers.Constant(1)},
		layers.Dense{Name: "out", Units: 1, Init: layers.Constant(0.5)},
	}}.Trace()
	if err != nil {
		fmt.Println(err)
		return
	}
	samples, err := datasets.FromTargets("sine", []int{1}, []float32{0, 1, 2, 2.55}, []float32{0, 1, 2, 2.55}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := (fakequant.PTQ{Config: fakequant.Config{Calibration: samples}}).Apply(net); err != nil {
		fmt.Println(err)
		return
	}

	file, err := export.TFLite(net, export.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range file.Subgraphs[0].Operators {
		fmt.Println(o.Code, "writes", file.Subgraphs[0].Tensors[o.Outputs[0]].Name)
	}
	in := file.Subgraphs[0].Tensors[file.Subgraphs[0].Inputs[0]]
	fmt.Printf("%s: %s, scale %.2f, zero point %d\n", in.Name, in.Type, in.Quant.Scale[0], in.Quant.ZeroPoint[0])
	fmt.Println("needs TensorFlow Lite", tflite.MinRuntimeVersion(file))

	dir, err := os.MkdirTemp("", "sine")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := file.WriteFile(dir + "/sine.tflite"); err != nil {
		fmt.Println(err)
	}
	// Output:
	// FULLY_CONNECTED writes hidden/relu
	// FULLY_CONNECTED writes out/bias_add
	// input: int8, scale 0.01, zero point -128
	// needs TensorFlow Lite 1.14.0
}
