package export_test

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/temper-ml/temper/graph"
)

// netMaker writes random small networks: any Kind in any place.
type netMaker struct {
	b       *graph.Builder
	r       *rand.Rand
	values  []*graph.Value // activations so far
	kernels []*graph.Value // of convolutions so far
	n       int            // names
}

// randomNet makes the network of a seed.
func randomNet(seed uint64) (*graph.Graph, error) {
	r := rand.New(rand.NewPCG(seed, 11))
	m := &netMaker{b: graph.NewBuilder(fmt.Sprintf("net_%d", seed), seed), r: r}
	for i := range 1 + r.IntN(5)/4 {
		m.add(m.b.Input(fmt.Sprintf("in%d", i), 3+r.IntN(5), 3+r.IntN(5), 1+r.IntN(4)))
	}
	inputs := len(m.values)
	for steps := 3 + r.IntN(7); len(m.values) < inputs+steps && m.b.Err() == nil; {
		m.step()
	}
	// What nothing reads is an output, the last value in any case, sometimes one from the middle.
	read := map[*graph.Value]bool{}
	g, err := m.b.Graph(m.values[len(m.values)-1])
	if err != nil {
		return nil, err
	}
	for _, o := range g.Ops {
		for _, v := range o.In {
			read[v] = true
		}
	}
	var out []*graph.Value
	for i, v := range m.values[inputs:] {
		if !read[v] || r.IntN(8) == 0 || i == len(m.values)-inputs-1 {
			out = append(out, v)
		}
	}
	for _, v := range m.values[:inputs] {
		if !read[v] {
			out = append(out, m.b.Op("reads_"+v.Name, graph.LeakyReLU{Alpha: 0.5}, v))
		}
	}
	return m.b.Graph(out...)
}

func (m *netMaker) add(v *graph.Value) {
	if v != nil {
		m.values = append(m.values, v)
	}
}

func (m *netMaker) name(s string) string {
	m.n++
	return fmt.Sprintf("%s_%d", s, m.n)
}

// any is a random value of a rank (0: of any), later ones more often; nil when there is none.
func (m *netMaker) any(rank int) *graph.Value {
	var fit []*graph.Value
	for _, v := range m.values {
		if rank == 0 || len(v.Shape) == rank {
			fit = append(fit, v)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	return fit[max(m.r.IntN(len(fit)), m.r.IntN(len(fit)))]
}

// normal is an Init with values around mean.
func normal(mean, deviation float64) graph.Init {
	return func(x []float32, _ graph.Shape, r *rand.Rand) {
		for i := range x {
			x[i] = float32(mean + deviation*r.NormFloat64())
		}
	}
}

// sometimesZero makes channels that are switched off.
func sometimesZero(init graph.Init) graph.Init {
	return func(x []float32, s graph.Shape, r *rand.Rand) {
		init(x, s, r)
		for c := range s.Channels() {
			if r.IntN(12) > 0 {
				continue
			}
			for i := c; i < len(x); i += s.Channels() {
				x[i] = 0
			}
		}
	}
}

func (m *netMaker) pair(n int) [2]int { return [2]int{1 + m.r.IntN(n), 1 + m.r.IntN(n)} }

func (m *netMaker) padding() graph.Padding {
	return []graph.Padding{graph.Same, graph.Valid}[m.r.IntN(2)]
}

// step appends one layer.
func (m *netMaker) step() {
	image := m.any(4)
	switch k := m.r.IntN(20); {
	case k < 5 && image != nil:
		m.convolution(image)
	case k == 5:
		v := m.any(0)
		w := m.b.Var(m.name("kernel"), graph.Weight, graph.Shape{v.Shape.Channels(), 1 + m.r.IntN(6)}, normal(0, 0.5))
		m.add(m.tail(m.b.Op(m.name("dense"), graph.Dense{}, v, w)))
	case k < 8:
		m.elementwise()
	case k == 8:
		m.concat()
	case k == 9 && image != nil:
		m.pool(image)
	case k == 10 && image != nil:
		m.move(image)
	case k == 11 && image != nil:
		size := [2]int{1 + m.r.IntN(8), 1 + m.r.IntN(8)}
		kind := graph.Resize{Size: size, Method: []string{"nearest", "bilinear"}[m.r.IntN(2)]}
		switch m.r.IntN(3) {
		case 0:
			kind.AlignCorners = true
		case 1:
			kind.HalfPixelCenters = true
		}
		m.add(m.b.Op(m.name("resize"), kind, image))
	case k < 14:
		m.add(m.tail(m.norm(m.any(0))))
	case k < 18:
		m.activation()
	case k == 18:
		count := m.b.Var(m.name("count"), graph.State, graph.Shape{1}, nil)
		m.add(m.b.Op(m.name("dropout"), graph.Dropout{Rate: 0.3}, m.any(0), count))
	default:
		v := m.any(0)
		bias := m.b.Var(m.name("bias"), graph.Bias, graph.Shape{v.Shape.Channels()}, normal(0, 0.5))
		m.add(m.tail(m.b.Op(m.name("bias_add"), graph.BiasAdd{}, v, bias)))
	}
}

// tail is what a kernel's operator may take up: bias, BatchNorm, activation; or what is left of it.
func (m *netMaker) tail(v *graph.Value) *graph.Value {
	if v != nil && m.r.IntN(2) == 0 {
		bias := m.b.Var(m.name("bias"), graph.Bias, graph.Shape{v.Shape.Channels()}, normal(0, 0.5))
		v = m.b.Op(m.name("bias_add"), graph.BiasAdd{}, v, bias)
	}
	if m.r.IntN(3) == 0 {
		v = m.norm(v)
	}
	switch m.r.IntN(4) {
	case 0:
		v = m.b.Op(m.name("relu"), graph.ReLU{}, v)
	case 1:
		v = m.b.Op(m.name("relu6"), graph.ReLU6{}, v)
	}
	return v
}

func (m *netMaker) norm(v *graph.Value) *graph.Value {
	if v == nil {
		return nil
	}
	c := graph.Shape{v.Shape.Channels()}
	gamma := m.b.Var(m.name("gamma"), graph.Scale, c, sometimesZero(normal(0.5, 1))) // some negative
	beta := m.b.Var(m.name("beta"), graph.Bias, c, normal(0, 1))
	mean := m.b.Var(m.name("mean"), graph.State, c, normal(0, 1))
	variance := m.b.Var(m.name("variance"), graph.State, c, func(x []float32, _ graph.Shape, r *rand.Rand) {
		for i := range x {
			x[i] = 0.1 + 2*r.Float32()
		}
	})
	return m.b.Op(m.name("norm"), graph.BatchNorm{}, v, gamma, beta, mean, variance)
}

func (m *netMaker) convolution(v *graph.Value) {
	h, w, c := v.Shape[1], v.Shape[2], v.Shape[3]
	p := m.padding()
	k := m.pair(3)
	dilation := m.pair(2)
	if m.r.IntN(2) == 0 {
		dilation = [2]int{1, 1}
	}
	if p == graph.Valid && ((k[0]-1)*dilation[0] >= h || (k[1]-1)*dilation[1] >= w) {
		k = [2]int{1, 1}
	}
	kernel := func(tail ...int) *graph.Value {
		shape := append(graph.Shape{k[0], k[1]}, tail...)
		for _, v := range m.kernels {
			if slices.Equal(v.Shape, shape) && m.r.IntN(2) == 0 {
				return v // two operators may read one kernel
			}
		}
		deviation := []float64{0.001, 0.1, 0.5, 2}[m.r.IntN(4)]
		v := m.b.Var(m.name("kernel"), graph.Weight, shape, sometimesZero(normal(0, deviation)))
		if v != nil {
			m.kernels = append(m.kernels, v)
		}
		return v
	}
	out := 1 + m.r.IntN(6)
	switch m.r.IntN(4) {
	case 0:
		m.add(m.tail(m.b.Op(m.name("depthwise"), graph.DepthwiseConv2D{Stride: m.pair(3), Dilation: dilation, Padding: p}, v, kernel(c*(1+m.r.IntN(2))))))
	case 1:
		if v.Shape.Volume() < 150 {
			m.add(m.tail(m.b.Op(m.name("transpose"), graph.TransposeConv2D{Stride: m.pair(3), Padding: p}, v, kernel(c, out))))
		}
	default:
		m.add(m.tail(m.b.Op(m.name("conv"), graph.Conv2D{Stride: m.pair(3), Dilation: dilation, Padding: p}, v, kernel(c, out))))
	}
}

// elementwise adds, subtracts or multiplies a value and another, a constant, or a vector for each image (as in squeeze and excitation).
func (m *netMaker) elementwise() {
	kind := []graph.Kind{graph.Add{}, graph.Add{}, graph.Sub{}, graph.Mul{}}[m.r.IntN(4)]
	a := m.any(0)
	c := a.Shape.Channels()
	var other *graph.Value
	switch m.r.IntN(4) {
	case 0:
		shape := graph.Shape{c}
		if len(a.Shape) == 4 && m.r.IntN(2) == 0 {
			shape = graph.Shape{1, a.Shape[1], 1, c}
		}
		other = m.b.Var(m.name("operand"), graph.Weight, shape, normal(0.3, 1))
	case 1:
		if len(a.Shape) == 4 {
			other = m.b.Op(m.name("squeeze"), graph.GlobalAvgPool{KeepDims: true}, a)
		}
	default:
		for _, v := range m.values {
			if slices.Equal(v.Shape, a.Shape) && (v != a || m.r.IntN(3) == 0) {
				other = v
			}
		}
	}
	if other != nil {
		m.add(m.tail(m.b.Op(m.name("pair"), kind, a, other)))
	}
}

func (m *netMaker) concat() {
	a := m.any(0)
	axis := 1 + m.r.IntN(len(a.Shape)-1)
	in := []*graph.Value{a}
	for _, v := range m.values {
		if len(v.Shape) != len(a.Shape) || len(in) == 3 {
			continue
		}
		x, y := slices.Clone(v.Shape), slices.Clone(a.Shape)
		if x[axis] = y[axis]; slices.Equal(x, y) {
			in = append(in, v)
		}
	}
	if len(in) == 1 && m.r.IntN(3) > 0 {
		other := m.b.Op(m.name("branch"), []graph.Kind{graph.Tanh{}, graph.HardSwish{}, graph.LeakyReLU{Alpha: 3}}[m.r.IntN(3)], a)
		in = append(in, other)
	}
	m.add(m.b.Op(m.name("concat"), graph.Concat{Axis: axis}, in...))
}

func (m *netMaker) pool(v *graph.Value) {
	size, p := m.pair(3), m.padding()
	size = [2]int{min(size[0], v.Shape[1]), min(size[1], v.Shape[2])}
	switch m.r.IntN(3) {
	case 0:
		m.add(m.b.Op(m.name("max"), graph.MaxPool2D{Size: size, Stride: m.pair(3), Padding: p}, v))
	case 1:
		m.add(m.b.Op(m.name("average"), graph.AvgPool2D{Size: size, Stride: m.pair(3), Padding: p}, v))
	default:
		m.add(m.b.Op(m.name("global"), graph.GlobalAvgPool{KeepDims: m.r.IntN(2) == 0}, v))
	}
}

// move pads or reshapes.
func (m *netMaker) move(v *graph.Value) {
	switch m.r.IntN(3) {
	case 0:
		m.add(m.b.Op(m.name("flatten"), graph.Reshape{To: []int{v.Shape.Volume()}}, v))
	case 1:
		m.add(m.b.Op(m.name("rows"), graph.Reshape{To: []int{v.Shape[1] * v.Shape[2], v.Shape[3]}}, v))
	default:
		if v.Shape.Volume() < 300 {
			m.add(m.b.Op(m.name("pad"), graph.Pad{Before: m.pair(2), After: m.pair(3)}, v))
		}
	}
}

func (m *netMaker) activation() {
	v := m.any(0)
	kinds := []graph.Kind{graph.ReLU{}, graph.ReLU6{}, graph.LeakyReLU{Alpha: 0.1}, graph.LeakyReLU{Alpha: 1.5}, graph.HardSwish{}, graph.Sigmoid{}, graph.Tanh{}, graph.Softmax{}}
	if i := m.r.IntN(len(kinds) + 2); i < len(kinds) {
		m.add(m.b.Op(m.name("activation"), kinds[i], v))
		return
	}
	alpha := m.b.Var(m.name("alpha"), graph.Scale, graph.Shape{v.Shape.Channels()}, normal(0.2, 0.5))
	m.add(m.b.Op(m.name("prelu"), graph.PReLU{}, v, alpha))
}
