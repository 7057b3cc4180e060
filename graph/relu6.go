package graph

// ReLU6 is min(max(x, 0), 6).
type ReLU6 struct{}

func init() {
	unaryDef(ReLU6{}, "min(max(x, 0), 6)", Sample{Kind: ReLU6{}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(0, 6)})
}

func (ReLU6) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (ReLU6) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), func(y, x []float32) {
		for i, v := range x {
			y[i] = min(max(v, 0), 6)
		}
	}, func(dx, x, _, dy []float32) {
		for i, v := range x {
			d := dy[i]
			if v <= 0 || v >= 6 {
				d = 0
			}
			dx[i] = d
		}
	}}, nil
}
