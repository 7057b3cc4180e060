package tflite

import (
	"fmt"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/temper-ml/temper/export/tflite/internal/fb"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/internal/atomicfile"
)

// WriteFile writes the model to a file: completely or not at all.
func (m *Model) WriteFile(path string) error {
	data, err := m.Marshal()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, data)
}

// Marshal encodes the model; equal models give equal bytes. Buffer 0 is empty, as the format wants it, and constants of equal contents share one.
func (m *Model) Marshal() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	w := &writer{b: flatbuffers.NewBuilder(1 << 16), buffers: [][]byte{nil}, shared: map[string]uint32{}}
	return w.model(m)
}

type writer struct {
	b       *flatbuffers.Builder
	buffers [][]byte
	shared  map[string]uint32 // contents -> buffer
	codes   []opcode
}

// opcode is an entry of the table of operator codes.
type opcode struct {
	code    Code
	custom  string
	version int
}

func (w *writer) buffer(data []byte) uint32 {
	if i, ok := w.shared[string(data)]; ok {
		return i
	}
	i := uint32(len(w.buffers))
	w.buffers = append(w.buffers, data)
	w.shared[string(data)] = i
	return i
}

func (w *writer) model(m *Model) ([]byte, error) {
	b := w.b
	var graphs, signatures, metadata []flatbuffers.UOffsetT
	for i, g := range m.Subgraphs {
		o, err := w.graph(g)
		if err != nil {
			return nil, fmt.Errorf("subgraph %d: %w", i, err)
		}
		graphs = append(graphs, o)
	}
	for _, s := range m.Signatures {
		in, out, key := w.names(s.Inputs), w.names(s.Outputs), b.CreateString(s.Key)
		fb.SignatureDefStart(b)
		fb.SignatureDefAddInputs(b, in)
		fb.SignatureDefAddOutputs(b, out)
		fb.SignatureDefAddSignatureKey(b, key)
		fb.SignatureDefAddSubgraphIndex(b, uint32(s.Subgraph))
		signatures = append(signatures, fb.SignatureDefEnd(b))
	}
	for _, md := range m.Metadata {
		name := b.CreateString(md.Name)
		fb.MetadataStart(b)
		fb.MetadataAddName(b, name)
		fb.MetadataAddBuffer(b, w.buffer(md.Data))
		metadata = append(metadata, fb.MetadataEnd(b))
	}
	var codes, buffers []flatbuffers.UOffsetT
	for _, c := range w.codes {
		codes = append(codes, w.code(c))
	}
	for _, data := range w.buffers {
		buffers = append(buffers, w.contents(data))
	}
	codesV, graphsV, buffersV := w.vector(codes), w.vector(graphs), w.vector(buffers)
	description := b.CreateString(m.Description)
	var metadataV, signaturesV flatbuffers.UOffsetT
	if len(metadata) > 0 {
		metadataV = w.vector(metadata)
	}
	if len(signatures) > 0 {
		signaturesV = w.vector(signatures)
	}
	fb.ModelStart(b)
	fb.ModelAddVersion(b, m.Version)
	fb.ModelAddOperatorCodes(b, codesV)
	fb.ModelAddSubgraphs(b, graphsV)
	fb.ModelAddDescription(b, description)
	fb.ModelAddBuffers(b, buffersV)
	fb.ModelAddMetadata(b, metadataV)
	fb.ModelAddSignatureDefs(b, signaturesV)
	b.FinishWithFileIdentifier(fb.ModelEnd(b), []byte("TFL3"))
	return b.FinishedBytes(), nil
}

// contents writes a buffer aligned to 16 bytes, as the schema demands.
func (w *writer) contents(data []byte) flatbuffers.UOffsetT {
	b := w.b
	var v flatbuffers.UOffsetT
	if len(data) > 0 {
		b.StartVector(1, len(data), 16)
		for _, x := range slices.Backward(data) {
			b.PrependByte(x)
		}
		v = b.EndVector(len(data))
	}
	fb.BufferStart(b)
	if v != 0 {
		fb.BufferAddData(b, v)
	}
	return fb.BufferEnd(b)
}

func (w *writer) code(c opcode) flatbuffers.UOffsetT {
	b := w.b
	var custom flatbuffers.UOffsetT
	if c.code == CUSTOM {
		custom = b.CreateString(c.custom)
	}
	fb.OperatorCodeStart(b)
	fb.OperatorCodeAddDeprecatedBuiltinCode(b, int8(min(c.code, 127)))
	if custom != 0 {
		fb.OperatorCodeAddCustomCode(b, custom)
	}
	fb.OperatorCodeAddVersion(b, int32(c.version))
	fb.OperatorCodeAddBuiltinCode(b, int32(c.code))
	return fb.OperatorCodeEnd(b)
}

func (w *writer) graph(g *Graph) (flatbuffers.UOffsetT, error) {
	b := w.b
	var tensors, operators []flatbuffers.UOffsetT
	for _, t := range g.Tensors {
		tensors = append(tensors, w.tensor(t))
	}
	for i, o := range g.Operators {
		at, err := w.operator(o)
		if err != nil {
			return 0, fmt.Errorf("operator %d (%s): %w", i, o.Code, err)
		}
		operators = append(operators, at)
	}
	tensorsV, operatorsV := w.vector(tensors), w.vector(operators)
	in, out, name := w.ints(g.Inputs), w.ints(g.Outputs), b.CreateString(g.Name)
	fb.SubGraphStart(b)
	fb.SubGraphAddTensors(b, tensorsV)
	fb.SubGraphAddInputs(b, in)
	fb.SubGraphAddOutputs(b, out)
	fb.SubGraphAddOperators(b, operatorsV)
	fb.SubGraphAddName(b, name)
	return fb.SubGraphEnd(b), nil
}

func (w *writer) tensor(t *Tensor) flatbuffers.UOffsetT {
	b := w.b
	name, shape := b.CreateString(t.Name), w.ints(t.Shape)
	var q flatbuffers.UOffsetT
	if t.Quant != nil {
		q = w.quantization(t.Quant)
	}
	// Every tensor has a buffer; those without contents share the empty one.
	buffer := uint32(0)
	if t.IsConst() {
		buffer = w.buffer(t.Data)
	}
	fb.TensorStart(b)
	fb.TensorAddShape(b, shape)
	fb.TensorAddType(b, int8(t.Type))
	fb.TensorAddBuffer(b, buffer)
	fb.TensorAddName(b, name)
	if q != 0 {
		fb.TensorAddQuantization(b, q)
	}
	fb.TensorAddIsVariable(b, t.Variable)
	return fb.TensorEnd(b)
}

func (w *writer) quantization(p *quant.Params) flatbuffers.UOffsetT {
	b := w.b
	b.StartVector(4, len(p.Scale), 4)
	for _, s := range slices.Backward(p.Scale) {
		b.PrependUint32(math.Float32bits(s))
	}
	scale := b.EndVector(len(p.Scale))
	b.StartVector(8, len(p.ZeroPoint), 8)
	for _, z := range slices.Backward(p.ZeroPoint) {
		b.PrependInt64(int64(z))
	}
	zero := b.EndVector(len(p.ZeroPoint))
	fb.QuantizationParametersStart(b)
	fb.QuantizationParametersAddScale(b, scale)
	fb.QuantizationParametersAddZeroPoint(b, zero)
	fb.QuantizationParametersAddQuantizedDimension(b, int32(p.Axis))
	return fb.QuantizationParametersEnd(b)
}

func (w *writer) operator(o *Operator) (flatbuffers.UOffsetT, error) {
	b := w.b
	key := opcode{o.Code, o.Custom, max(o.Version, 1)}
	code := slices.Index(w.codes, key)
	if code < 0 {
		code = len(w.codes)
		w.codes = append(w.codes, key)
	}
	kind, options, err := w.options(o.Options)
	if err != nil {
		return 0, err
	}
	in, out := w.ints(o.Inputs), w.ints(o.Outputs)
	var payload flatbuffers.UOffsetT
	if o.Payload != nil {
		payload = b.CreateByteVector(o.Payload)
	}
	fb.OperatorStart(b)
	fb.OperatorAddOpcodeIndex(b, uint32(code))
	fb.OperatorAddInputs(b, in)
	fb.OperatorAddOutputs(b, out)
	if options != 0 {
		fb.OperatorAddBuiltinOptionsType(b, kind)
		fb.OperatorAddBuiltinOptions(b, options)
	}
	if payload != 0 {
		fb.OperatorAddCustomOptions(b, payload)
	}
	return fb.OperatorEnd(b), nil
}

func (w *writer) names(names []Named) flatbuffers.UOffsetT {
	var at []flatbuffers.UOffsetT
	for _, n := range names {
		name := w.b.CreateString(n.Name)
		fb.TensorMapStart(w.b)
		fb.TensorMapAddName(w.b, name)
		fb.TensorMapAddTensorIndex(w.b, uint32(n.Tensor))
		at = append(at, fb.TensorMapEnd(w.b))
	}
	return w.vector(at)
}

func (w *writer) vector(x []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	w.b.StartVector(4, len(x), 4)
	for _, o := range slices.Backward(x) {
		w.b.PrependUOffsetT(o)
	}
	return w.b.EndVector(len(x))
}

func (w *writer) ints(x []int) flatbuffers.UOffsetT {
	w.b.StartVector(4, len(x), 4)
	for _, v := range slices.Backward(x) {
		w.b.PrependInt32(int32(v))
	}
	return w.b.EndVector(len(x))
}
