package graph

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Kind is what an Op does. A Kind is a struct type whose exported fields are its attributes; each is registered in its own file. Attributes are
// written to the text form as JSON, so fields at their zero value should carry omitempty.
type Kind interface {
	// Shape infers the output's shape from those of the inputs. Activations have Batch in front.
	Shape(in []Shape) (Shape, error)
	// Kernel prepares the computation for concrete shapes.
	Kernel(c Context) (Kernel, error)
}

// Context is what a Kernel is prepared for.
type Context struct {
	Op    string  // name of the Op, unique in the graph
	In    []Shape // concrete: the batch is a number
	Out   Shape
	Train bool // a training session: dropout drops, BatchNorm uses the batch, observers observe

	keeper *keeper // what a kernel keeps from Forward to Backward and for the length of one of them; nil: memory of its own
}

// Kernel computes an Op, forward and backward, on flat row-major slices. It belongs to one session and may keep scratch from Forward to the
// Backward that follows it (keep). Neither method allocates after the first call; work runs pieces side by side without a closure for each call.
type Kernel interface {
	// Forward writes y, every element. In training it may also write the inputs that its Def marks as State.
	Forward(y []float32, in [][]float32)
	// Backward writes, for each input whose dx is not nil, the gradient of the loss by that input, every element, given dy.
	Backward(dx [][]float32, in [][]float32, y, dy []float32)
}

// Port is an input of a Kind.
type Port struct {
	Name  string
	Diff  bool // has a gradient
	State bool // written by Forward in training; must be a Var with role State
}

// Def registers a Kind.
type Def struct {
	Kind     Kind   // the zero value of the type
	Doc      string // one line
	In       []Port
	Variadic bool // the last port repeats
	Optional bool // the last port may be absent
	Samples  []Sample
}

// Sample is an instance of a Kind for the tests that walk the registry: shapes, finite-difference gradients, batches.
type Sample struct {
	Kind Kind
	In   []Shape                                 // Batch in front of activations
	Fill func(input int, x []float32) (own bool) // writes values for an input; own == false leaves the standard random values
	// Kink tells that the function has steps or kinks by design, so that finite differences do not apply; the reason is printed.
	Kink string
}

var defs = map[string]*Def{}

// Register adds a Kind to the language. It is called from init functions, and panics on a duplicate.
func Register(d Def) {
	name := KindName(d.Kind)
	if defs[name] != nil {
		panic("graph: Kind " + name + " is registered twice")
	}
	defs[name] = &d
}

// KindName is the name of a Kind: that of its type.
func KindName(k Kind) string { return reflect.TypeOf(k).Name() }

// Kinds returns the names of all registered Kinds, sorted.
func Kinds() []string {
	names := make([]string, 0, len(defs))
	for n := range defs {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Lookup returns the Def of a name, or nil.
func Lookup(name string) *Def { return defs[name] }

// DefOf returns the Def of a Kind, or nil when it is not registered.
func DefOf(k Kind) *Def { return defs[KindName(k)] }

// Port returns the port of input i.
func (d *Def) Port(i int) Port {
	if i >= len(d.In) {
		return d.In[len(d.In)-1]
	}
	return d.In[i]
}

// infer checks the number of inputs and asks the Kind for the shape; a panic in a Kind's code is an error of that Kind.
func infer(k Kind, in []*Value) (s Shape, err error) {
	if k == nil {
		return nil, fmt.Errorf("no Kind")
	}
	name := KindName(k)
	d := defs[name]
	if d == nil {
		return nil, fmt.Errorf("unknown Kind %q; known are %s", name, strings.Join(Kinds(), ", "))
	}
	low, high := len(d.In), len(d.In)
	if d.Optional {
		low--
	}
	if d.Variadic {
		high = 1 << 10
	}
	if len(in) < low || len(in) > high {
		return nil, fmt.Errorf("%s reads %d inputs, not %d", name, len(d.In), len(in))
	}
	shapes := make([]Shape, len(in))
	for i, v := range in {
		if v == nil {
			return nil, fmt.Errorf("%s: input %q is missing", name, d.Port(i).Name)
		}
		if p := d.Port(i); p.State && (v.Var == nil || v.Var.Role != State) {
			return nil, fmt.Errorf("%s: input %q must be a Var with role %q, %s is not", name, p.Name, State, v.Name)
		}
		shapes[i] = v.Shape
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s cannot take inputs of shapes %v: %v", name, shapes, r)
		}
	}()
	if s, err = k.Shape(shapes); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: output %w", name, err)
	}
	return s, nil
}
