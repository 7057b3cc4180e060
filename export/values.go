package export

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// activationParams are the int8 parameters of an activation quantizer.
func activationParams(q *graph.Op) (quant.Params, error) {
	k := q.Kind.(graph.FakeQuant)
	if k.Bits != 8 || k.Narrow || k.PerAxis {
		return quant.Params{}, fmt.Errorf("%s: an int8 file holds activations of 8 bits, one scale, all 256 codes", q.Name)
	}
	if q.In[1].Var == nil {
		return quant.Params{}, fmt.Errorf("%s: the range is not a Var", q.Name)
	}
	n, err := k.Quantizers(nil, q.In[1].Var.Data)
	if err != nil {
		return quant.Params{}, fmt.Errorf("%s: %w", q.Name, err)
	}
	scale, zero := n[0].Int8()
	p := quant.PerTensor(scale, zero)
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("%s: %w", q.Name, err)
	}
	return p, nil
}

// output ends a group: finds the quantizer behind its end, adds the tensor, and marks the group as done.
func (l *lowering) output(gr graph.Group) (int, error) {
	for _, o := range gr.Members() {
		l.done[o] = true
	}
	return l.quantized(gr.End)
}

// quantized adds the tensor of a value that a FakeQuant reads. Further quantizers of the same value become QUANTIZE operators in their turn.
func (l *lowering) quantized(v *graph.Value) (int, error) {
	for _, r := range l.g.Readers(v) {
		if !isFakeQuant(r) {
			continue
		}
		p, err := activationParams(r)
		if err != nil {
			return 0, err
		}
		t := l.add(v.Name, tflite.INT8, v.Shape.With(1), &p)
		l.tensor[v], l.tensor[r.Out] = t, t
		l.done[r] = true
		return t, nil
	}
	return 0, fmt.Errorf("the value %s is not quantized: every value between the operators of an int8 file is", v.Name)
}

// moved adds the tensor of an operator that keeps its input's parameters and rounds nothing.
func (l *lowering) moved(o *graph.Op, in int) int {
	t := l.add(o.Name, tflite.INT8, o.Out.Shape.With(1), l.out.Tensors[in].Quant)
	l.tensor[o.Out] = t
	return t
}

// sameParams checks what the specification demands of operators that do not rescale.
func (l *lowering) sameParams(in, out int) error {
	a, b := l.out.Tensors[in], l.out.Tensors[out]
	if !a.Quant.Equal(*b.Quant) {
		return fmt.Errorf("output %s must have the quantization of input %s", b.Name, a.Name)
	}
	return nil
}

// weights are the codes of a kernel and one scale, or one a channel of its last axis.
type weights struct {
	codes  []int8 // in the graph's layout
	scale  []float32
	levels int    // the largest magnitude of a code
	book   []int8 // the codes of a clustered kernel, ascending: whatever is rounded anew stays among them
}

// kernel reads the codes that the fake quantizer of a kernel gives to its weights.
func kernel(v *graph.Value) (*weights, error) {
	q := v.Op
	if q == nil || !isFakeQuant(q) {
		return nil, fmt.Errorf("kernel %s is not quantized", v.Name)
	}
	k := q.Kind.(graph.FakeQuant)
	if !k.Symmetric || !k.Narrow || k.Bits > 8 {
		return nil, fmt.Errorf("%s: an int8 file holds symmetric weights of at most 8 bits in the narrow range", q.Name)
	}
	x, err := graph.Const(q.In[0])
	if err != nil {
		return nil, err
	}
	ranges, err := graph.Const(q.In[1])
	if err != nil {
		return nil, err
	}
	n, err := k.Quantizers(x, ranges)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", q.Name, err)
	}
	w := &weights{codes: make([]int8, len(x)), scale: make([]float32, len(n)), levels: 1<<(k.Bits-1) - 1}
	for i := range n {
		w.scale[i] = n[i].Scale
	}
	for i, value := range x {
		w.codes[i] = int8(n[i%len(n)].Code(value))
	}
	p, err := graph.PromiseOf(v)
	if p.Codes > 0 {
		w.book = slices.Compact(slices.Sorted(slices.Values(w.codes)))
	}
	return w, err
}

// fold multiplies channel c by factor[c]: the magnitude goes into the scale, the sign into the codes.
func (w *weights) fold(factor []float32) {
	c := len(factor)
	if len(w.scale) == 1 && c > 1 {
		w.perChannel(c)
	}
	for i, f := range factor {
		if f == 0 {
			continue
		}
		w.scale[i] = float32(math.Abs(float64(w.scale[i]) * float64(f)))
	}
	for i := range w.codes {
		switch f := factor[i%c]; {
		case f == 0:
			w.codes[i] = 0
		case f < 0:
			w.codes[i] = -w.codes[i]
		}
	}
}

func (w *weights) perChannel(c int) {
	s := w.scale[0]
	w.scale = make([]float32, c)
	for i := range w.scale {
		w.scale[i] = s
	}
}

// bias quantizes real biases to int32 with scale input*weight. A channel whose bias would not fit gets a larger weight scale, and codes to match
// (tensorflow/lite/tools/optimize/quantization_utils.cc: |bias| must stay under half of the int32 range).
func (w *weights) bias(b []float32, input float32) []int32 {
	c := len(b)
	if need := largest(b) / (float64(input) * math.MaxInt32 / 2); len(w.scale) == 1 && need > float64(w.scale[0]) {
		w.grow(0, c, need)
	}
	codes := make([]int32, c)
	for i, v := range b {
		at := min(i, len(w.scale)-1)
		if need := math.Abs(float64(v)) / (float64(input) * math.MaxInt32 / 2); len(w.scale) > 1 && need > float64(w.scale[i]) {
			w.grow(i, c, need)
		}
		codes[i] = int32(math.Round(float64(v) / (float64(input) * float64(w.scale[at]))))
	}
	return codes
}

// grow raises the scale of a channel (of all when there is one scale) and rounds its codes anew, within the codebook of a clustered kernel.
func (w *weights) grow(channel, channels int, scale float64) {
	factor := float64(w.scale[channel]) / scale
	w.scale[channel] = float32(scale)
	for i := range w.codes {
		if len(w.scale) == 1 || i%channels == channel {
			w.codes[i] = w.nearest(float64(w.codes[i]) * factor)
		}
	}
}

// nearest rounds a code: to an integer, or to one of the codebook. Zero, whose channel adds nothing but its bias, is one in any case.
func (w *weights) nearest(code float64) int8 {
	if w.book == nil {
		return int8(math.Round(code))
	}
	best := int8(0)
	for _, c := range w.book {
		if math.Abs(float64(c)-code) < math.Abs(float64(best)-code) {
			best = c
		}
	}
	return best
}

func largest(x []float32) float64 {
	m := 0.0
	for _, v := range x {
		m = max(m, math.Abs(float64(v)))
	}
	return m
}

// params are the quantization parameters of the codes along an axis of the file's layout.
func (w *weights) params(axis int) *quant.Params {
	if len(w.scale) == 1 {
		p := quant.PerTensor(w.scale[0], 0)
		return &p
	}
	p := quant.PerAxis(w.scale, axis)
	return &p
}

func int8Bytes(x []int8) []byte {
	b := make([]byte, len(x))
	for i, v := range x {
		b[i] = byte(v)
	}
	return b
}

func int32Bytes[T int | int32](x ...T) []byte {
	b := make([]byte, 0, 4*len(x))
	for _, v := range x {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}
