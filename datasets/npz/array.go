package npz

import (
	"fmt"
	"math"
)

// Array is an array of a file, in C order. Data has the product of Shape elements; a Shape without sizes is that of a scalar.
type Array struct {
	Shape []int
	Data  any // []int8, []uint8, []int16, []uint16, []int32, []uint32, []int64, []uint64, []float32, []float64 or []bool
}

type number interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float32 | float64
}

// Float32s are the elements as float32, nearest where float32 has no such value; false and true are 0 and 1. Those of a []float32 are not copied. It
// is nil for Data of another type.
func (a *Array) Float32s() []float32 {
	switch x := a.Data.(type) {
	case []float32:
		return x
	case []float64:
		return floats(x)
	case []int8:
		return floats(x)
	case []uint8:
		return floats(x)
	case []int16:
		return floats(x)
	case []uint16:
		return floats(x)
	case []int32:
		return floats(x)
	case []uint32:
		return floats(x)
	case []int64:
		return floats(x)
	case []uint64:
		return floats(x)
	case []bool:
		return floats(bits(x))
	}
	return nil
}

func floats[T number](x []T) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// Int8s are the elements as int8. Those of a []int8 are not copied. A value that is no whole number of -128 to 127 is an error.
func (a *Array) Int8s() ([]int8, error) {
	switch x := a.Data.(type) {
	case []int8:
		return x, nil
	case []uint8:
		return int8s(x)
	case []int16:
		return int8s(x)
	case []uint16:
		return int8s(x)
	case []int32:
		return int8s(x)
	case []uint32:
		return int8s(x)
	case []int64:
		return int8s(x)
	case []uint64:
		return int8s(x)
	case []float32:
		return int8s(x)
	case []float64:
		return int8s(x)
	case []bool:
		return int8s(bits(x))
	}
	return nil, fmt.Errorf("elements of type %T", a.Data)
}

func int8s[T number](x []T) ([]int8, error) {
	y := make([]int8, len(x))
	for i, v := range x {
		f := float64(v) // exact for all that fit
		if !(f >= math.MinInt8 && f <= math.MaxInt8) || f != math.Trunc(f) {
			return nil, fmt.Errorf("element %d is %v, which int8 cannot hold", i, v)
		}
		y[i] = int8(f)
	}
	return y, nil
}

func bits(x []bool) []uint8 {
	y := make([]uint8, len(x))
	for i, b := range x {
		if b {
			y[i] = 1
		}
	}
	return y
}
