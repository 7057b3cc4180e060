package export

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

func init() { register("Resize", lowerResize) }

// lowerResize writes RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR; the output has the parameters of the input.
func lowerResize(l *lowering, o *graph.Op) error {
	k := o.Kind.(graph.Resize)
	in, err := l.read(o.In[0])
	if err != nil {
		return err
	}
	size := l.constant(o.Name+"/size", tflite.INT32, []int{2}, int32Bytes(k.Size[0], k.Size[1]), nil)
	version := 2
	if k.HalfPixelCenters {
		version = 3
	}
	if k.Method == "nearest" {
		options := &tflite.ResizeNearestNeighborOptions{AlignCorners: k.AlignCorners, HalfPixelCenters: k.HalfPixelCenters}
		l.emit(tflite.RESIZE_NEAREST_NEIGHBOR, version, options, []int{in, size}, l.moved(o, in))
		return nil
	}
	out, err := l.output(graph.Group{Head: o, End: o.Out})
	if err != nil {
		return err
	}
	if err := l.sameParams(in, out); err != nil {
		return err
	}
	l.emit(tflite.RESIZE_BILINEAR, version, &tflite.ResizeBilinearOptions{AlignCorners: k.AlignCorners, HalfPixelCenters: k.HalfPixelCenters}, []int{in, size}, out)
	return nil
}
