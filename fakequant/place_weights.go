package fakequant

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// kernel quantizes the weights of a group: symmetric, narrow, recomputed from the weights at every step. A kernel whose values lie on the int8 grid
// already gets a quantizer with that grid's scales.
func (p *placer) kernel(gr graph.Group) error {
	o := gr.Head
	r := p.cfg.rule(o)
	if by := o.In[1].Op; by != nil {
		if k, ok := by.Kind.(graph.Cluster); ok && k.Grid {
			return p.onGrid(o, by.In[2], r.WeightBits)
		}
	}
	perAxis := graph.KindName(o.Kind) != "Dense" || r.PerChannelDense || gr.Norm != nil
	kind := graph.FakeQuant{Bits: r.WeightBits, Symmetric: true, Narrow: true, PerAxis: perAxis, Observer: "last", Learned: p.train.learned}
	if p.train.learned {
		kind.Observer = ""
	}
	return p.weight(o, 1, kind)
}

// onGrid puts a quantizer that changes nothing between a kernel clustered on the int8 grid and o: the range is that of the clusters, which
// trains it.
func (p *placer) onGrid(o *graph.Op, rng *graph.Value, bits int) error {
	if bits != 8 {
		return fmt.Errorf("the kernel is clustered on the grid of 8 bits, a quantizer of %d bits would merge codes: leave the bits at 8, or ask for fewer codes", bits)
	}
	if rng.Var == nil {
		return fmt.Errorf("the range of %s is not a Var", o.In[1].Name)
	}
	kind := graph.FakeQuant{Bits: 8, Symmetric: true, Narrow: true, PerAxis: len(rng.Shape) == 2}
	key := constant{o.In[1], kind}
	if p.weights[key] == nil {
		q, err := p.quantizer(o.In[1].Name+"/fake_quant", kind, o.In[1], rng.Var)
		if err != nil {
			return err
		}
		p.weights[key] = q
	}
	o.In[1] = p.weights[key].Out
	return nil
}

// constants quantizes the constant operands of an element-wise operator, per tensor and asymmetric.
func (p *placer) constants(o *graph.Op) error {
	switch graph.KindName(o.Kind) {
	case "Add", "Sub", "Mul", "PReLU", "BiasAdd":
	default:
		return nil
	}
	for i, v := range o.In {
		if !graph.IsConst(v) {
			continue
		}
		if err := p.weight(o, i, graph.FakeQuant{Bits: 8, Observer: "last"}); err != nil {
			return err
		}
	}
	return nil
}

// weight puts a quantizer between the constant input i of o and o. Operators that read the same constant share it where they want the same kind.
func (p *placer) weight(o *graph.Op, i int, kind graph.FakeQuant) error {
	w := o.In[i]
	key := constant{w, kind}
	if q := p.weights[key]; q != nil {
		o.In[i] = q.Out
		return nil
	}
	name := w.Name + "/fake_quant"
	if p.g.Value(name) != nil {
		name = o.Name + "/" + name
	}
	shape, role := graph.Shape{2}, graph.State
	if kind.PerAxis {
		shape = graph.Shape{2, w.Shape.Channels()}
	}
	if kind.Learned {
		role = graph.Scale
	}
	rng, err := p.g.AddVar(name+"/range", role, kind.Learned, shape, nil)
	if err != nil {
		return err
	}
	if kind.Learned {
		if err := maxAbs(w, rng.Data); err != nil {
			return err
		}
	}
	q, err := p.quantizer(name, kind, w, rng)
	if err != nil {
		return err
	}
	o.In[i], p.weights[key] = q.Out, q
	return nil
}
