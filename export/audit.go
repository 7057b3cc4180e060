package export

import (
	"maps"
	"math"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

// AuditRow is what one weight tensor of a file has for an NPU's weight decoder, or for a zip, to save.
type AuditRow struct {
	Tensor   string `json:"tensor"`
	Operator string `json:"operator"` // the first that reads it, such as CONV_2D
	Shape    []int  `json:"shape"`
	Elements int    `json:"elements"`
	Zeros    int    `json:"zeros"`      // codes that stand for 0
	InFour   int    `json:"zeros_in_4"` // at least so many zeros in each four weights along the input channels, so 2 is 2:4; 0 where channels are too few
	Codes    int    `json:"codes"`      // distinct ones

	// Entropy is Shannon's of the tensor's codes, H = -sum p*log2(p) over the parts p that each code has of the elements: the fewest bits a weight
	// that any coder reaches which looks at one weight at a time. Zeros in runs and layouts padded by hardware move real coders to both sides of it.
	Entropy float64 `json:"entropy_bits"`

	// Of an export: what the graph promised of the kernel, and what the file does not keep of it.
	Promise string   `json:"promise,omitempty"`
	Broken  []string `json:"broken,omitempty"`
}

// EntropyBytes is the size of the tensor at its entropy.
func (r AuditRow) EntropyBytes() float64 { return float64(r.Elements) * r.Entropy / 8 }

// Sparsity is the part of zeros.
func (r AuditRow) Sparsity() float64 { return float64(r.Zeros) / float64(max(r.Elements, 1)) }

// Total is the sum of rows: of all elements and zeros, the largest number of codes, the mean entropy.
func Total(rows []AuditRow) AuditRow {
	t := AuditRow{Tensor: "total"}
	bytes := 0.0
	for _, r := range rows {
		t.Elements += r.Elements
		t.Zeros += r.Zeros
		t.Codes = max(t.Codes, r.Codes)
		bytes += r.EntropyBytes()
	}
	t.Entropy = 8 * bytes / float64(max(t.Elements, 1))
	return t
}

// Audit counts the weights of any file with weights of 8 or 4 bits, whoever wrote it: a row for each constant that an operator multiplies by, in the
// order in which the file computes. A tensor that several operators read has one row.
func Audit(m *tflite.Model) []AuditRow {
	rows := []AuditRow{}
	for _, w := range allWeights(m) {
		rows = append(rows, w.row())
	}
	return rows
}

func allWeights(m *tflite.Model) []*fileWeights {
	var all []*fileWeights
	for _, g := range m.Subgraphs {
		seen := map[int]bool{}
		for _, o := range g.Operators {
			for _, in := range weightInputs[o.Code] {
				if in >= len(o.Inputs) {
					continue
				}
				t := o.Inputs[in]
				if t < 0 || t >= len(g.Tensors) || seen[t] {
					continue
				}
				seen[t] = true
				if w := weightsOf(o.Code, g.Tensors[t]); w != nil {
					all = append(all, w)
				}
			}
		}
	}
	return all
}

// weightInputs are the inputs of operators that are weights where they are constant.
var weightInputs = map[tflite.Code][]int{
	tflite.CONV_2D: {1}, tflite.DEPTHWISE_CONV_2D: {1}, tflite.FULLY_CONNECTED: {1}, tflite.TRANSPOSE_CONV: {1},
	tflite.CONV_3D: {1}, tflite.CONV_3D_TRANSPOSE: {1}, tflite.BATCH_MATMUL: {0, 1}, tflite.SVDF: {1, 2}, tflite.RNN: {1, 2}, tflite.LSTM: {1, 2, 3, 4, 5, 6, 7, 8},
	tflite.UNIDIRECTIONAL_SEQUENCE_RNN: {1, 2}, tflite.UNIDIRECTIONAL_SEQUENCE_LSTM: {1, 2, 3, 4, 5, 6, 7, 8},
}

// layout says where the codes of a kernel with taps x in x out elements lie.
type layout struct {
	taps, in, out int
	inLast        bool // [out, taps, in], as in OHWI and [out, in]; else [taps, in, out]
}

func (l layout) at(tap, in, out int) int {
	if l.inLast {
		return (out*l.taps+tap)*l.in + in
	}
	return (tap*l.in+in)*l.out + out
}

// layoutOf is the layout of an operator's weights; false where TFLite's description names no input channels.
func layoutOf(code tflite.Code, shape []int) (layout, bool) {
	last := len(shape) - 1
	if last < 1 {
		return layout{}, false
	}
	product := func(d []int) int {
		n := 1
		for _, x := range d {
			n *= x
		}
		return n
	}
	switch code {
	case tflite.BATCH_MATMUL:
		return layout{}, false
	case tflite.DEPTHWISE_CONV_2D: // each output has one input
		return layout{product(shape[:last]), 1, shape[last], false}, true
	case tflite.CONV_3D:
		return layout{product(shape[:last-1]), shape[last-1], shape[last], false}, true
	case tflite.CONV_3D_TRANSPOSE: // depth, height, width, out, in
		return layout{1, shape[last], product(shape[:last]), true}, true
	}
	return layout{product(shape[1:last]), shape[last], shape[0], true}, true
}

// fileWeights are the weights of a tensor as a file has them.
type fileWeights struct {
	operator tflite.Code // the first that reads them
	tensor   *tflite.Tensor
	code     []int // those that stand for 0 are 0
	layout   layout
	known    bool // layout
}

// weightsOf reads the codes of a constant; nil for what is no array of 8 or 4 bits.
func weightsOf(code tflite.Code, t *tflite.Tensor) *fileWeights {
	if !t.IsConst() || t.Volume() == 0 {
		return nil
	}
	w := &fileWeights{operator: code, tensor: t}
	switch n := t.Volume(); {
	case t.Type == tflite.INT8 && len(t.Data) == n:
		for _, b := range t.Data {
			w.code = append(w.code, int(int8(b)))
		}
	case t.Type == tflite.UINT8 && len(t.Data) == n:
		for _, b := range t.Data {
			w.code = append(w.code, int(b))
		}
	case t.Type == tflite.INT4 && len(t.Data) == (n+1)/2: // two in a byte, the first in the lower half
		for i := range n {
			w.code = append(w.code, int(int8(t.Data[i/2]<<(4-4*(i%2)))>>4))
		}
	default:
		return nil
	}
	if q := t.Quant; q != nil && len(q.ZeroPoint) == 1 {
		for i := range w.code {
			w.code[i] -= int(q.ZeroPoint[0])
		}
	}
	w.layout, w.known = layoutOf(code, t.Shape)
	return w
}

func (w *fileWeights) row() AuditRow {
	r := AuditRow{Tensor: w.tensor.Name, Operator: w.operator.String(), Shape: slices.Clone(w.tensor.Shape), Elements: len(w.code)}
	count := map[int]int{}
	for _, c := range w.code {
		count[c]++
	}
	r.Zeros, r.Codes = count[0], len(count)
	for _, c := range slices.Sorted(maps.Keys(count)) { // in order: the sum has the same bits every time
		p := float64(count[c]) / float64(len(w.code))
		r.Entropy -= p * math.Log2(p)
	}
	r.Entropy = max(r.Entropy, 0) // not -0
	for n := 3; n > 0 && r.InFour == 0; n-- {
		if w.possible(n, 4) && w.keeps(n, 4) {
			r.InFour = n
		}
	}
	return r
}

// possible tells whether n zeros of every m say anything of a kernel with so few input channels.
func (w *fileWeights) possible(n, m int) bool { return w.known && min(w.layout.in, m) > m-n }

// keeps tells whether all groups of m weights along the input channels, a shorter one at the end included, have at most m-n that are not zero.
func (w *fileWeights) keeps(n, m int) bool {
	l := w.layout
	for tap := range l.taps {
		for out := range l.out {
			for first := 0; first < l.in; first += m {
				kept := 0
				for in := first; in < min(first+m, l.in); in++ {
					if w.code[l.at(tap, in, out)] != 0 {
						kept++
					}
				}
				if kept > m-n {
					return false
				}
			}
		}
	}
	return true
}

// blockZeros counts the zeros that lie in blocks of zeros only, of the planes [input channels, output channels].
func (w *fileWeights) blockZeros(block [2]int) int {
	l, zeros := w.layout, 0
	for tap := range l.taps {
		for in := 0; in < l.in; in += block[0] {
			for out := 0; out < l.out; out += block[1] {
				zeros += w.emptyBlock(tap, in, out, block)
			}
		}
	}
	return zeros
}

// emptyBlock is the number of elements of a block, or 0 when one of them is not zero.
func (w *fileWeights) emptyBlock(tap, in, out int, block [2]int) int {
	l, n := w.layout, 0
	for i := in; i < min(in+block[0], l.in); i++ {
		for o := out; o < min(out+block[1], l.out); o++ {
			if w.code[l.at(tap, i, o)] != 0 {
				return 0
			}
			n++
		}
	}
	return n
}
