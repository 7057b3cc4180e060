package graph

import (
	"github.com/temper-ml/temper/internal/compute"
)

// perImage is a kernel of one input that can run on some images of the batch.
type perImage interface {
	// sizes are those of an image of the input and of the output.
	sizes() (in, out int)
	// forwardImages computes images from n on.
	forwardImages(y, x []float32, n int)
	// backwardImages computes the gradient of images from n on.
	backwardImages(dx, y, dy []float32, n int)
}

// loading is such a kernel on a value whose tail is applied when an image is loaded.
type loading struct {
	perImage
	load   *reader
	images int
}

func (k *loading) backwardReads(i int) bool {
	return i == 0 && k.load.reads() || i == output && backwardReads(k.perImage.(Kernel), output)
}

func (k *loading) Forward(y []float32, in [][]float32) {
	work.Parallel(k.images, 1, call{k: k, y: y, in: in}, func(p *call, lo, hi int) {
		k, y, in := p.k.(*loading), p.y, p.in
		size, out := k.sizes()
		m := compute.GetScratch()
		for n := lo; n < hi; n++ {
			k.forwardImages(of(y, n, out), k.load.load(m, 2, of(in[0], n, size), n), n)
		}
		compute.PutScratch(m)
	})
}

func (k *loading) Backward(dx [][]float32, in [][]float32, y, dy []float32) {
	work.Parallel(k.images, 1, call{k, y, dy, in, dx}, func(p *call, lo, hi int) {
		k, y, dy, in, dx := p.k.(*loading), p.y, p.dy, p.in, p.dx
		size, out := k.sizes()
		m := compute.GetScratch()
		k.load.start(lo)
		for n := lo; n < hi; n++ {
			to := of(dx[0], n, size)
			g := to
			if k.load.turns() {
				g = m.Buffer(0, size)
			}
			k.backwardImages(g, of(y, n, out), of(dy, n, out), n)
			if k.load.turns() {
				k.load.back(to, g, of(in[0], n, size), n, lo)
			}
		}
		compute.PutScratch(m)
	})
}

// forwardAll and backwardAll run such a kernel on values as they are.
func forwardAll(k perImage, images int, y []float32, in [][]float32) {
	work.Parallel(images, 1, call{k: k.(Kernel), y: y, in: in}, func(p *call, lo, hi int) {
		k := p.k.(perImage)
		in, out := k.sizes()
		k.forwardImages(span(p.y, lo, hi, out), span(p.in[0], lo, hi, in), lo)
	})
}

func backwardAll(k perImage, images int, dx [][]float32, y, dy []float32) {
	work.Parallel(images, 1, call{k: k.(Kernel), y: y, dy: dy, dx: dx}, func(p *call, lo, hi int) {
		k := p.k.(perImage)
		in, out := k.sizes()
		k.backwardImages(span(p.dx[0], lo, hi, in), span(p.y, lo, hi, out), span(p.dy, lo, hi, out), lo)
	})
}
