package sparsity

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// Prune puts a Mask behind the kernels of a network. Masks start with ones; BeforeStep follows the schedule. A masked weight has its gradient, by which
// the next update may let it back in.
type Prune struct {
	Schedule Schedule // default Constant{Sparsity: 0.5}; with N and M that of their sparsity
	Global   bool     // one threshold for all layers together, instead of the same sparsity in each

	// N zeros of every M weights along the input channels in TFLite's layout. The schedule says in which part of the groups: it must lead to a
	// sparsity of N/M.
	N, M int

	// Block zeroes blocks of this size of the plane [input channels, output channels], a plane for each tap of a convolution.
	Block   [2]int
	Pooling string // how blocks are ranked: "avg" (default) or "max" magnitude

	Rules []Rule // the first that matches a layer counts
}

// Rule overrides what happens to layers with a kernel. A rule without settings takes a layer that is left alone by default.
type Rule struct {
	Match    string  // a layer path, such as "conv2d_1" or "block*/conv2d", or a Kind: see graph.MatchLayer
	Skip     bool    // leave the layer alone
	Sparsity float64 // at the schedule's end; before, in proportion. 0: as the schedule says
	N, M     int     // the schedule says how far it has come: at its target, all groups have their zeros
	Block    [2]int
}

// Name is the conditioner's name in tables and recipes.
func (Prune) Name() string { return "prune" }

// Steps is the number of training steps that the schedule needs: a shorter training does not reach what is promised.
func (p Prune) Steps() int { return p.schedule().Steps() }

// Apply puts the masks in place. On an error g is unchanged.
func (p Prune) Apply(g *graph.Graph) error {
	if err := p.apply(g); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

func (p Prune) apply(g *graph.Graph) error {
	work := g.Clone()
	layers, err := p.plan(work)
	if err != nil {
		return err
	}
	masks := map[*graph.Var]*graph.Op{} // layers that share a kernel share its mask
	for _, l := range layers {
		if l.reason != "" {
			continue
		}
		if err := checkOrder(l.op); err != nil {
			return err
		}
		if masks[l.kernel] == nil {
			if masks[l.kernel], err = newMask(work, l); err != nil {
				return fmt.Errorf("%s: %w", l.op.Name, err)
			}
		}
		l.op.In[1] = masks[l.kernel].Out
	}
	if len(masks) == 0 {
		return fmt.Errorf("%s has no layer to prune; left alone are\n%s", g.Name, graph.Table(rows(layers)))
	}
	if err := work.Check(); err != nil {
		return err
	}
	*g = *work
	return nil
}

// checkOrder refuses a layer whose kernel is conditioned already.
func checkOrder(o *graph.Op) error {
	for v := o.In[1]; v.Op != nil; v = v.Op.In[0] {
		switch kind := graph.KindName(v.Op.Kind); kind {
		case "Mask":
			return fmt.Errorf("%s is pruned already (%s): use one conditioner with the final schedule, or graph.Strip before the next", o.Layer(), v.Op.Name)
		case "Cluster":
			return fmt.Errorf("%s is clustered already (%s): a mask behind it would bring a value that is none of its centroids; the order is prune, cluster, quantize", o.Layer(), v.Op.Name)
		case "FakeQuant":
			return fmt.Errorf("%s is quantized already (%s): the quantizer must see the zeros, or its range and its rounding are those of other weights; the order is prune, cluster, quantize", o.Layer(), v.Op.Name)
		}
	}
	return nil
}

// newMask is a mask of ones behind the kernel of a layer.
func newMask(g *graph.Graph, l layer) (*graph.Op, error) {
	ones := make([]float32, len(l.kernel.Data))
	for i := range ones {
		ones[i] = 1
	}
	name := l.kernel.Name + "/mask"
	keep, err := g.AddVar(name+"/keep", graph.State, false, l.kernel.Shape, ones)
	if err != nil {
		return nil, err
	}
	return g.NewOp(name, graph.Mask{N: l.n, M: l.m, Block: l.block}, l.kernel.Value, keep.Value)
}

// BeforeStep computes the masks anew where the schedule says so, and sets masked weights to zero, so that they return only by a gradient that is large
// now; step is the number of steps done before. It depends on the graph's Vars and on step alone, so that a training that was stopped goes on to the
// same bits.
func (p Prune) BeforeStep(g *graph.Graph, step int) error {
	if s, update := p.schedule().At(step + 1); update {
		if err := p.update(g, s); err != nil {
			return fmt.Errorf("prune, step %d: %w", step+1, err)
		}
	}
	for _, o := range g.Ops {
		if _, ok := o.Kind.(graph.Mask); !ok || o.In[0].Var == nil || o.In[1].Var == nil {
			continue
		}
		w := o.In[0].Var.Data
		for i, keep := range o.In[1].Var.Data {
			if keep == 0 {
				w[i] = 0
			}
		}
	}
	return nil
}

// Finish sets the masks to what the schedule leads to, at once: pruning without training.
func (p Prune) Finish(g *graph.Graph) error {
	if err := p.update(g, p.schedule().Target()); err != nil {
		return fmt.Errorf("prune: %w", err)
	}
	return nil
}

// update computes all masks for a sparsity of the schedule.
func (p Prune) update(g *graph.Graph, sparsity float64) error {
	layers, err := p.plan(g)
	if err != nil {
		return err
	}
	done := map[*graph.Var]bool{}
	var masks, kernels [][]float32 // of layers that share the threshold
	for _, l := range layers {
		if l.reason != "" || done[l.kernel] {
			continue
		}
		done[l.kernel] = true
		mask := maskOf(l.op)
		if mask == nil {
			return fmt.Errorf("%s has no mask: Apply comes first", l.op.Layer())
		}
		w := l.kernel.Data
		switch {
		case l.m > 0:
			nm(mask, w, l.view, l.n, l.m, progress(sparsity, p.schedule().Target()))
		case l.block != [2]int{}:
			blocks(mask, w, l.view, l.block, p.Pooling == "max", l.at(sparsity, p.schedule().Target()))
		case p.Global && l.sparsity == 0:
			masks, kernels = append(masks, mask), append(kernels, w)
		default:
			magnitude(mask, w, l.at(sparsity, p.schedule().Target()))
		}
	}
	if masks != nil {
		global(masks, kernels, sparsity)
	}
	return nil
}

// maskOf is the mask of an operator's kernel, behind which there may be other conditioners; nil when there is none.
func maskOf(o *graph.Op) []float32 {
	for v := o.In[1]; v.Op != nil; v = v.Op.In[0] {
		if _, ok := v.Op.Kind.(graph.Mask); ok && v.Op.In[1].Var != nil {
			return v.Op.In[1].Var.Data
		}
	}
	return nil
}

// schedule is the one that is set, or the default.
func (p Prune) schedule() Schedule {
	switch {
	case p.Schedule != nil:
		return p.Schedule
	case p.M > 0:
		return Constant{Sparsity: float64(p.N) / float64(p.M)}
	}
	return Constant{Sparsity: 0.5}
}

// progress is how far a schedule has come.
func progress(sparsity, target float64) float64 {
	if target == 0 {
		return 1
	}
	return min(1, sparsity/target)
}

// at is the layer's sparsity at a sparsity of the schedule.
func (l layer) at(sparsity, target float64) float64 {
	if l.sparsity == 0 {
		return sparsity
	}
	return l.sparsity * progress(sparsity, target)
}
