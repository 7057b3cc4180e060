package fakequant

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// foldBatchNorms computes BatchNorm into kernel and bias, with the moving statistics: y = (x w + b - mean) gamma/sqrt(var+eps) + beta.
// In eval the graph computes the same function. which tells the groups to fold; those whose kernel is not a Var itself (masks, clusters) or whose
// Vars have other readers are left, for the exporter folds those into the scales.
func foldBatchNorms(g *graph.Graph, which func(graph.Group) bool) error {
	for _, o := range append([]*graph.Op{}, g.Ops...) {
		if !o.IsLinear() {
			continue
		}
		gr := g.Group(o)
		if gr.Norm == nil || !which(gr) || o.In[1].Var == nil || len(g.Readers(o.In[1])) != 1 {
			continue
		}
		if err := foldBatchNorm(g, gr); err != nil {
			return fmt.Errorf("%s: %w", gr.Norm.Name, err)
		}
	}
	g.RemoveDead()
	return nil
}

func foldBatchNorm(g *graph.Graph, gr graph.Group) error {
	scale, shift, err := graph.Affine(gr.Norm)
	if err != nil {
		return err
	}
	w := gr.Head.In[1].Var
	c := len(scale)
	for i := range w.Data {
		w.Data[i] *= scale[i%c]
	}
	if gr.Bias != nil && gr.Bias.In[1].Var != nil && len(g.Readers(gr.Bias.In[1])) == 1 {
		b := gr.Bias.In[1].Var
		for i := range b.Data {
			b.Data[i] = float32(float64(b.Data[i])*float64(scale[i])) + shift[i]
		}
		g.Rewire(gr.Norm.Out, gr.Bias.Out, nil)
		return nil
	}
	if gr.Bias != nil {
		return fmt.Errorf("the bias of %s is shared or computed: it cannot be folded", gr.Bias.Name)
	}
	b, err := g.AddVar(gr.Norm.Name+"/folded_bias", graph.Bias, true, graph.Shape{c}, shift)
	if err != nil {
		return err
	}
	add, err := g.NewOp(gr.Norm.Name+"/folded", graph.BiasAdd{}, gr.Head.Out, b.Value)
	if err != nil {
		return err
	}
	g.Rewire(gr.Norm.Out, add.Out, nil)
	return nil
}

// freezeBatchNorms makes every BatchNorm use its moving statistics in training too.
func freezeBatchNorms(g *graph.Graph) {
	for _, o := range g.Ops {
		if k, ok := o.Kind.(graph.BatchNorm); ok {
			k.Frozen = true
			o.Kind = k
		}
	}
}

// foldable tells whether a group must be folded now: a dense kernel with one scale cannot take a scale a channel from BatchNorm later.
func (c Config) foldable(gr graph.Group) bool {
	if c.FoldBatchNorm {
		return true
	}
	r := c.rule(gr.Head)
	return graph.KindName(gr.Head.Kind) == "Dense" && !r.PerChannelDense && !r.Skip
}
