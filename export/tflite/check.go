package tflite

import "fmt"

// Check verifies what every user of a model relies on: indices in range, sizes positive and bounded, contents of the right length, quantization that
// fits the shape, operators that write what nothing wrote before and nobody else writes.
func (m *Model) Check() error {
	if m.Version != 3 {
		return fmt.Errorf("schema version %d, want 3", m.Version)
	}
	if len(m.Subgraphs) == 0 {
		return fmt.Errorf("the model has no subgraph")
	}
	for i, g := range m.Subgraphs {
		if err := g.check(); err != nil {
			return fmt.Errorf("subgraph %d: %w", i, err)
		}
	}
	for _, s := range m.Signatures {
		if s.Subgraph < 0 || s.Subgraph >= len(m.Subgraphs) {
			return fmt.Errorf("signature %q: there is no subgraph %d", s.Key, s.Subgraph)
		}
		for _, n := range append(append([]Named{}, s.Inputs...), s.Outputs...) {
			if n.Tensor < 0 || n.Tensor >= len(m.Subgraphs[s.Subgraph].Tensors) {
				return fmt.Errorf("signature %q: %q is tensor %d of %d", s.Key, n.Name, n.Tensor, len(m.Subgraphs[s.Subgraph].Tensors))
			}
		}
	}
	return nil
}

func (g *Graph) check() error {
	for i, t := range g.Tensors {
		if err := t.check(); err != nil {
			return fmt.Errorf("tensor %d (%s): %w", i, t.Name, err)
		}
	}
	has := func(i int) bool { return i >= 0 && i < len(g.Tensors) }
	for _, i := range append(append([]int{}, g.Inputs...), g.Outputs...) {
		if !has(i) {
			return fmt.Errorf("input or output is tensor %d of %d", i, len(g.Tensors))
		}
	}
	written := map[int]bool{}
	for _, i := range g.Inputs {
		written[i] = true
	}
	for n, o := range g.Operators {
		if o.Code < 0 {
			return fmt.Errorf("operator %d has code %d", n, o.Code)
		}
		for _, i := range o.Inputs {
			if i != -1 && !has(i) {
				return fmt.Errorf("operator %d (%s) reads tensor %d of %d", n, o.Code, i, len(g.Tensors))
			}
		}
		for _, i := range o.Outputs {
			if !has(i) {
				return fmt.Errorf("operator %d (%s) writes tensor %d of %d", n, o.Code, i, len(g.Tensors))
			}
			if written[i] || g.Tensors[i].IsConst() {
				return fmt.Errorf("operator %d (%s) writes tensor %d (%s), which is an input, a constant or written already", n, o.Code, i, g.Tensors[i].Name)
			}
			written[i] = true
		}
	}
	return nil
}

func (t *Tensor) check() error {
	n := 1
	for _, d := range t.Shape {
		if d < 0 || d > 0 && n > maxTensor/d {
			return fmt.Errorf("shape %v: sizes must not be negative, and together at most %d elements", t.Shape, maxTensor)
		}
		n *= d
	}
	if size := t.Type.Size(); t.IsConst() && size > 0 && len(t.Data) != n*size {
		return fmt.Errorf("%d bytes for shape %v of %s, want %d", len(t.Data), t.Shape, t.Type, n*size)
	}
	if t.Quant == nil {
		return nil
	}
	if err := t.Quant.Check(); err != nil {
		return err
	}
	if lo, hi, ok := t.Type.codes(); ok {
		for _, z := range t.Quant.ZeroPoint {
			if z < lo || z > hi {
				return fmt.Errorf("zero point %d is no code of %s", z, t.Type)
			}
		}
	}
	if q := t.Quant; q.IsPerAxis() && (q.Axis < 0 || q.Axis >= len(t.Shape) || t.Shape[q.Axis] != len(q.Scale)) {
		return fmt.Errorf("%d scales along dimension %d of shape %v", len(q.Scale), q.Axis, t.Shape)
	}
	return nil
}
