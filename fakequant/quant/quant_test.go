package quant_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/temper-ml/temper/fakequant/quant"
)

func TestParams(t *testing.T) {
	one, two := quant.PerTensor(0.5, 3), quant.PerAxis([]float32{0.5, 0.25}, 3)
	if one.IsPerAxis() || !two.IsPerAxis() || two.ZeroPoint[1] != 0 {
		t.Errorf("%+v, %+v", one, two)
	}
	if !one.Equal(quant.Params{Scale: []float32{0.5}, ZeroPoint: []int32{3}, Axis: 7}) {
		t.Error("the axis of a single scale counts")
	}
	for _, p := range []quant.Params{quant.PerTensor(0.5, 2), quant.PerTensor(0.25, 3), two} {
		if p.Equal(one) {
			t.Errorf("%+v equals %+v", p, one)
		}
	}
	if two.Equal(quant.PerAxis(two.Scale, 0)) {
		t.Error("the axis of several scales does not count")
	}
	for _, bad := range []quant.Params{
		{}, {Scale: []float32{1}}, quant.PerTensor(0, 0), quant.PerTensor(-1, 0),
		quant.PerTensor(float32(math.NaN()), 0), quant.PerTensor(float32(math.Inf(1)), 0),
	} {
		if bad.Check() == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	if err := two.Check(); err != nil {
		t.Error(err)
	}
}

// The range [-0.1, 25.45] of an activation, as eight-bit codes.
func Example() {
	n := quant.Nudge(quant.Range{Min: -0.1, Max: 25.45}, quant.Levels{Bits: 8})
	scale, zero := n.Int8()
	fmt.Printf("real = %.4f * (code - %d)\n", scale, zero)
	for _, x := range []float32{0, 1, 12.34, 100} {
		fmt.Printf("%g -> code %d -> %.2f\n", x, n.Code(x)+zero, n.Apply(x))
	}
	// Output:
	// real = 0.1002 * (code - -127)
	// 0 -> code -127 -> 0.00
	// 1 -> code -117 -> 1.00
	// 12.34 -> code -4 -> 12.32
	// 100 -> code 127 -> 25.45
}

// An int32 accumulator is brought to the scale of the output with integers only.
func ExampleMultiplyByQuantizedMultiplier() {
	m, shift := quant.QuantizeMultiplier(0.05 * 0.01 / 0.2) // input scale * weight scale / output scale
	fmt.Println(m, shift, quant.MultiplyByQuantizedMultiplier(10000, m, shift))
	// Output: 1374389535 -8 25
}
