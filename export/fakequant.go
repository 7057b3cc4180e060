package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("FakeQuant", lowerFakeQuant) }

// lowerFakeQuant writes QUANTIZE where a value that is quantized already is quantized again, as before a concatenation whose inputs differ.
func lowerFakeQuant(l *lowering, o *graph.Op) error {
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	p, err := activationParams(o)
	if err != nil {
		return err
	}
	if l.out.Tensors[in].Quant.Equal(p) {
		l.tensor[o.Out] = in
		return nil
	}
	out := l.add(o.Name, tflite.INT8, o.Out.Shape.With(1), &p)
	l.tensor[o.Out] = out
	l.emit(tflite.QUANTIZE, 2, nil, []int{in}, out)
	return nil
}
