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
	g     *graph.Graph
	cfg   Config
	train training
	sites []*site
	at    map[*graph.Value]*site // the quantizer whose parameters a value has
	done  map[*graph.Op]bool
}

// place inserts the quantizers into g and returns those of activations, whose ranges calibration must find.
func place(g *graph.Graph, cfg Config, train training) ([]*site, error) {
	p := &placer{g: g, cfg: cfg, train: train, at: map[*graph.Value]*site{}, done: map[*graph.Op]bool{}}
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
	skip := p.cfg.rule(o).Skip
	switch graph.KindName(o.Kind) {
	case "MaxPool2D", "Pad", "Reshape", "Dropout":
		p.at[o.Out] = p.at[o.In[0]]
		return nil
	case "Resize":
		if r, ok := o.Kind.(graph.Resize); ok && r.Method == "nearest" {
			p.at[o.Out] = p.at[o.In[0]]
			return nil
		}
		return p.shared(o)
	case "AvgPool2D":
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
	if skip {
		return nil
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

// concat gives all inputs the range that the quantizer of the output finds. An input with a range of its own by the specification (or one that
// is shared with another concatenation) gets a second quantizer, which the exporter writes as QUANTIZE.
func (p *placer) concat(o *graph.Op) error {
	if err := p.activation(o.Out, nil); err != nil {
		return err
	}
	to := p.at[o.Out]
	for i, v := range o.In {
		from := p.at[v]
		if from == nil {
			return fmt.Errorf("input %s is not quantized", v.Name)
		}
		if from == to {
			continue
		}
		if !from.fixed && p.movable(from) {
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

// movable tells whether a quantizer's range may be replaced: not the network's input, whose scale the caller knows.
func (p *placer) movable(s *site) bool {
	for _, in := range p.g.Inputs {
		if s.value == in.Name {
			return false
		}
	}
	return true
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

// kernel quantizes the weights of a group: symmetric, narrow, recomputed from the weights at every step.
func (p *placer) kernel(gr graph.Group) error {
	o := gr.Head
	w := o.In[1]
	r := p.cfg.rule(o)
	perAxis := graph.KindName(o.Kind) != "Dense" || r.PerChannelDense || gr.Norm != nil
	shape := graph.Shape{2}
	if perAxis {
		shape = graph.Shape{2, w.Shape.Channels()}
	}
	role := graph.State
	if p.train.learned {
		role = graph.Scale
	}
	name := w.Name + "/fake_quant"
	rng, err := p.g.AddVar(name+"/range", role, p.train.learned, shape, nil)
	if err != nil {
		return err
	}
	kind := graph.FakeQuant{Bits: r.WeightBits, Symmetric: true, Narrow: true, PerAxis: perAxis, Observer: "last", Learned: p.train.learned}
	if p.train.learned {
		kind.Observer = ""
		if err := maxAbs(w, rng.Data); err != nil {
			return err
		}
	}
	q, err := p.insertFor(o, w, name, kind, rng)
	if err != nil {
		return err
	}
	o.In[1] = q.Out
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
		name := v.Name + "/fake_quant"
		rng, err := p.g.AddVar(name+"/range", graph.State, false, graph.Shape{2}, nil)
		if err != nil {
			return err
		}
		q, err := p.insertFor(o, v, name, graph.FakeQuant{Bits: 8, Observer: "last"}, rng)
		if err != nil {
			return err
		}
		o.In[i] = q.Out
	}
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

// insertFor adds a quantizer behind v that only reader will read.
func (p *placer) insertFor(reader *graph.Op, v *graph.Value, name string, kind graph.FakeQuant, rng *graph.Var) (*graph.Op, error) {
	return p.quantizer(name, kind, v, rng)
}

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
