package interp

import (
	"fmt"
	"math/bits"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

func init() {
	register(tflite.L2_NORMALIZATION, 1, "int8, over the last dimension", prepareL2Norm)
}

// prepareL2Norm divides each vector of the last dimension by its length, in fixed point (l2normalization.h).
func prepareL2Norm(n *node) (func(), error) {
	o, err := options[tflite.L2NormOptions](n)
	if err != nil {
		return nil, err
	}
	kind, err := sameSize(n)
	if err != nil {
		return nil, err
	}
	if kind != tflite.INT8 || o.Activation != tflite.NONE || len(n.in[0].Shape) == 0 {
		return nil, fmt.Errorf("input %s of shape %v with fused activation %d: want int8, at least one dimension, no activation", kind, n.in[0].Shape, o.Activation)
	}
	x, y, zero := n.in[0].Int8(), n.out[0].Int8(), zeroOf(n.in[0])
	c := n.in[0].Shape[len(n.in[0].Shape)-1]
	return func() {
		for at := 0; at < len(x); at += c {
			sum := int32(0)
			for _, v := range x[at : at+c] {
				d := int32(v) - zero
				sum += d * d
			}
			m, shift := inverseSqrt(sum)
			for i, v := range x[at : at+c] {
				y[at+i] = clamp8(quant.MultiplyByQuantizedMultiplier(int32(v)-zero, m, shift+7), -128, 127)
			}
		}
	}, nil
}

// inverseSqrt is 1/sqrt(x) as m * 2^(shift-31), by five Newton steps on 3 integer bits (internal/common.cc, GetInvSqrtQuantizedMultiplierExp).
func inverseSqrt(x int32) (m int32, shift int) {
	if x <= 1 {
		return 1<<31 - 1, 0
	}
	right := 11
	for x >= 1<<29 {
		x /= 4
		right++
	}
	pairs := (bits.LeadingZeros32(uint32(x))-1)/2 - 1
	right -= pairs
	x <<= 2 * pairs
	mul := quant.SaturatingRoundingDoublingHighMul
	half := quant.RoundingDivideByPOT(x>>1, 1)
	const threeHalves = 1<<28 + 1<<27
	v := int32(1 << 28)
	for range 5 {
		cube := shiftLeft(mul(mul(v, v), v), 6)
		v = shiftLeft(mul(threeHalves, v)-mul(half, cube), 3)
	}
	v = mul(v, 1518500250)
	if right < 0 {
		v <<= -right
		right = 0
	}
	return v, -right
}
