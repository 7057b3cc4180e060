package graph

// ReLU is max(x, 0).
type ReLU struct{}

func init() {
	unaryDef(ReLU{}, "max(x, 0)", Sample{Kind: ReLU{}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(0)})
}

func (ReLU) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (ReLU) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), func(y, x []float32) {
		for i, v := range x {
			y[i] = max(v, 0)
		}
	}, func(dx, x, _, dy []float32) {
		for i, v := range x {
			d := dy[i]
			if v <= 0 {
				d = 0
			}
			dx[i] = d
		}
	}}, nil
}
