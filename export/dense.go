package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Dense", lowerDense) }

// lowerDense writes FULLY_CONNECTED; its kernel is [out,in].
func lowerDense(l *lowering, o *graph.Op) error {
	n, err := l.linear(o)
	if err != nil {
		return err
	}
	codes, shape := move(n.w.codes, o.In[1].Shape, 1, 0)
	w, b, out, err := l.tensors(n, codes, shape, 0)
	if err != nil {
		return err
	}
	options := &tflite.FullyConnectedOptions{Activation: l.activation(n.group, out), KeepNumDims: len(o.In[0].Shape) > 2}
	version := 4
	if options.KeepNumDims {
		version = 5
	}
	l.emit(tflite.FULLY_CONNECTED, version, options, []int{n.input, w, b}, out)
	return nil
}
