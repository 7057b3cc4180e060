package graph

import (
	"fmt"
	"strconv"
	"strings"
)

// Promise is what conditioners said of a kernel: what its codes in the exported file must show. Zero fields promise nothing.
type Promise struct {
	Zeros int    // at least so many elements are zero
	Codes int    // at most so many values are distinct
	N, M  int    // N zeros of every M elements along the input channels in TFLite's layout; a shorter group at the end keeps M-N
	Block [2]int // the zeros fill blocks of the plane [input channels, output channels]
}

// conditions is a Kind that stands between a kernel and its reader and promises something of its output.
type conditions interface {
	Kind
	// Promise adds to what was promised of the first input before, or takes from it what no longer holds behind this Kind.
	Promise(before Promise, in []*Value) (Promise, error)
}

// PromiseOf is what the Var behind v and the Ops between them promise of a constant v. FakeQuant keeps promises: zero and equal values stay so.
func PromiseOf(v *Value) (Promise, error) {
	if v.Var != nil {
		if v.Var.Promise == nil {
			return Promise{}, nil
		}
		return *v.Var.Promise, nil
	}
	if v.Op == nil || len(v.Op.In) == 0 {
		return Promise{}, nil
	}
	switch k := v.Op.Kind.(type) {
	case FakeQuant:
		return PromiseOf(v.Op.In[0])
	case conditions:
		before, err := PromiseOf(v.Op.In[0])
		if err != nil {
			return Promise{}, err
		}
		p, err := k.Promise(before, v.Op.In)
		if err != nil {
			return Promise{}, fmt.Errorf("%s: %w", v.Op.Name, err)
		}
		return p, nil
	}
	return Promise{}, nil
}

// String is the promise in the text form, such as zeros=30 codes=16 nm=2:4 block=1x8.
func (p Promise) String() string {
	var words []string
	if p.Zeros != 0 {
		words = append(words, fmt.Sprintf("zeros=%d", p.Zeros))
	}
	if p.Codes != 0 {
		words = append(words, fmt.Sprintf("codes=%d", p.Codes))
	}
	if p.N != 0 || p.M != 0 {
		words = append(words, fmt.Sprintf("nm=%d:%d", p.N, p.M))
	}
	if p.Block != [2]int{} {
		words = append(words, fmt.Sprintf("block=%dx%d", p.Block[0], p.Block[1]))
	}
	return strings.Join(words, " ")
}

// parse reads one word of the text form.
func (p *Promise) parse(word string) error {
	name, value, _ := strings.Cut(word, "=")
	number := func(to *int, s string) (ok bool) {
		n, err := strconv.Atoi(s)
		*to = n
		return err == nil && n > 0
	}
	ok := false
	switch name {
	case "zeros":
		ok = number(&p.Zeros, value)
	case "codes":
		ok = number(&p.Codes, value)
	case "nm":
		n, m, _ := strings.Cut(value, ":")
		ok = number(&p.N, n) && number(&p.M, m)
	case "block":
		h, w, _ := strings.Cut(value, "x")
		ok = number(&p.Block[0], h) && number(&p.Block[1], w)
	default:
		return fmt.Errorf("unknown flag %q", word)
	}
	if !ok {
		return fmt.Errorf("%q is not a promise such as zeros=30, codes=16, nm=2:4 or block=1x8", word)
	}
	return nil
}

// check refuses what no array of that many elements can hold.
func (p Promise) check(volume int) error {
	if p.Zeros < 0 || p.Zeros > volume || p.Codes < 0 {
		return fmt.Errorf("promise of %d zeros and %d codes in %d elements", p.Zeros, p.Codes, volume)
	}
	return checkPattern(p.N, p.M, p.Block)
}

// checkPattern refuses attributes that describe no pattern of zeros.
func checkPattern(n, m int, block [2]int) error {
	if (n != 0 || m != 0) && !(0 < n && n < m) {
		return fmt.Errorf("%d zeros of every %d: want 0 < N < M", n, m)
	}
	if block != [2]int{} && min(block[0], block[1]) < 1 {
		return fmt.Errorf("block %dx%d: want positive sides", block[0], block[1])
	}
	return nil
}
