package graph

import "fmt"

// Const evaluates a value that depends on Vars alone, such as kernel -> Mask -> FakeQuant, as an eval session does: with the same kernels,
// so to the same bits. The result must not be written to.
func Const(v *Value) ([]float32, error) {
	if v.Var != nil {
		return v.Var.Data, nil
	}
	if v.Op == nil {
		return nil, fmt.Errorf("%s is an input of the network, not a constant", v.Name)
	}
	o := v.Op
	c := Context{Op: o.Name, Out: v.Shape}
	in := make([][]float32, len(o.In))
	for i, x := range o.In {
		var err error
		if in[i], err = Const(x); err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name, err)
		}
		c.In = append(c.In, x.Shape)
	}
	k, err := o.Kind.Kernel(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name, err)
	}
	y := make([]float32, v.Shape.Volume())
	k.Forward(y, in)
	return y, nil
}

// IsConst tells whether v depends on Vars alone.
func IsConst(v *Value) bool {
	if v.Op == nil {
		return v.Var != nil
	}
	for _, in := range v.Op.In {
		if !IsConst(in) {
			return false
		}
	}
	return true
}
