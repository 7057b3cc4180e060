package interp

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

func init() {
	register(tflite.HARD_SWISH, 1, "int8, float32", prepareHardSwish)
}

// prepareHardSwish is the 16-bit fixed-point kernel of hard_swish.h.
func prepareHardSwish(n *node) (func(), error) {
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind == tflite.FLOAT32 {
		return mapFloat(n, func(v float32) float32 { return v * min(max(v+3, 0), 6) / 6 }), nil
	}
	hires := n.in[0].Quant.Scale[0] / 128 // scale of the input with 7 more bits
	out, outExp := narrow(float64(hires / n.out[0].Quant.Scale[0]))
	if outExp > 0 {
		return nil, fmt.Errorf("input scale %g and output scale %g: the kernel takes outputs no finer than 1/128 of the input", n.in[0].Quant.Scale[0], n.out[0].Quant.Scale[0])
	}
	relu, reluExp := narrow(float64(hires / (3.0 / 32768)))
	zx, zy := zeroOf(n.in[0]), zeroOf(n.out[0])
	return mapInt8(n, func(q int32) int8 {
		x := int16(q-zx) * 128
		scaled := roundingHighMul16(x, out)
		r := x
		if reluExp > 0 {
			r = shiftLeft16(r, reluExp-1)
		}
		r = roundingHighMul16(r, relu)
		if reluExp > 0 {
			r = shiftLeft16(r, 1)
		}
		if reluExp < 0 {
			r = int16(quant.RoundingDivideByPOT(int32(r), -reluExp))
		}
		// From [-1, 1] to [0, 1].
		r = int16((int32(r) + 1<<15) >> 1)
		y := highMul16(r, scaled)
		return clamp8(int32(int16(quant.RoundingDivideByPOT(int32(y), -outExp)))+zy, -128, 127)
	}), nil
}

// narrow is a factor as a 16-bit multiplier and an exponent.
func narrow(d float64) (int16, int) {
	m, shift := quant.QuantizeMultiplier(d)
	const half = 1 << 15
	if m >= math.MaxInt32-half {
		return math.MaxInt16, shift
	}
	return int16((m + half) >> 16), shift
}

func shiftLeft16(x int16, n int) int16 {
	return int16(min(max(int32(x)<<n, math.MinInt16), math.MaxInt16))
}

func roundingHighMul16(a, b int16) int16 {
	if a == b && a == math.MinInt16 {
		return math.MaxInt16
	}
	ab, nudge := int32(a)*int32(b), int32(1<<14)
	if ab < 0 {
		nudge = 1 - 1<<14
	}
	return int16((ab + nudge) / (1 << 15))
}

func highMul16(a, b int16) int16 {
	if a == b && a == math.MinInt16 {
		return math.MaxInt16
	}
	return int16(int32(a) * int32(b) / (1 << 15))
}
