package export

import (
	"math"

	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
)

// finest is the smallest extent of a value's range as a part of what the operator before it can reach: below that the fixed-point product of the
// kernels overflows. Such ranges come from values that were zero on all samples, as after a dead ReLU; in the graph they are zero, in the file
// they would be any code.
const finest = 1.0 / (1 << 20)

// hardSwishGain is how much finer the output of a HARD_SWISH may be than its input: the kernel's multiplier is a fraction of the input with 7 more
// bits (hard_swish.h).
const hardSwishGain = 127

// widenEmptyRanges gives every activation quantizer a range that the kernel before it can write.
func widenEmptyRanges(g *graph.Graph) error {
	reach := map[*graph.Value]float64{}  // the largest magnitude that a value can have, given the ranges before it
	extent := map[*graph.Value]float64{} // between the ends of the range that a value has, if it was only moved since its quantizer
	for _, in := range g.Inputs {
		reach[in] = 0 // the caller quantizes
	}
	for _, o := range g.Ops {
		if graph.IsConst(o.Out) {
			continue
		}
		if !isFakeQuant(o) {
			m, err := reachOf(o, reach)
			if err != nil {
				return err
			}
			reach[o.Out], extent[o.Out] = m, extent[o.In[0]]
			continue
		}
		v := o.In[1].Var
		if v == nil || len(v.Data) != 2 {
			continue // an error of the lowering
		}
		least := reach[o.In[0]] * finest
		if by := o.In[0].Op; by != nil && graph.KindName(by.Kind) == "HardSwish" {
			least = max(least, extent[by.In[0]]/hardSwishGain)
		}
		widen(v.Data, least)
		r := quant.Range{Min: v.Data[0], Max: v.Data[1]}.WithZero()
		reach[o.Out], extent[o.Out] = float64(max(r.Max, -r.Min)), float64(r.Max-r.Min)
	}
	return nil
}

// widen scales a range to an extent of at least that size.
func widen(r []float32, least float64) {
	q := quant.Range{Min: r[0], Max: r[1]}.WithZero()
	if factor := least / float64(q.Max-q.Min); factor > 1 && !math.IsInf(factor, 0) {
		r[0], r[1] = float32(float64(q.Min)*factor), float32(float64(q.Max)*factor)
	}
}

// reachOf bounds the magnitude of what an operator can compute.
func reachOf(o *graph.Op, reach map[*graph.Value]float64) (float64, error) {
	most := 0.0
	for _, v := range o.In {
		most = max(most, reach[v])
	}
	switch k := o.Kind.(type) {
	case graph.Conv2D, graph.DepthwiseConv2D, graph.TransposeConv2D, graph.Dense:
		w, err := graph.Const(o.In[1])
		return most * columns(w, o.Out.Shape.Channels()), err
	case graph.BatchNorm:
		scale, shift, err := graph.Affine(o)
		return most*largest(scale) + largest(shift), err
	case graph.Sigmoid, graph.Softmax, graph.Tanh:
		return 1, nil
	case graph.LeakyReLU:
		return most * max(1, math.Abs(float64(k.Alpha))), nil
	case graph.BiasAdd, graph.Add, graph.Sub, graph.Mul, graph.PReLU:
		second := reach[o.In[1]]
		if graph.IsConst(o.In[1]) {
			x, err := graph.Const(o.In[1])
			if err != nil {
				return 0, err
			}
			second = largest(x)
		}
		switch graph.KindName(o.Kind) {
		case "Mul":
			return reach[o.In[0]] * second, nil
		case "PReLU":
			return most * max(1, second), nil
		}
		return reach[o.In[0]] + second, nil
	}
	return most, nil
}

// columns is the largest sum of magnitudes of a channel's weights, channels last.
func columns(w []float32, channels int) float64 {
	sum := make([]float64, channels)
	for i, v := range w {
		sum[i%channels] += math.Abs(float64(v))
	}
	m := 0.0
	for _, s := range sum {
		m = max(m, s)
	}
	return m
}
