package fakequant

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// concat gives all inputs the range that the quantizer of the output finds. An input whose range the specification fixes, or serves values that
// do not get into the concatenation (see movable), gets a second quantizer, which the exporter writes as QUANTIZE.
func (p *placer) concat(o *graph.Op) error {
	if err := p.activation(o.Out, nil); err != nil {
		return err
	}
	to := p.at[o.Out]
	for i, v := range o.In {
		from := p.at[v]
		if from == nil {
			return fmt.Errorf("input %s is not quantized: skip the concatenation, too, or quantize the layer before it", v.Name)
		}
		if from == to {
			continue
		}
		if !from.fixed && p.movable(from, o) {
			p.move(from, to)
			continue
		}
		name := fmt.Sprintf("%s/input_%d/fake_quant", o.Name, i)
		q, err := p.g.NewOp(name, graph.FakeQuant{Bits: 8}, v, to.rng.Value)
		if err != nil {
			return err
		}
		o.In[i] = q.Out
		p.at[q.Out] = to
	}
	return nil
}

// movable tells whether the range of s may become that of concatenation o: when o's output holds every value that the range serves, so that the range
// found there covers them. The network's input keeps its own, for the caller knows its scale.
func (p *placer) movable(s *site, o *graph.Op) bool {
	for _, in := range p.g.Inputs {
		if s.value == in.Name {
			return false
		}
	}
	for _, q := range p.g.Ops {
		if graph.KindName(q.Kind) == "FakeQuant" && q.In[1].Var == s.rng && !p.reaches(q.Out, o) {
			return false
		}
	}
	return true
}

// reaches tells whether all values of v get into o, by operators that only move values. A pool or a resize may drop some: that does no harm when
// nothing else reads v, for clipping before and after a choice of values is the same.
func (p *placer) reaches(v *graph.Value, o *graph.Op) bool {
	readers := p.g.Readers(v)
	for _, r := range readers {
		if r == o {
			return true
		}
		switch r.Kind.(type) {
		case graph.Pad, graph.Reshape, graph.Dropout, graph.Concat, graph.FakeQuant:
		case graph.MaxPool2D, graph.Resize:
			if !moves(r) || len(readers) > 1 || p.g.IsOutput(v) {
				continue
			}
		default:
			continue
		}
		if p.reaches(r.Out, o) {
			return true
		}
	}
	return false
}

// move makes every quantizer of the range of from use that of to, which is observed at the concatenation's output only.
func (p *placer) move(from, to *site) {
	for _, o := range p.g.Ops {
		k, ok := o.Kind.(graph.FakeQuant)
		if !ok || o.In[1].Var != from.rng {
			continue
		}
		k.Observer, k.Momentum, k.Learned, k.Delay, k.Freeze = "", 0, false, 0, 0
		o.Kind, o.In = k, []*graph.Value{o.In[0], to.rng.Value}
	}
	for v, s := range p.at {
		if s == from {
			p.at[v] = to
		}
	}
	for i, s := range p.sites {
		if s == from {
			p.sites = append(p.sites[:i], p.sites[i+1:]...)
			break
		}
	}
}
