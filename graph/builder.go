package graph

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
)

// Builder writes a Graph. It keeps the first error, with the path of the layer that made it, and turns everything after it into no-ops, so that
// layers need no error handling: they return the (possibly nil) Value.
type Builder struct {
	Seed  uint64 // of the initialisers; each Var draws from a stream of its own, named by seed and Var name
	g     *Graph
	scope []string
	used  map[string]int
	err   error
}

// NewBuilder starts a graph.
func NewBuilder(name string, seed uint64) *Builder {
	b := &Builder{Seed: seed, g: &Graph{Name: name}, used: map[string]int{}}
	if err := checkName(name); err != nil {
		b.err = fmt.Errorf("graph name: %w", err)
	}
	return b
}

// Input adds an input of the given shape per example.
func (b *Builder) Input(name string, perExample ...int) *Value {
	if b.err != nil {
		return nil
	}
	v := &Value{Name: name, Shape: append(Shape{Batch}, perExample...)}
	if err := errors.Join(b.g.freeName(name), v.Shape.check()); err != nil {
		b.Fail(err)
		return nil
	}
	b.g.Inputs = append(b.g.Inputs, v)
	return v
}

// Scope runs f with name appended to the layer path. A name that stands in the same scope already gets a number: dense, dense_1, ...
func (b *Builder) Scope(name string, f func()) {
	first, free := b.join(name), name
	for n := b.used[first]; b.used[b.join(free)] > 0; n++ {
		free = fmt.Sprintf("%s_%d", name, n)
	}
	if b.used[first]++; free != name {
		b.used[b.join(free)]++
	}
	b.scope = append(b.scope, free)
	f()
	b.scope = b.scope[:len(b.scope)-1]
}

// Path is the path of the current layer.
func (b *Builder) Path() string { return strings.Join(b.scope, "/") }

// Init fills a Var with its first values; r is the Var's own stream.
type Init func(data []float32, shape Shape, r *rand.Rand)

// Var adds a Var in the current scope. A nil init leaves zeros. State is not trainable, everything else is.
func (b *Builder) Var(name string, role Role, shape Shape, init Init) *Value {
	if b.err != nil {
		return nil
	}
	full := b.join(name)
	v, err := b.g.AddVar(full, role, role != State, shape, nil)
	if err != nil {
		b.Fail(err)
		return nil
	}
	if init != nil {
		init(v.Data, v.Shape, Stream(b.Seed, full))
	}
	return v.Value
}

// Op appends an Op in the current scope.
func (b *Builder) Op(name string, kind Kind, in ...*Value) *Value {
	if b.err != nil {
		return nil
	}
	o, err := b.g.Append(b.join(name), kind, in...)
	if err != nil {
		b.err = err
		return nil
	}
	return o.Out
}

// Fail records an error of the current layer, unless one stands already.
func (b *Builder) Fail(err error) {
	if b.err != nil || err == nil {
		return
	}
	if p := b.Path(); p != "" {
		err = fmt.Errorf("layer %s: %w", p, err)
	}
	b.err = err
}

// Failf is Fail with a format.
func (b *Builder) Failf(format string, args ...any) { b.Fail(fmt.Errorf(format, args...)) }

// Err returns the first error.
func (b *Builder) Err() error { return b.err }

// Graph ends the building: out become the outputs, the graph is checked.
func (b *Builder) Graph(out ...*Value) (*Graph, error) {
	if b.err != nil {
		return nil, fmt.Errorf("%s: %w", b.g.Name, b.err)
	}
	b.g.Outputs = out
	if err := b.g.Check(); err != nil {
		return nil, err
	}
	return b.g, nil
}

func (b *Builder) join(name string) string {
	if len(b.scope) == 0 {
		return name
	}
	return b.Path() + "/" + name
}

// Stream is a random stream of its own for each name: what one Var draws does not depend on the others.
func Stream(seed uint64, name string) *rand.Rand {
	return rand.New(rand.NewPCG(streamSeed(seed, name)))
}

// streamSeed is what a stream's source begins with: the seed, and the FNV-1a hash of the name.
func streamSeed(seed uint64, name string) (uint64, uint64) {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return seed, h
}
