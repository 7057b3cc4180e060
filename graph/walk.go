package graph

// needsGradient marks the values that a trainable Var influences along differentiable inputs.
func needsGradient(g *Graph) map[*Value]bool {
	need := map[*Value]bool{}
	for _, v := range g.Vars {
		need[v.Value] = v.Trainable
	}
	for _, o := range g.Ops {
		d := DefOf(o.Kind)
		for i, v := range o.In {
			if d.Port(i).Diff && need[v] {
				need[o.Out] = true
			}
		}
	}
	return need
}

// ancestors are the values that the given ones depend on, themselves included.
func ancestors(of ...*Value) map[*Value]bool {
	seen := map[*Value]bool{}
	var walk func(v *Value)
	walk = func(v *Value) {
		if seen[v] {
			return
		}
		seen[v] = true
		if v.Op != nil {
			for _, in := range v.Op.In {
				walk(in)
			}
		}
	}
	for _, v := range of {
		walk(v)
	}
	return seen
}

// logits looks from v through fake quantizers and the final activation that the loss applies itself.
func logits(v *Value, l Loss) *Value {
	for at := v; at.Op != nil; at = at.Op.In[0] {
		switch KindName(at.Op.Kind) {
		case "FakeQuant":
			continue
		case l.Activation():
			return at.Op.In[0]
		}
		break
	}
	return v
}
