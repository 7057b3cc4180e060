package sparsity

import "github.com/temper-ml/temper/graph"

// view is a kernel as a stack of planes: taps of a convolution, each [in, out], row-major.
type view struct{ taps, in, out int }

// viewOf reads the layout of a Kind's kernel: [kh,kw,cin,cout], [in,out], or [kh,kw,c*multiplier] whose outputs have one input each.
func viewOf(o *graph.Op) view {
	switch s := o.In[1].Shape; graph.KindName(o.Kind) {
	case "Dense":
		return view{1, s[0], s[1]}
	case "DepthwiseConv2D":
		return view{s[0] * s[1], 1, s[2]}
	default:
		return view{s[0] * s[1], s[2], s[3]}
	}
}
