package graph

import (
	"fmt"
	"slices"
	"strings"
)

// A session realises chains of Ops as one. A convolution with its bias, its activation and a pooling behind it, or an addition with its activation, run image
// by image, while the image lies in the cache, and what lies between them is never written to memory.
//
// What comes then may depend on the whole batch: BatchNorm (with the activation behind it) on its moments, FakeQuant on the range that it follows. In training
// these Ops, and a Dropout, are the tail of the chain (see tail): the producer's pass takes the moments and the range along, the value before the tail is
// what lies in memory, and whoever reads it applies the tail to an image when it loads it. The gradient comes back the same way. Where a reader cannot do that, or the
// value is an output, the stage itself applies the tail in a second pass. In inference nothing depends on the batch, and no value is left unfinished.
//
// Values inside a chain, and those whose tail is applied on load, have no buffer: Session.Value does not know them.

// Option changes how a session runs a graph, not what it computes.
type Option func(*Session)

// Unfused makes a session that runs every Op on its own, so that every value can be read.
func Unfused(s *Session) { s.unfused = true }

// Readable makes a session whose Value knows the outputs of these Ops, too.
func Readable(names ...string) Option {
	return func(s *Session) {
		for _, n := range names {
			s.names[n] = true
		}
	}
}

// stage is what a session runs as one: an Op, or a chain of Ops in which each reads the one before and nothing else does.
type stage []*Op

func (s stage) last() *Op { return s[len(s)-1] }

// kinds are the Kinds of the Ops, as in Conv2D+BiasAdd+ReLU.
func (s stage) kinds() string {
	var names []string
	for _, o := range s {
		names = append(names, KindName(o.Kind))
	}
	return strings.Join(names, "+")
}

// cut divides the Ops of a stage in training: those of the producer's pass, and the tail. A pooling behind a FakeQuant belongs to the pass: the maximum of
// rounded values is the rounded maximum.
func (s stage) cut() (pass, tail stage) {
	norm := false
	for _, o := range s {
		switch o.Kind.(type) {
		case BatchNorm:
			norm = true
			tail = append(tail, o)
		case ReLU, ReLU6:
			if norm {
				tail = append(tail, o)
			} else {
				pass = append(pass, o)
			}
		case FakeQuant, Dropout:
			tail = append(tail, o)
		default:
			pass = append(pass, o)
		}
	}
	if len(pass) == 0 { // the Op stands alone
		return s, nil
	}
	return pass, tail
}

// plan cuts what the session computes into stages: all that the outputs depend on, or in training, all that the loss depends on.
func (s *Session) plan() []stage {
	wanted := s.wanted()
	var stages []stage
	taken := map[*Op]bool{}
	for _, o := range s.g.Ops {
		if !wanted[o.Out] || taken[o] {
			continue
		}
		st := stage{o}
		if !s.unfused {
			st = s.chain(o, wanted)
		}
		for _, o := range st {
			taken[o] = true
		}
		stages = append(stages, st)
	}
	return stages
}

func (s *Session) wanted() map[*Value]bool {
	if s.loss != nil {
		return ancestors(s.predict)
	}
	return ancestors(s.g.Outputs...)
}

// onLoad are the values of the stages whose tail the readers apply when they load them.
func (s *Session) onLoad(stages []stage) map[*Value]bool {
	values := map[*Value]bool{}
	if s.unfused || s.loss == nil {
		return values
	}
	wanted := s.wanted()
	for _, st := range stages {
		v := st.last().Out
		_, tail := st.cut()
		if len(tail) == 0 || s.readable(v) {
			continue
		}
		values[v] = !slices.ContainsFunc(s.g.Readers(v), func(o *Op) bool { return wanted[o.Out] && !loads(o, v) })
	}
	return values
}

// loads tells whether o can apply a tail to v.
func loads(o *Op, v *Value) bool {
	switch o.Kind.(type) {
	case Conv2D, DepthwiseConv2D:
		return o.In[0] == v && o.In[1] != v
	case Add:
		return adds(o)
	case MaxPool2D:
		return halves(o)
	case GlobalAvgPool, Reshape:
		return true
	}
	return false
}

// chain is the longest stage that begins with o.
func (s *Session) chain(o *Op, wanted map[*Value]bool) stage {
	st := stage{o}
	next := func(accept func(*Op) bool) bool {
		r := s.onlyReader(st.last().Out, wanted)
		if r == nil || !accept(r) {
			return false
		}
		st = append(st, r)
		return true
	}
	conv := convolves(o)
	if !conv && !adds(o) {
		return st
	}
	norm := false
	if conv {
		next(func(o *Op) bool { _, ok := o.Kind.(BiasAdd); return ok })
		norm = next(s.normalises)
	}
	next(isClamp)
	next(s.quantizes)
	if conv && !norm {
		next(halves)
	}
	next(s.drops)
	return st
}

func convolves(o *Op) bool {
	switch o.Kind.(type) {
	case Conv2D, DepthwiseConv2D:
		return true
	}
	return false
}

// adds tells whether o adds two activations of one shape.
func adds(o *Op) bool {
	_, ok := o.Kind.(Add)
	return ok && o.In[0].Shape.Equal(o.In[1].Shape) && o.Out.Shape.Batched()
}

func isClamp(o *Op) bool {
	switch o.Kind.(type) {
	case ReLU, ReLU6:
		return true
	}
	return false
}

// halves tells whether o is a pooling of whole 2x2 blocks.
func halves(o *Op) bool {
	k, ok := o.Kind.(MaxPool2D)
	in := o.In[0].Shape
	return ok && k.Size == [2]int{2, 2} && k.Stride == [2]int{2, 2} && in[1]%2 == 0 && in[2]%2 == 0
}

func (s *Session) normalises(o *Op) bool {
	_, ok := o.Kind.(BatchNorm)
	return ok && s.ownStates(o)
}

// quantizes tells whether o is a FakeQuant that a chain can end with: one range for all channels, which is not learned.
func (s *Session) quantizes(o *Op) bool {
	k, ok := o.Kind.(FakeQuant)
	return ok && !k.PerAxis && !k.Learned && k.Observer != "last" && o.In[1].Var != nil && !o.In[1].Var.Trainable && s.ownStates(o)
}

func (s *Session) drops(o *Op) bool {
	_, ok := o.Kind.(Dropout)
	return ok && s.ownStates(o)
}

// ownStates tells that no other Op reads the Vars that o writes: the order of the writes would matter.
func (s *Session) ownStates(o *Op) bool {
	return !slices.ContainsFunc(o.In[1:], func(v *Value) bool { return v.Var != nil && v.Var.Role == State && len(s.g.Readers(v)) > 1 })
}

// onlyReader is the Op that alone reads v as its first input, or nil; an output has readers outside.
func (s *Session) onlyReader(v *Value, wanted map[*Value]bool) *Op {
	if s.readable(v) {
		return nil
	}
	var only *Op
	for _, r := range s.g.Readers(v) {
		if !wanted[r.Out] {
			continue
		}
		if only != nil || r.In[0] != v || slices.Contains(r.In[1:], v) {
			return nil
		}
		only = r
	}
	return only
}

// Plan is the text of what the session runs: a line for each stage, its Ops in order. What stands behind a bar is done by the readers of the value, when
// they load it.
func (s *Session) Plan() string {
	var b strings.Builder
	list := func(ops stage) {
		for i, o := range ops {
			if i > 0 {
				b.WriteString(" + ")
			}
			fmt.Fprintf(&b, "%s %s", KindName(o.Kind), o.Name)
		}
	}
	stages := s.plan()
	onLoad := s.onLoad(stages)
	for _, st := range stages {
		if onLoad[st.last().Out] {
			pass, tail := st.cut()
			list(pass)
			b.WriteString(" | ")
			list(tail)
		} else {
			list(st)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
