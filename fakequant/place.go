package fakequant

import (
	"fmt"

	"github.com/temper-ml/temper/graph"
)

// site is a quantizer of an activation: the value it reads and the Var that holds its range.
type site struct {
	value string     // name of the value in the float graph
	rng   *graph.Var // [min, max]
	fixed bool       // the specification gives the range
	op    *graph.Op
}

// training is what differs between PTQ and QAT in the quantizers themselves.
type training struct {
	momentum      float32 // 0: ranges stand still (PTQ)
	delay, freeze int
	learned       bool
}

// placer inserts FakeQuant Ops.
type placer struct {
	g       *graph.Graph
	cfg     Config
	train   training
	sites   []*site
	at      map[*graph.Value]*site // the quantizer whose parameters a value has
	done    map[*graph.Op]bool
	weights map[constant]*graph.Op
}

// constant is a constant as one kind of quantizer sees it: operators that share a Var share the quantizer.
type constant struct {
	value *graph.Value
	kind  graph.FakeQuant
}

// place inserts the quantizers into g and returns those of activations, whose ranges calibration must find.
func place(g *graph.Graph, cfg Config, train training) ([]*site, error) {
	p := &placer{g: g, cfg: cfg, train: train, at: map[*graph.Value]*site{}, done: map[*graph.Op]bool{}, weights: map[constant]*graph.Op{}}
	for _, o := range g.Ops {
		if graph.KindName(o.Kind) == "FakeQuant" {
			return nil, fmt.Errorf("%s is quantized already (%s): start from the float checkpoint", g.Name, o.Name)
		}
	}
	for _, in := range g.Inputs {
		if err := p.activation(in, nil); err != nil {
			return nil, err
		}
	}
	ops := append([]*graph.Op{}, g.Ops...)
	for _, o := range ops {
		if p.done[o] || graph.IsConst(o.Out) || graph.KindName(o.Kind) == "FakeQuant" {
			continue
		}
		if err := p.op(o); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
	}
	return p.sites, nil
}

// Ranges that make the parameters which the TFLite specification fixes: 1/256 and -128, 1/128 and 0.
var (
	unitRange    = []float32{0, 255.0 / 256}
	signedRange  = []float32{-1, 127.0 / 128}
	clippedRange = []float32{0, 6}
)

func (p *placer) op(o *graph.Op) error {
	gr := p.g.Group(o)
	for _, m := range gr.Members() {
		p.done[m] = true
	}
	if moves(o) {
		p.at[o.Out] = p.at[o.In[0]]
		return nil
	}
	if p.cfg.rule(o).Skip {
		return nil
	}
	switch graph.KindName(o.Kind) {
	case "AvgPool2D", "Resize":
		return p.shared(o)
	case "Concat":
		return p.concat(o)
	case "Softmax", "Sigmoid":
		return p.activation(o.Out, unitRange)
	case "Tanh":
		return p.activation(o.Out, signedRange)
	case "ReLU6":
		// TFLM's separate RELU6 does not rescale; a RELU whose output saturates at 6 is the same function.
		return p.activation(o.Out, clippedRange)
	}
	if o.IsLinear() {
		if err := p.kernel(gr); err != nil {
			return err
		}
	} else if err := p.constants(o); err != nil {
		return err
	}
	return p.activation(gr.End, nil)
}

// moves tells whether an operator only moves values, so that its output has the parameters of its input without another rounding.
func moves(o *graph.Op) bool {
	switch k := o.Kind.(type) {
	case graph.MaxPool2D, graph.Pad, graph.Reshape, graph.Dropout:
		return true
	case graph.Resize:
		return k.Method == "nearest"
	}
	return false
}

// activation puts a quantizer behind v. fixed is its range, or nil for one that calibration finds.
func (p *placer) activation(v *graph.Value, fixed []float32) error {
	name := v.Name + "/fake_quant"
	learned := p.train.learned && fixed == nil
	role := graph.State
	if learned {
		role = graph.Scale
	}
	rng, err := p.g.AddVar(name+"/range", role, learned, graph.Shape{2}, nil)
	if err != nil {
		return err
	}
	copy(rng.Data, fixed)
	kind := graph.FakeQuant{Bits: 8}
	if fixed == nil {
		kind.Learned = learned
		if p.train.momentum > 0 && !learned {
			kind.Observer, kind.Momentum = "ema", p.train.momentum
		}
	}
	s := &site{value: v.Name, rng: rng, fixed: fixed != nil}
	if s.op, err = p.insert(v, name, kind, rng); err != nil {
		return err
	}
	p.sites = append(p.sites, s)
	p.at[v], p.at[s.op.Out] = s, s
	return nil
}

// shared puts a quantizer behind an operator whose output has the parameters of its input by the specification.
func (p *placer) shared(o *graph.Op) error {
	from := p.at[o.In[0]]
	if from == nil {
		return nil // in float, after a skipped layer
	}
	op, err := p.insert(o.Out, o.Name+"/fake_quant", graph.FakeQuant{Bits: 8}, from.rng)
	if err != nil {
		return err
	}
	p.at[o.Out], p.at[op.Out] = from, from
	return nil
}

// insert adds a quantizer behind v and makes all readers of v read it.
func (p *placer) insert(v *graph.Value, name string, kind graph.FakeQuant, rng *graph.Var) (*graph.Op, error) {
	q, err := p.quantizer(name, kind, v, rng)
	if err != nil {
		return nil, err
	}
	p.g.Rewire(v, q.Out, func(o *graph.Op) bool { return o == q })
	return q, nil
}

// quantizer makes a quantizer of v that nothing reads yet.
func (p *placer) quantizer(name string, kind graph.FakeQuant, v *graph.Value, rng *graph.Var) (*graph.Op, error) {
	in := []*graph.Value{v, rng.Value}
	if p.train.delay > 0 || p.train.freeze > 0 && kind.Observer == "ema" {
		kind.Delay, kind.Freeze = p.train.delay, p.train.freeze
		count, err := p.g.AddVar(name+"/count", graph.State, false, graph.Shape{1}, nil)
		if err != nil {
			return nil, err
		}
		in = append(in, count.Value)
	}
	return p.g.NewOp(name, kind, in...)
}
