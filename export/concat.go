package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Concat", lowerConcat) }

// lowerConcat writes CONCATENATION; all inputs must have the parameters of the output.
func lowerConcat(l *lowering, o *graph.Op) error {
	var in []int
	for _, v := range o.In {
		t, err := l.read(v)
		if err != nil {
			return err
		}
		in = append(in, t)
	}
	out, err := l.output(graph.Group{Head: o, End: o.Out})
	if err != nil {
		return err
	}
	for _, t := range in {
		if err := l.sameParams(t, out); err != nil {
			return err
		}
	}
	axis := o.Kind.(graph.Concat).Axis
	if axis < 0 {
		axis += len(o.Out.Shape)
	}
	l.emit(tflite.CONCATENATION, 2, &tflite.ConcatenationOptions{Axis: axis}, in, out)
	return nil
}
