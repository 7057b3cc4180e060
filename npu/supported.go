package npu

import (
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

// call is an operator with its tensors.
type call struct {
	g   *tflite.Graph
	op  *tflite.Operator
	in  []*tflite.Tensor // nil where an optional input is absent
	out []*tflite.Tensor
}

func newCall(g *tflite.Graph, o *tflite.Operator) *call {
	c := &call{g: g, op: o}
	for _, i := range o.Inputs {
		if i < 0 {
			c.in = append(c.in, nil)
			continue
		}
		c.in = append(c.in, g.Tensors[i])
	}
	for _, i := range o.Outputs {
		c.out = append(c.out, g.Tensors[i])
	}
	return c
}

// rule is what an operator must be for the NPU, in words for the user.
type rule struct {
	text  string
	holds func(*call) bool
}

// recipe is an operator of the NPU: what it must be, and how it becomes steps.
type recipe struct {
	rules []rule
	lower func(*lowering, *call) error
}

// limit is the largest size of a feature map in a dimension.
const limit = 1 << 16

var common = []rule{
	{"activations must be int8 with one scale", func(c *call) bool {
		for i, t := range c.in {
			if t != nil && !int8Tensor(t) && !(t.IsConst() && i > 0) && !(c.op.Code == tflite.TRANSPOSE_CONV && i < 2) && !(c.op.Code == tflite.SPLIT && i == 0) {
				return false
			}
		}
		for _, t := range c.out {
			if !int8Tensor(t) {
				return false
			}
		}
		return true
	}},
	{"sizes must be at most 65536 in each dimension", func(c *call) bool {
		for _, t := range append(slices.Clone(c.in), c.out...) {
			if t == nil {
				continue
			}
			if h, w, d := spatial(t.Shape); h > limit || w > limit || d > limit || h < 1 || w < 1 || d < 1 {
				return false
			}
		}
		return true
	}},
	{"the first input must not be a constant", func(c *call) bool {
		switch c.op.Code {
		case tflite.TRANSPOSE_CONV, tflite.SPLIT, tflite.ADD, tflite.SUB, tflite.MUL, tflite.MINIMUM, tflite.MAXIMUM, tflite.CONCATENATION:
			return true
		}
		return !c.in[0].IsConst()
	}},
}

func int8Tensor(t *tflite.Tensor) bool {
	return t.Type == tflite.INT8 && t.Quant != nil && !t.Quant.IsPerAxis() && len(t.Quant.Scale) == 1
}

var sameQuantization = rule{"input and output must have the same quantization", func(c *call) bool { return c.in[0].Quant.Equal(*c.out[0].Quant) }}

var batchOne = rule{"the batch must be 1", func(c *call) bool {
	x := c.in[0]
	if c.op.Code == tflite.TRANSPOSE_CONV {
		x = c.in[2]
	}
	return len(x.Shape) == 4 && x.Shape[0] == 1
}}

var constantWeights = rule{"weights must be an int8 constant, and the bias a constant of int32", func(c *call) bool {
	b := c.bias()
	return c.in[1].IsConst() && c.in[1].Type == tflite.INT8 && (b == nil || b.IsConst() && b.Type == tflite.INT32)
}}

var weightSum = rule{"the absolute weights of an output channel must add up to at most 8323072", func(c *call) bool {
	w := c.in[1]
	channels := w.Shape[0]
	if c.op.Code == tflite.DEPTHWISE_CONV_2D {
		return w.Shape[1]*w.Shape[2] <= 8323072/128
	}
	per := w.Volume() / channels
	if per <= 8323072/128 {
		return true
	}
	for o := range channels {
		sum := 0
		for _, v := range w.Data[o*per : (o+1)*per] {
			sum += max(int(int8(v)), -int(int8(v)))
		}
		if sum > 8323072 {
			return false
		}
	}
	return true
}}

// bias is the tensor of biases, nil if there is none.
func (c *call) bias() *tflite.Tensor {
	at := 2
	if c.op.Code == tflite.TRANSPOSE_CONV {
		at = 3
	}
	if at < len(c.in) {
		return c.in[at]
	}
	return nil
}

// reason is why an operator cannot run on the NPU, or nothing.
func reason(g *tflite.Graph, o *tflite.Operator) string {
	r, ok := recipes[o.Code]
	if !ok {
		return "there is no recipe for this operator"
	}
	c := newCall(g, o)
	for _, list := range [][]rule{common, r.rules} {
		for _, rule := range list {
			if !rule.holds(c) {
				return rule.text
			}
		}
	}
	return ""
}

var recipes map[tflite.Code]recipe

func init() { // in init, because recipes call what looks into them
	recipes = map[tflite.Code]recipe{
		tflite.CONV_2D:                 {[]rule{batchOne, constantWeights, weightSum, oneGroup, convWindow, strideRule}, (*lowering).conv},
		tflite.DEPTHWISE_CONV_2D:       {[]rule{batchOne, constantWeights, weightSum, multiplierOne, convWindow, strideRule}, (*lowering).depthwise},
		tflite.FULLY_CONNECTED:         {[]rule{constantWeights, weightSum}, (*lowering).fullyConnected},
		tflite.TRANSPOSE_CONV:          {[]rule{batchOne, constantWeights, weightSum, transposeStride, convWindow}, (*lowering).transposeConv},
		tflite.AVERAGE_POOL_2D:         {[]rule{batchOne, sameQuantization, averageWindow, strideRule}, (*lowering).averagePool},
		tflite.MAX_POOL_2D:             {[]rule{batchOne, sameQuantization, poolWindowRule, strideRule}, (*lowering).maxPool},
		tflite.MEAN:                    {[]rule{meanAxes}, (*lowering).mean},
		tflite.ADD:                     {[]rule{broadcastRule}, (*lowering).add},
		tflite.SUB:                     {[]rule{broadcastRule, subtractRule}, (*lowering).add},
		tflite.MUL:                     {[]rule{broadcastRule}, (*lowering).mul},
		tflite.MINIMUM:                 {[]rule{broadcastRule, sameQuantization, sameSecond}, (*lowering).extreme},
		tflite.MAXIMUM:                 {[]rule{broadcastRule, sameQuantization, sameSecond}, (*lowering).extreme},
		tflite.RESHAPE:                 {[]rule{sameQuantization}, (*lowering).reshape},
		tflite.SQUEEZE:                 {[]rule{sameQuantization}, (*lowering).reshape},
		tflite.EXPAND_DIMS:             {[]rule{sameQuantization}, (*lowering).reshape},
		tflite.PAD:                     {[]rule{batchOne, sameQuantization, padRule}, (*lowering).pad},
		tflite.CONCATENATION:           {[]rule{axisRule}, (*lowering).concat},
		tflite.SOFTMAX:                 {nil, (*lowering).softmax},
		tflite.RESIZE_NEAREST_NEIGHBOR: {[]rule{batchOne, sameQuantization, nearestRule}, (*lowering).nearest},
		tflite.PRELU:                   {[]rule{preluRule}, (*lowering).lookup},
	}
	for _, code := range []tflite.Code{tflite.LOGISTIC, tflite.TANH, tflite.LEAKY_RELU, tflite.HARD_SWISH, tflite.RELU, tflite.RELU6, tflite.RELU_N1_TO_1,
		tflite.ABS, tflite.QUANTIZE} {
		recipes[code] = recipe{nil, (*lowering).lookup}
	}
}
