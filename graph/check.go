package graph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Check verifies what every stage relies on: unique names, Ops after what they read, shapes as inferred, Vars with the right amount of data,
// at least one output. The error names the graph and the Op.
func (g *Graph) Check() error {
	if err := g.check(); err != nil {
		return fmt.Errorf("graph %s: %w", g.Name, err)
	}
	return nil
}

func (g *Graph) check() error {
	if err := checkName(g.Name); err != nil {
		return fmt.Errorf("name of the graph: %w", err)
	}
	seen := map[string]bool{}
	defined := map[*Value]bool{}
	define := func(v *Value) error {
		if v == nil {
			return fmt.Errorf("an input or var without a value")
		}
		if err := checkName(v.Name); err != nil {
			return err
		}
		if seen[v.Name] {
			return fmt.Errorf("the name %q is taken twice", v.Name)
		}
		seen[v.Name], defined[v] = true, true
		return nil
	}
	for _, v := range g.Inputs {
		if err := define(v); err != nil {
			return err
		}
		if !v.Shape.Batched() || v.Op != nil || v.Var != nil {
			return fmt.Errorf("input %s of shape %v is not a batched input", v.Name, v.Shape)
		}
		if err := v.Shape.check(); err != nil {
			return fmt.Errorf("input %s: %w", v.Name, err)
		}
	}
	for _, v := range g.Vars {
		if err := define(v.Value); err != nil {
			return err
		}
		if v.Value.Var != v || v.Value.Name != v.Name || !v.Value.Shape.Equal(v.Shape) {
			return fmt.Errorf("var %s and its value disagree", v.Name)
		}
		if err := v.check(); err != nil {
			return err
		}
	}
	for _, o := range g.Ops {
		if o == nil {
			return fmt.Errorf("an op is missing")
		}
		if err := g.checkOp(o, defined); err != nil {
			return fmt.Errorf("%s: %w", o.Name, err)
		}
		if err := define(o.Out); err != nil {
			return err
		}
	}
	if len(g.Outputs) == 0 {
		return fmt.Errorf("no output")
	}
	for _, v := range g.Outputs {
		if v == nil {
			return fmt.Errorf("an output is missing")
		}
		if !defined[v] {
			return fmt.Errorf("output %s is not a value of the graph", v.Name)
		}
	}
	return nil
}

// check verifies what concerns the Var alone.
func (v *Var) check() error {
	if err := v.Shape.check(); err != nil {
		return fmt.Errorf("var %s: %w", v.Name, err)
	}
	if v.Shape.Batched() {
		return fmt.Errorf("var %s: shape %v has a batch dimension", v.Name, v.Shape)
	}
	if len(v.Data) != v.Shape.Volume() {
		return fmt.Errorf("var %s: %d values for shape %v, want %d", v.Name, len(v.Data), v.Shape, v.Shape.Volume())
	}
	if !v.Role.known() {
		return fmt.Errorf("var %s: unknown role %q", v.Name, v.Role)
	}
	if v.Promise != nil {
		if err := v.Promise.check(len(v.Data)); err != nil {
			return fmt.Errorf("var %s: %w", v.Name, err)
		}
	}
	if strings.HasPrefix(v.Name, statePrefix) || v.Name == metadataKey {
		return fmt.Errorf("var %s: the name belongs to the checkpoint's own entries", v.Name)
	}
	return nil
}

func (g *Graph) checkOp(o *Op, defined map[*Value]bool) error {
	for i, v := range o.In {
		if v == nil || !defined[v] {
			return fmt.Errorf("input %d is not defined before it is read", i)
		}
	}
	shape, err := infer(o.Kind, o.In)
	if err != nil {
		return err
	}
	if o.Out == nil || o.Out.Op != o || o.Out.Name != o.Name || !o.Out.Shape.Equal(shape) {
		return fmt.Errorf("output is not the value of shape %v that %s makes", shape, KindName(o.Kind))
	}
	if _, err := json.Marshal(o.Kind); err != nil {
		return fmt.Errorf("attributes of %s cannot be written: %w", KindName(o.Kind), err)
	}
	return nil
}

// checkName admits what the text form can carry: letters, digits and -_./: without spaces.
func checkName(name string) error {
	if name == "" || len(name) > 512 {
		return fmt.Errorf("the name %q must have 1 to 512 characters", name)
	}
	bad := strings.IndexFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || slices.Contains([]rune("-_./:"), r))
	})
	if bad >= 0 {
		return fmt.Errorf("the name %q may have letters, digits and -_./: only", name)
	}
	return nil
}
