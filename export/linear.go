package export

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// linear is a group with a kernel, ready to be written: convolutions and dense layers differ in layout and options only.
type linear struct {
	group graph.Group
	input int // tensor
	w     *weights
	bias  []int32
}

// linear folds bias and BatchNorm of the group that o begins.
func (l *lowering) linear(o *graph.Op) (*linear, error) {
	gr := l.g.Group(o)
	in, err := l.read(o.In[0])
	if err != nil {
		return nil, err
	}
	w, err := kernel(o.In[1])
	if err != nil {
		return nil, err
	}
	c := o.Out.Shape.Channels()
	b := make([]float32, c)
	if gr.Bias != nil {
		x, err := graph.Const(gr.Bias.In[1])
		if err != nil {
			return nil, fmt.Errorf("bias: %w", err)
		}
		copy(b, x)
	}
	if gr.Norm != nil {
		scale, shift, err := graph.Affine(gr.Norm)
		if err != nil {
			return nil, err
		}
		w.fold(scale)
		for i := range b {
			b[i] = float32(float64(b[i])*float64(scale[i])) + shift[i]
		}
	}
	return &linear{gr, in, w, w.bias(b, l.out.Tensors[in].Quant.Scale[0])}, nil
}

// tensors adds kernel, bias and output. codes and shape are the kernel in the file's layout, axis that of its output channels.
func (l *lowering) tensors(n *linear, codes []int8, shape []int, axis int) (kernel, bias, out int, err error) {
	head := n.group.Head
	kernel = l.constant(source(head.In[1]).Name, tflite.INT8, shape, int8Bytes(codes), n.w.params(axis))
	l.kernels[kernel] = head.In[1]
	s := l.out.Tensors[n.input].Quant.Scale[0]
	p := quant.Params{Scale: make([]float32, len(n.w.scale)), ZeroPoint: make([]int32, len(n.w.scale))}
	for i, ws := range n.w.scale {
		p.Scale[i] = s * ws
	}
	name := head.Name + "/bias"
	if n.group.Bias != nil {
		name = source(n.group.Bias.In[1]).Name
	}
	bias = l.constant(name, tflite.INT32, []int{len(n.bias)}, int32Bytes(n.bias...), &p)
	out, err = l.output(n.group)
	return kernel, bias, out, err
}

// source looks through masks, clusters and quantizers to the Var that the user knows.
func source(v *graph.Value) *graph.Value {
	for v.Op != nil {
		v = v.Op.In[0]
	}
	return v
}

// activation is the fused activation of a group that writes tensor out. A ReLU6 whose limit is beyond int32 in steps of the scale, which runtimes
// refuse (CalculateActivationRangeQuantized), is a ReLU: the codes end long before.
func (l *lowering) activation(gr graph.Group, out int) tflite.Activation {
	if gr.Act == nil {
		return tflite.NONE
	}
	if graph.KindName(gr.Act.Kind) == "ReLU6" && 6/float64(l.out.Tensors[out].Quant.Scale[0]) < math.MaxInt32/2 {
		return tflite.RELU6_ACT
	}
	return tflite.RELU_ACT
}

func padding(p graph.Padding) tflite.Padding {
	if p == graph.Valid {
		return tflite.VALID
	}
	return tflite.SAME
}

// one is the attribute's pair with 1 for an attribute left out.
func one(pair [2]int) (h, w int) { return max(pair[0], 1), max(pair[1], 1) }

// move reorders a row-major array: dimension i of the result is dimension order[i] of x.
func move(x []int8, shape []int, order ...int) ([]int8, []int) {
	stride := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		stride[i] = n
		n *= shape[i]
	}
	to := make([]int, len(order))
	for i, o := range order {
		to[i] = shape[o]
	}
	y := make([]int8, 0, n)
	at := make([]int, len(order))
	for range n {
		from := 0
		for i, o := range order {
			from += at[i] * stride[o]
		}
		y = append(y, x[from])
		for i := len(at) - 1; i >= 0; i-- {
			if at[i]++; at[i] < to[i] {
				break
			}
			at[i] = 0
		}
	}
	return y, to
}
