package mlw_test

import (
	"fmt"

	"github.com/temper-ml/temper/npu/mlw"
)

// Weights of which nine of ten are zero take less than a bit each.
func ExampleEncode() {
	weights := make([]int16, 1000)
	for i := 0; i < len(weights); i += 10 {
		weights[i] = int16(i%30 - 15)
	}
	stream, err := mlw.Encode(weights)
	if err != nil {
		fmt.Println(err)
		return
	}
	again, err := mlw.Decode(stream, len(weights))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(weights), "weights in", len(stream), "bytes;", again[:12])
	// Output:
	// 1000 weights in 96 bytes; [-15 0 0 0 0 0 0 0 0 0 -5 0]
}
