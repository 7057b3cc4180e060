package graph

// LeakyReLU is x for x >= 0 and Alpha*x below (TFLite LEAKY_RELU).
type LeakyReLU struct {
	Alpha float32
}

func init() {
	unaryDef(LeakyReLU{}, "x, or alpha*x where negative", Sample{Kind: LeakyReLU{0.2}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(0)})
}

func (LeakyReLU) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (k LeakyReLU) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), readsX, func(y, x []float32) {
		for i, v := range x {
			if v < 0 {
				v *= k.Alpha
			}
			y[i] = v
		}
	}, func(dx, x, _, dy []float32) {
		for i, v := range x {
			d := dy[i]
			if v < 0 {
				d *= k.Alpha
			}
			dx[i] = d
		}
	}}, nil
}
