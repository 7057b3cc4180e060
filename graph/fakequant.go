package graph

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/internal/compute"
)

// FakeQuant rounds x to the values that an integer of Bits bits can represent, and passes the gradient straight through where x is inside the
// range (Jacob et al., 2018; TensorFlow's fake_quant_with_min_max_vars and ..._per_channel, bit for bit).
//
// The range is a Var [2] with minimum and maximum, or [2,c] for PerAxis, along the last dimension of x. It is widened to hold zero and moved so
// that zero is a code (quant.Nudge); Symmetric makes it [-m, m]. In training the range may follow x:
//
//	Observer ""      it stands as it is
//	Observer "last"  it is that of x itself, in inference too: for weights
//	Observer "ema"   it moves towards that of the batch: r = r*Momentum + batch*(1-Momentum)
//
// Delay is the number of training steps that pass x unchanged (the range follows nevertheless), Freeze the step from which the range stands
// still; both need the third input, a counter of steps. Learned trains the range by gradient (LSQ, Esser et al., 2020, in terms of the range's
// ends): rounding errors and saturated values move it.
type FakeQuant struct {
	Bits      int
	Symmetric bool    `json:",omitempty"`
	Narrow    bool    `json:",omitempty"` // leave the lowest code out
	PerAxis   bool    `json:",omitempty"`
	Observer  string  `json:",omitempty"`
	Momentum  float32 `json:",omitempty"`
	Delay     int     `json:",omitempty"`
	Freeze    int     `json:",omitempty"`
	Learned   bool    `json:",omitempty"`
}

func init() {
	const steps = "has steps; the straight-through gradient is tested by its formula"
	x := Shape{Batch, 3, 4}
	Register(Def{
		Kind:     FakeQuant{},
		Doc:      "rounding to what an integer can represent",
		In:       []Port{{Name: "x", Diff: true}, {Name: "range", Diff: true}, {Name: "count", State: true}},
		Optional: true,
		Samples: []Sample{
			{Kind: FakeQuant{Bits: 8}, In: []Shape{x, {2}}, Kink: steps},
			{Kind: FakeQuant{Bits: 4, Symmetric: true, Narrow: true, PerAxis: true, Observer: "last"}, In: []Shape{{3, 4}, {2, 4}}, Kink: steps},
			{Kind: FakeQuant{Bits: 8, Observer: "ema", Momentum: 0.9, Delay: 1, Freeze: 3}, In: []Shape{x, {2}, {1}}, Kink: steps},
			{Kind: FakeQuant{Bits: 8, Learned: true}, In: []Shape{x, {2}}, Kink: steps},
		},
	})
}

func (k FakeQuant) Shape(in []Shape) (Shape, error) {
	if k.Bits < 2 || k.Bits > 16 {
		return nil, fmt.Errorf("%d bits: want 2 to 16", k.Bits)
	}
	want := Shape{2}
	if k.PerAxis {
		want = Shape{2, in[0].Channels()}
	}
	if !in[1].Equal(want) {
		return nil, fmt.Errorf("range %v does not fit input %v: want %v", in[1], in[0], want)
	}
	switch k.Observer {
	case "", "last":
	case "ema":
		if k.Momentum < 0 || k.Momentum >= 1 {
			return nil, fmt.Errorf("momentum %g must be in [0, 1)", k.Momentum)
		}
	default:
		return nil, fmt.Errorf("observer %q is none of \"\", \"last\" and \"ema\"", k.Observer)
	}
	if k.Learned && k.Observer != "" {
		return nil, fmt.Errorf("a learned range is not observed: leave out Observer %q", k.Observer)
	}
	if (k.Delay != 0 || k.Freeze != 0) && len(in) < 3 || k.Delay < 0 || k.Freeze < 0 {
		return nil, fmt.Errorf("delay %d and freeze %d are steps, and need the count input", k.Delay, k.Freeze)
	}
	if len(in) > 2 && in[2].Volume() != 1 {
		return nil, fmt.Errorf("count %v: want [1]", in[2])
	}
	return in[0], nil
}

// levels are the codes that the quantizer uses.
func (k FakeQuant) levels() quant.Levels {
	return quant.Levels{Bits: k.Bits, Narrow: k.Narrow, PerAxis: k.PerAxis}
}

// Quantizers returns the quantizer, or one a channel, that inference uses for x (needed for Observer "last" only) and the values of the range Var.
// It fails on ranges that are not finite.
func (k FakeQuant) Quantizers(x, ranges []float32) ([]quant.Nudged, error) {
	n := len(ranges) / 2
	r := append([]float32{}, ranges...)
	if k.Observer == "last" {
		observe(r, x, n)
	}
	q := make([]quant.Nudged, n)
	k.nudge(q, r)
	for i := range q {
		if s := q[i].Scale; !(s > 0) || math.IsInf(float64(s), 0) {
			return nil, fmt.Errorf("range [%g, %g] of slice %d makes no scale", r[i], r[n+i], i)
		}
	}
	return q, nil
}

func (k FakeQuant) nudge(q []quant.Nudged, r []float32) {
	n := len(q)
	for i := range q {
		q[i] = quant.Nudge(k.rangeOf(r[i], r[n+i]), k.levels())
	}
}

func (k FakeQuant) rangeOf(lo, hi float32) quant.Range {
	r := quant.Range{Min: lo, Max: hi}
	if k.Symmetric {
		return r.Symmetric()
	}
	return r.WithZero()
}

// observe writes the minima and maxima of x, zero included, over n channels of the last dimension (1: over everything).
func observe(r, x []float32, n int) {
	if n == 1 {
		all := compute.MinMax(x)
		r[0], r[1] = all.Min, all.Max
		return
	}
	compute.ChannelRanges(r[:n], r[n:], x, n)
}

func (k FakeQuant) Kernel(c Context) (Kernel, error) {
	n := c.In[1].Volume() / 2
	f := &fakeQuantKernel{FakeQuant: k, train: c.Train, n: n, volume: c.Out.Volume(), q: make([]quant.Nudged, n), steps: make([]compute.Steps, n), seen: make([]float32, 2*n)}
	f.parts = make([]float32, 2*n*compute.Chunks(f.volume, grain))
	return f, nil
}

type fakeQuantKernel struct {
	FakeQuant
	train  bool
	n      int // quantizers
	volume int
	q      []quant.Nudged
	steps  []compute.Steps // the same for the passes
	seen   []float32       // range of this batch
	parts  []float32       // of the pieces of x
	off    bool            // the delay is not over
}

func (*fakeQuantKernel) backwardReads(i int) bool { return i == 0 }

func (k *fakeQuantKernel) Forward(y []float32, in [][]float32) {
	x, r := in[0], in[1]
	if k.begin(in[2:]) {
		k.observe(in)
		r = k.follow(r)
	}
	if k.off {
		copy(y, x)
		return
	}
	k.aim(r)
	work.Parallel(k.volume/k.n, max(1, grain/k.n), call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k := p.k.(*fakeQuantKernel)
		compute.Quantize(p.y[lo*k.n:hi*k.n], p.in[0][lo*k.n:hi*k.n], k.steps)
	})
}

// begin counts the step, if there is a counter, and tells whether the range follows x in it.
func (k *fakeQuantKernel) begin(count [][]float32) bool {
	step := math.MaxInt
	if len(count) > 0 {
		step = int(count[0][0])
		if k.train {
			count[0][0]++
		}
	}
	k.off = k.Delay > 0 && step < k.Delay
	switch k.Observer {
	case "ema":
		return k.train && !(k.Freeze > 0 && step >= k.Freeze)
	case "last":
		return true
	}
	return false
}

// follow moves the range r by what was seen, and returns the range to use: r, or where it must not be written, another.
func (k *fakeQuantKernel) follow(r []float32) []float32 {
	if k.Observer == "last" {
		if !k.train {
			return k.seen
		}
		copy(r, k.seen)
		return r
	}
	for i := range r {
		r[i] = float32(r[i]*k.Momentum) + float32(k.seen[i]*(1-k.Momentum))
	}
	return r
}

// aim makes the quantizers of the range r.
func (k *fakeQuantKernel) aim(r []float32) {
	k.nudge(k.q, r)
	for c, q := range k.q {
		k.steps[c] = compute.Steps{Min: q.Min, Max: q.Max, Scale: q.Scale, Below: q.Below()}
		if q.ByInverse() {
			k.steps[c].Inv = q.Inv
		}
	}
}

// part is the range of piece i.
func (k *fakeQuantKernel) part(i int) []float32 { return k.parts[2*i*k.n : 2*(i+1)*k.n] }

// observe finds the range of the first input in parallel: minima and maxima do not depend on the order.
func (k *fakeQuantKernel) observe(in [][]float32) {
	chunks := len(k.parts) / 2 / k.n
	work.Parallel(chunks, 1, call{k: k, in: in}, func(p *call, lo, hi int) {
		k, x := p.k.(*fakeQuantKernel), p.in[0]
		pixels, chunks := len(x)/k.n, len(k.parts)/2/k.n
		for i := lo; i < hi; i++ {
			observe(k.part(i), x[i*pixels/chunks*k.n:(i+1)*pixels/chunks*k.n], k.n)
		}
	})
	for i := range chunks {
		p := k.part(i)
		for c := range k.n {
			r := compute.Range{Min: k.seen[c], Max: k.seen[k.n+c]}
			if i == 0 {
				r = compute.Range{}
			}
			r.Widen(compute.Range{Min: p[c], Max: p[k.n+c]})
			k.seen[c], k.seen[k.n+c] = r.Min, r.Max
		}
	}
}

func (k *fakeQuantKernel) Backward(dx [][]float32, in [][]float32, _, dy []float32) {
	x := in[0]
	if dx[0] != nil {
		k.straightThrough(dx[0], in, dy)
	}
	if dx[1] != nil {
		clear(dx[1])
		if !k.off && k.Learned {
			k.rangeGradient(dx[1], x, dy)
		}
	}
}

func (k *fakeQuantKernel) straightThrough(dx []float32, in [][]float32, dy []float32) {
	if k.off {
		copy(dx, dy)
		return
	}
	work.Parallel(k.volume/k.n, max(1, grain/k.n), call{k: k, y: dx, dy: dy, in: in}, func(p *call, lo, hi int) {
		k := p.k.(*fakeQuantKernel)
		compute.QuantizeGrad(p.y[lo*k.n:hi*k.n], p.dy[lo*k.n:hi*k.n], p.in[0][lo*k.n:hi*k.n], k.steps)
	})
}

// rangeGradient is LSQ's, for y = s*round((x-min)/s) + min with s = (max-min)/levels: inside the range the rounding error in steps, divided by the
// levels, moves the ends apart; a saturated value pulls its end. The gradient is scaled by 1/sqrt(N*levels) (Esser et al., section 2.2).
func (k *fakeQuantKernel) rangeGradient(dr, x, dy []float32) {
	lo, hi := k.levels().Bounds()
	levels := float64(hi - lo)
	for c := range k.n {
		q := k.q[c]
		var dmin, dmax float64
		for i := c; i < len(x); i += k.n {
			d := float64(dy[i])
			switch {
			case x[i] < q.Min:
				dmin += d
			case x[i] > q.Max:
				dmax += d
			default:
				u := float64((x[i] - q.Min) * q.Inv)
				e := (math.Floor(u+0.5) - u) / levels * d
				dmin -= e
				dmax += e
			}
		}
		scale := 1 / math.Sqrt(float64(len(x)/k.n)*levels)
		if k.Symmetric {
			dmax = (dmax - dmin) / 2
			dmin = -dmax
		}
		dr[c], dr[k.n+c] = float32(dmin*scale), float32(dmax*scale)
	}
}
