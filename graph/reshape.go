package graph

import "fmt"

// Reshape gives each example the shape To; the order of the values stays (TFLite RESHAPE).
type Reshape struct {
	To []int
}

func init() {
	Register(Def{
		Kind: Reshape{},
		Doc:  "another shape for each example",
		In:   []Port{{Name: "x", Diff: true}},
		Samples: []Sample{
			{Kind: Reshape{To: []int{12}}, In: []Shape{{Batch, 3, 2, 2}}},
			{Kind: Reshape{To: []int{2, 1, 3}}, In: []Shape{{Batch, 6}}},
		},
	})
}

func (k Reshape) Shape(in []Shape) (Shape, error) {
	out := append(Shape{in[0][0]}, k.To...)
	for _, d := range k.To {
		if d <= 0 {
			return nil, fmt.Errorf("shape %v: dimensions must be positive", out)
		}
	}
	if len(k.To) == 0 || out.Volume() != in[0].Volume() {
		return nil, fmt.Errorf("%v has %d values an example, %v has %d", in[0], in[0].Volume(), out, out.Volume())
	}
	return out, nil
}

func (Reshape) Kernel(c Context) (Kernel, error) {
	return &reshapeKernel{c.Out[0], c.Out.Volume() / c.Out[0]}, nil
}

type reshapeKernel struct{ n, size int }

func (k *reshapeKernel) sizes() (in, out int) { return k.size, k.size }

func (k *reshapeKernel) forwardImages(y, x []float32, _ int) { copy(y, x) }

func (k *reshapeKernel) backwardImages(dx, _, dy []float32, _ int) { copy(dx, dy) }

func (*reshapeKernel) backwardReads(int) bool { return false }

func (k *reshapeKernel) Forward(y []float32, in [][]float32) { copy(y, in[0]) }

func (k *reshapeKernel) Backward(dx [][]float32, _ [][]float32, _, dy []float32) { copy(dx[0], dy) }
