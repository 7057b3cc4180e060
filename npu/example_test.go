package npu_test

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu"
)

// A file that Vela compiled, checked and executed without a board.
func ExampleNewSimulator() {
	m, err := tflite.ReadFile("testdata/t_add__u65-512.tflite")
	if err != nil {
		fmt.Println(err)
		return
	}
	programs, err := npu.ReadPrograms(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, p := range programs {
		fmt.Printf("operator %d: %d commands for %s, %d findings\n", i, len(p.Commands), p.Target.Name, len(p.Check()))
	}
	net, err := npu.NewSimulator(m)
	if err != nil {
		fmt.Println(err)
		return
	}
	in := net.Inputs()[0].Int8()
	for i := range in {
		in[i] = int8(i)
	}
	if net.Invoke(); net.Err() != nil {
		fmt.Println(net.Err())
		return
	}
	fmt.Println(net.Outputs()[0].Int8()[:8])
	// Output:
	// operator 0: 94 commands for ethos-u65-512, 0 findings
	// [2 10 -9 -20 -29 -27 12 -28]
}
