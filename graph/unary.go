package graph

import "github.com/temper-ml/temper/internal/compute"

// unary is the kernel of an element-wise function of one input: f computes the value, df the derivative from input and value. They get whole pieces,
// so that the function itself is inlined in the loop over elements.
type unary struct {
	n     int
	needs reads // what df reads
	f     func(y, x []float32)
	df    func(dx, x, y, dy []float32)
}

// reads tells which side of a function its derivative is computed from.
type reads int

const (
	readsX reads = iota
	readsY
)

func (k *unary) backwardReads(i int) bool { return (i == output) == (k.needs == readsY) }

func (k *unary) Forward(y []float32, in [][]float32) {
	work.Parallel(k.n, grain, call{k: k, y: y, in: in}, func(p *call, lo, hi int) { p.k.(*unary).f(p.y[lo:hi], p.in[0][lo:hi]) })
}

func (k *unary) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	work.Parallel(k.n, grain, call{k, y, dy, in, dx}, func(p *call, lo, hi int) {
		p.k.(*unary).df(p.dx[0][lo:hi], p.in[0][lo:hi], p.y[lo:hi], p.dy[lo:hi])
	})
}

// call is what a kernel hands to the pieces of its work: itself, a pointer, and its arguments. A closure would be allocated in every step.
type call struct {
	k     any
	y, dy []float32
	in    [][]float32
	dx    [][]float32
}

var work compute.Work[call]

// grain is the number of elements of an element-wise pass that is worth a piece of its own.
const grain = 1 << 14

// unaryDef registers a Kind of one input whose output has the same shape.
func unaryDef(k Kind, doc string, samples ...Sample) {
	if len(samples) == 0 {
		samples = []Sample{{Kind: k, In: []Shape{{Batch, 4, 3, 5}}}}
	}
	Register(Def{Kind: k, Doc: doc, In: []Port{{Name: "x", Diff: true}}, Samples: samples})
}

// awayFrom fills a sample with values that are no closer than 0.1 to the kinks.
func awayFrom(kinks ...float32) func(int, []float32) bool {
	return func(_ int, x []float32) bool {
		for i := range x {
			x[i] = float32((i*29)%31)/31*16 - 8
			for _, k := range kinks {
				if d := x[i] - k; d > -0.1 && d < 0.1 {
					x[i] = k + 0.3
				}
			}
		}
		return true
	}
}
