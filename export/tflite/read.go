package tflite

import (
	"fmt"
	"os"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/temper-ml/temper/export/tflite/internal/fb"
	"github.com/temper-ml/temper/fakequant/quant"
)

// maxFile bounds the size of a file that is read: flatbuffers end at 2 GiB.
const maxFile = 2 << 30

// maxTensor bounds the elements of a tensor.
const maxTensor = 1 << 30

// ReadFile reads a .tflite file.
func ReadFile(path string) (*Model, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), int64(maxFile))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Read decodes a file's bytes, which may come from anywhere. Contents of tensors are slices of data.
//
// Go's flatbuffers has no verifier. Every access is a bounds-checked slice access, the nesting of the tables is fixed, and the length of every
// vector is compared with the size of the file before it is walked, so a hostile file can only make an access panic: that becomes an error.
func Read(data []byte) (m *Model, err error) {
	r := &reader{data: data, where: "the file"}
	defer func() {
		if p := recover(); p != nil {
			m, err = nil, fmt.Errorf("not a valid .tflite file: %s is damaged or truncated", r.where)
			if rule, ok := p.(string); ok { // ours; the others are accesses outside of the file
				err = fmt.Errorf("%w: %s", err, rule)
			}
		}
	}()
	if len(data) < 8 || string(data[4:8]) != "TFL3" {
		return nil, fmt.Errorf("not a .tflite file: the identifier TFL3 is missing")
	}
	m = r.model(fb.GetRootAsModel(data, 0))
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// reader walks the tables; it panics on what cannot be, with a text for the error.
type reader struct {
	data    []byte
	where   string // what is being read
	walked  int    // bytes of the vectors and strings so far, shared ones each time
	buffers [][]byte
	codes   []fb.OperatorCode
}

func (r *reader) at(format string, args ...any) { r.where = fmt.Sprintf(format, args...) }

// count checks the length of a vector whose elements have at least size bytes. Vectors may share their bytes, so that a small file could stand for a
// model of any size: all together may be a few times as long as the file.
func (r *reader) count(n, size int) int {
	if n < 0 || n > len(r.data)/size {
		panic(fmt.Sprintf("a vector of %d elements in a file of %d bytes", n, len(r.data)))
	}
	if r.walked += n * size; r.walked > 8*len(r.data)+1<<16 {
		panic(fmt.Sprintf("its vectors together are more than 8 times as long as the file of %d bytes", len(r.data)))
	}
	return n
}

// text copies a string.
func (r *reader) text(b []byte) string { return string(b[:r.count(len(b), 1)]) }

func (r *reader) model(t *fb.Model) *Model {
	m := &Model{Version: t.Version(), Description: r.text(t.Description())}
	for i := range r.count(t.BuffersLength(), 4) {
		r.at("buffer %d", i)
		var b fb.Buffer
		t.Buffers(&b, i)
		r.buffers = append(r.buffers, r.contents(&b))
	}
	for i := range r.count(t.OperatorCodesLength(), 4) {
		r.at("operator code %d", i)
		var c fb.OperatorCode
		t.OperatorCodes(&c, i)
		r.codes = append(r.codes, c)
	}
	for i := range r.count(t.SubgraphsLength(), 4) {
		r.at("subgraph %d", i)
		var g fb.SubGraph
		t.Subgraphs(&g, i)
		m.Subgraphs = append(m.Subgraphs, r.graph(&g, i))
	}
	for i := range r.count(t.SignatureDefsLength(), 4) {
		r.at("signature %d", i)
		var s fb.SignatureDef
		t.SignatureDefs(&s, i)
		sig := Signature{Key: r.text(s.SignatureKey()), Subgraph: int(s.SubgraphIndex())}
		sig.Inputs = r.names(s.InputsLength(), s.Inputs)
		sig.Outputs = r.names(s.OutputsLength(), s.Outputs)
		m.Signatures = append(m.Signatures, sig)
	}
	for i := range r.count(t.MetadataLength(), 4) {
		r.at("metadata %d", i)
		var md fb.Metadata
		t.Metadata(&md, i)
		m.Metadata = append(m.Metadata, Metadata{r.text(md.Name()), r.buffers[md.Buffer()]})
	}
	return m
}

// contents are a buffer's bytes: in the flatbuffer, or behind it at an offset in the file.
func (r *reader) contents(b *fb.Buffer) []byte {
	if off := b.Offset(); off > 1 {
		size := b.Size()
		if off > uint64(len(r.data)) || size > uint64(len(r.data))-off {
			panic(fmt.Sprintf("bytes %d to %d of a file of %d", off, off+size, len(r.data)))
		}
		return r.data[off : off+size]
	}
	r.count(b.DataLength(), 1)
	return b.DataBytes()
}

func (r *reader) names(n int, get func(*fb.TensorMap, int) bool) []Named {
	var names []Named
	for i := range r.count(n, 4) {
		var t fb.TensorMap
		get(&t, i)
		names = append(names, Named{r.text(t.Name()), int(t.TensorIndex())})
	}
	return names
}

func (r *reader) graph(t *fb.SubGraph, index int) *Graph {
	g := &Graph{Name: r.text(t.Name())}
	for i := range r.count(t.TensorsLength(), 4) {
		r.at("subgraph %d, tensor %d", index, i)
		var x fb.Tensor
		t.Tensors(&x, i)
		g.Tensors = append(g.Tensors, r.tensor(&x))
	}
	r.at("subgraph %d, inputs and outputs", index)
	g.Inputs = r.ints(t.InputsLength(), t.Inputs)
	g.Outputs = r.ints(t.OutputsLength(), t.Outputs)
	for i := range r.count(t.OperatorsLength(), 4) {
		r.at("subgraph %d, operator %d", index, i)
		var o fb.Operator
		t.Operators(&o, i)
		g.Operators = append(g.Operators, r.operator(&o))
	}
	return g
}

func (r *reader) ints(n int, get func(int) int32) []int {
	x := make([]int, r.count(n, 4))
	for i := range x {
		x[i] = int(get(i))
	}
	return x
}

func (r *reader) tensor(t *fb.Tensor) *Tensor {
	x := &Tensor{Name: r.text(t.Name()), Type: Type(t.Type()), Variable: t.IsVariable()}
	x.Shape = r.ints(t.ShapeLength(), t.Shape)
	if b := t.Buffer(); b != 0 {
		if data := r.buffers[b]; len(data) > 0 || slices.Contains(x.Shape, 0) {
			x.Data = data
			if data == nil {
				x.Data = []byte{}
			}
		}
	}
	if q := t.Quantization(nil); q != nil && q.ScaleLength() > 0 {
		x.Quant = r.quantization(q)
	}
	return x
}

// quantization reads scales and zero points; files leave the zero points out, or give one for all, where all are the same.
func (r *reader) quantization(q *fb.QuantizationParameters) *quant.Params {
	p := &quant.Params{Axis: int(q.QuantizedDimension())}
	zeros := r.count(q.ZeroPointLength(), 8)
	if zeros > 1 && zeros < q.ScaleLength() {
		panic(fmt.Sprintf("%d scales and %d zero points", q.ScaleLength(), zeros))
	}
	for i := range r.count(q.ScaleLength(), 4) {
		zero := int64(0)
		if zeros > 0 {
			zero = q.ZeroPoint(min(i, zeros-1))
		}
		if zero != int64(int32(zero)) {
			panic(fmt.Sprintf("zero point %d", zero))
		}
		p.Scale, p.ZeroPoint = append(p.Scale, q.Scale(i)), append(p.ZeroPoint, int32(zero))
	}
	if len(p.Scale) == 1 {
		p.Axis = 0
	}
	return p
}

func (r *reader) operator(t *fb.Operator) *Operator {
	c := &r.codes[t.OpcodeIndex()]
	// Codes above 127 are in the newer field only; the older field then holds 127 (a placeholder).
	o := &Operator{Code: Code(max(c.BuiltinCode(), int32(c.DeprecatedBuiltinCode()))), Version: int(max(c.Version(), 1))}
	if o.Code == CUSTOM {
		o.Custom = r.text(c.CustomCode())
	}
	o.Inputs = r.ints(t.InputsLength(), t.Inputs)
	o.Outputs = r.ints(t.OutputsLength(), t.Outputs)
	r.count(t.CustomOptionsLength(), 1)
	o.Payload = t.CustomOptionsBytes()
	var table flatbuffers.Table
	if t.BuiltinOptionsType() != fb.BuiltinOptionsNONE && t.BuiltinOptions(&table) {
		o.Options = r.options(t.BuiltinOptionsType(), table)
	}
	return o
}
