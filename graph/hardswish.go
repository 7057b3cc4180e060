package graph

// HardSwish is x*min(max(x+3, 0), 6)/6 (Howard et al., Searching for MobileNetV3, 2019).
type HardSwish struct{}

func init() {
	unaryDef(HardSwish{}, "x*relu6(x+3)/6", Sample{Kind: HardSwish{}, In: []Shape{{Batch, 4, 3, 5}}, Fill: awayFrom(-3, 3)})
}

func (HardSwish) Shape(in []Shape) (Shape, error) { return in[0], nil }

func (HardSwish) Kernel(c Context) (Kernel, error) {
	return &unary{c.Out.Volume(), readsX, func(y, x []float32) {
		for i, v := range x {
			y[i] = v * min(max(v+3, 0), 6) / 6
		}
	}, func(dx, x, _, dy []float32) {
		for i, v := range x {
			switch {
			case v <= -3:
				dx[i] = 0
			case v >= 3:
				dx[i] = dy[i]
			default:
				dx[i] = dy[i] * (2*v + 3) / 6
			}
		}
	}}, nil
}
