package graph

import (
	"cmp"
	"slices"

	"gorgonia.org/gorgonia"
)

// sumGradients replaces the tree of additions, which Gorgonia makes where a value has several readers, by one sum of ours. Gorgonia's own
// addition allocates a result each step and may write into memory that our ops own. Its additions stay behind unread, and the session
// compiles only what the gradients need.
//
// time, which may be nil, gets the time that the sum takes. The terms are put in the order of their names: Gorgonia's own order comes from a map and would change the rounding from run to run.
func sumGradients(t *tape, name string, shape Shape, grad *gorgonia.Node, time *StageTime) (*gorgonia.Node, error) {
	if ours(grad) {
		return grad, nil
	}
	terms := gradientTerms(grad, nil)
	if len(terms) == 0 {
		return grad, nil
	}
	slices.SortFunc(terms, func(a, b *gorgonia.Node) int { return cmp.Compare(a.Op().String(), b.Op().String()) })
	sum := &sumOp{base{"sum " + name, t, slices.Repeat([]Shape{shape}, len(terms)), shape}, nil, newBuffer(shape), time}
	for _, n := range terms {
		sum.terms = append(sum.terms, gradientBuffer(n))
	}
	return apply(sum, terms...)
}

func gradientTerms(n *gorgonia.Node, terms []*gorgonia.Node) []*gorgonia.Node {
	if ours(n) {
		return append(terms, n)
	}
	children := n.Graph().From(n.ID())
	for children.Next() {
		terms = gradientTerms(children.Node().(*gorgonia.Node), terms)
	}
	return terms
}

func ours(n *gorgonia.Node) bool {
	switch n.Op().(type) {
	case *gradOp, *stashOp, *sumOp, *lossGradOp:
		return true
	}
	return false
}
