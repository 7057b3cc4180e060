package graph

// Group is an operator together with what TFLite computes in the same operator: the bias, a BatchNorm that folds into kernel and bias, and the
// activation. Quantizers are put at End, and the exporter writes one operator for the whole.
type Group struct {
	Head *Op
	Bias *Op    // BiasAdd, or nil
	Norm *Op    // BatchNorm, or nil
	Act  *Op    // ReLU or ReLU6, or nil
	End  *Value // the output of the last of them
}

// IsLinear tells whether the Op has a kernel, its second input, that is quantized as a weight.
func (o *Op) IsLinear() bool {
	switch KindName(o.Kind) {
	case "Conv2D", "DepthwiseConv2D", "TransposeConv2D", "Dense":
		return true
	}
	return false
}

// Group finds the group that head begins. A member is taken only when nothing else reads the value before it.
func (g *Graph) Group(head *Op) Group {
	gr := Group{Head: head, End: head.Out}
	next := func(kinds ...string) *Op {
		readers := g.Readers(gr.End)
		if len(readers) != 1 || g.IsOutput(gr.End) || readers[0].In[0] != gr.End {
			return nil
		}
		for _, k := range kinds {
			if KindName(readers[0].Kind) == k {
				gr.End = readers[0].Out
				return readers[0]
			}
		}
		return nil
	}
	switch KindName(head.Kind) {
	case "Conv2D", "DepthwiseConv2D", "TransposeConv2D", "Dense":
		gr.Bias = next("BiasAdd")
		gr.Norm = next("BatchNorm")
	case "Add", "Sub", "Mul", "BatchNorm", "BiasAdd":
	default:
		return gr
	}
	gr.Act = next("ReLU", "ReLU6")
	return gr
}

// Members are the Ops of the group in order of execution.
func (gr Group) Members() []*Op {
	ops := []*Op{gr.Head}
	for _, o := range []*Op{gr.Bias, gr.Norm, gr.Act} {
		if o != nil {
			ops = append(ops, o)
		}
	}
	return ops
}
