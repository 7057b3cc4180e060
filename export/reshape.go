package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Reshape", lowerReshape) }

// lowerReshape writes RESHAPE.
func lowerReshape(l *lowering, o *graph.Op) error {
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	l.reshape(o.Name, in, l.moved(o, in), o.Out.Shape.With(1))
	return nil
}

func (l *lowering) reshape(name string, in, out int, shape []int) {
	to := l.constant(name+"/shape", tflite.INT32, []int{len(shape)}, int32Bytes(shape...), nil)
	l.emit(tflite.RESHAPE, 1, &tflite.ReshapeOptions{NewShape: shape}, []int{in, to}, out)
}
