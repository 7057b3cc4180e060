package tflite

import "github.com/temper-ml/temper/fakequant/quant"

// Model is a .tflite file as plain Go values. Buffers and operator codes, which the file keeps in tables of their own, are folded into the
// tensors and operators that use them.
type Model struct {
	Version     uint32 // schema version, 3
	Description string
	Subgraphs   []*Graph // the first is the entry point
	Signatures  []Signature
	Metadata    []Metadata
}

// Graph is a subgraph: tensors, and operators in order of execution.
type Graph struct {
	Name      string
	Tensors   []*Tensor
	Inputs    []int // indices into Tensors
	Outputs   []int
	Operators []*Operator
}

// Tensor is a value of the graph. Data is nil unless the tensor is a constant; it is little-endian and row-major.
type Tensor struct {
	Name     string
	Type     Type
	Shape    []int         // static sizes; a scalar has none
	Data     []byte        // constant contents, nil for an activation
	Quant    *quant.Params // nil when the tensor is not quantized
	Variable bool
}

// Operator applies a builtin (or custom) operator. An absent optional input is -1.
type Operator struct {
	Code    Code
	Custom  string // custom_code when Code == CUSTOM
	Version int    // version of the operator's schema, at least 1
	Inputs  []int
	Outputs []int
	Options any    // a pointer to one of the ...Options types, or nil
	Payload []byte // custom_options when Code == CUSTOM
}

// Signature names inputs and outputs for the caller (SignatureDef).
type Signature struct {
	Key      string // "serving_default"
	Subgraph int
	Inputs   []Named
	Outputs  []Named
}

// Named is one entry of a signature: a name and a tensor index.
type Named struct {
	Name   string
	Tensor int
}

// Metadata is a named buffer of the file, such as min_runtime_version.
type Metadata struct {
	Name string
	Data []byte
}

// Volume is the number of elements of the tensor.
func (t *Tensor) Volume() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// IsConst tells whether the tensor's contents are in the file.
func (t *Tensor) IsConst() bool { return t.Data != nil }
