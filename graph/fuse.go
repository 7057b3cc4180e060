package graph

import (
	"fmt"
	"strings"
)

// A session realises chains of Ops as one: a convolution with its bias or BatchNorm, its activation and a pooling behind it run image by image, while
// the image lies in the cache, and what lies between them is never written to memory. Such values have no buffer: Session.Value does
// not know them, unless they are outputs of the graph.

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

// kernel prepares the stage for a batch of n.
func (s stage) kernel(n int, train bool, k *keeper) (Kernel, error) {
	if len(s) > 1 {
		return fusedKernel(s, n, train, k)
	}
	o := s[0]
	return o.Kind.Kernel(Context{Op: o.Name, In: shapesWith(o.In, n), Out: o.Out.Shape.With(n), Train: train, keeper: k})
}

// plan cuts what the session computes into stages: all that the outputs depend on, or in training, all that the loss depends on.
func (s *Session) plan() []stage {
	wanted := ancestors(s.g.Outputs...)
	if s.loss != nil {
		wanted = ancestors(s.predict)
	}
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

// chain is the longest stage that begins with o.
func (s *Session) chain(o *Op, wanted map[*Value]bool) stage {
	st := stage{o}
	if !fusable(o) {
		return st
	}
	next := func(accept func(*Op) bool) {
		if r := s.onlyReader(st.last().Out, wanted); r != nil && accept(r) {
			st = append(st, r)
		}
	}
	next(func(o *Op) bool { _, ok := o.Kind.(BiasAdd); return ok })
	norm := false
	next(func(o *Op) bool { _, norm = o.Kind.(BatchNorm); return norm })
	next(isClamp)
	if !norm {
		next(halves)
	}
	return st
}

func fusable(o *Op) bool {
	switch o.Kind.(type) {
	case Conv2D, DepthwiseConv2D:
		return true
	}
	return false
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
		if only != nil || r.In[0] != v {
			return nil
		}
		only = r
	}
	if only != nil {
		for _, in := range only.In[1:] {
			if in == v {
				return nil
			}
		}
	}
	return only
}

// Plan is the text of what the session runs: a line for each stage, its Ops in order.
func (s *Session) Plan() string {
	var b strings.Builder
	for _, st := range s.plan() {
		for i, o := range st {
			if i > 0 {
				b.WriteString(" + ")
			}
			fmt.Fprintf(&b, "%s %s", KindName(o.Kind), o.Name)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
