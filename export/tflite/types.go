package tflite

import "fmt"

// Type is the type of a tensor's elements, numbered as in the TFLite schema (TensorType).
type Type int8

const (
	FLOAT32 Type = 0
	FLOAT16 Type = 1
	INT32   Type = 2
	UINT8   Type = 3
	INT64   Type = 4
	STRING  Type = 5
	BOOL    Type = 6
	INT16   Type = 7
	INT8    Type = 9
	FLOAT64 Type = 10
	UINT64  Type = 12
	UINT32  Type = 15
	UINT16  Type = 16
	INT4    Type = 17
)

var typeNames = map[Type]string{
	FLOAT32: "float32", FLOAT16: "float16", INT32: "int32", UINT8: "uint8", INT64: "int64", STRING: "string", BOOL: "bool", INT16: "int16",
	INT8: "int8", FLOAT64: "float64", UINT64: "uint64", UINT32: "uint32", UINT16: "uint16", INT4: "int4",
}

// String is the name of the type.
func (t Type) String() string {
	if n, ok := typeNames[t]; ok {
		return n
	}
	return fmt.Sprintf("type_%d", int8(t))
}

// codes are the smallest and the largest code of a type that can be quantized with a zero point.
func (t Type) codes() (lo, hi int32, ok bool) {
	switch t {
	case INT4:
		return -8, 7, true
	case INT8:
		return -128, 127, true
	case UINT8:
		return 0, 255, true
	case INT16:
		return -1 << 15, 1<<15 - 1, true
	}
	return 0, 0, false
}

// Size is the bytes of an element, 0 for types whose elements have no fixed size.
func (t Type) Size() int {
	switch t {
	case UINT8, BOOL, INT8:
		return 1
	case FLOAT16, INT16, UINT16:
		return 2
	case FLOAT32, INT32, UINT32:
		return 4
	case INT64, UINT64, FLOAT64:
		return 8
	}
	return 0
}
