package compute

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

func same(n, h, w, c, k, oc, stride int) ConvShape { return sameOf(n, h, w, c, k, k, oc, stride) }

func sameOf(n, h, w, c, kh, kw, oc, stride int) ConvShape {
	s := ConvShape{N: n, H: h, W: w, C: c, KH: kh, KW: kw, OC: oc, StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1, Multiplier: 1}
	s.OH, s.OW = (h+stride-1)/stride, (w+stride-1)/stride
	s.PadTop, s.PadLeft = max((s.OH-1)*stride+kh-h, 0)/2, max((s.OW-1)*stride+kw-w, 0)/2
	return s
}

// layersOf are the convolutions of Arm's net and of MLPerf Tiny's networks, each shape once, with as many images as one piece of a batch of 128.
var layersOf = []struct {
	net       string
	depthwise bool
	s         ConvShape
}{
	{"arm", false, same(8, 28, 28, 1, 3, 32, 1)},
	{"arm", false, same(8, 28, 28, 32, 3, 32, 1)},
	{"arm", false, same(8, 14, 14, 32, 3, 32, 1)},
	{"resnet-8", false, same(8, 32, 32, 3, 3, 16, 1)},
	{"resnet-8", false, same(8, 32, 32, 16, 3, 16, 1)},
	{"resnet-8", false, same(8, 32, 32, 16, 3, 32, 2)},
	{"resnet-8", false, same(8, 32, 32, 16, 1, 32, 2)},
	{"resnet-8", false, same(8, 16, 16, 32, 3, 32, 1)},
	{"resnet-8", false, same(8, 16, 16, 32, 3, 64, 2)},
	{"resnet-8", false, same(8, 16, 16, 32, 1, 64, 2)},
	{"resnet-8", false, same(8, 8, 8, 64, 3, 64, 1)},
	{"ds-cnn", false, sameOf(8, 49, 10, 1, 10, 4, 64, 2)},
	{"ds-cnn", true, same(8, 25, 5, 64, 3, 64, 1)},
	{"ds-cnn", true, same(8, 14, 14, 64, 3, 64, 1)},
	{"ds-cnn", false, same(8, 25, 5, 64, 1, 64, 1)},
	{"ds-cnn", false, same(8, 14, 14, 64, 1, 64, 1)},
	{"mobilenet", false, same(8, 96, 96, 3, 3, 8, 2)},
	{"mobilenet", true, same(8, 48, 48, 8, 3, 8, 1)},
	{"mobilenet", false, same(8, 48, 48, 8, 1, 16, 1)},
	{"mobilenet", true, same(8, 48, 48, 16, 3, 16, 2)},
	{"mobilenet", true, same(8, 24, 24, 32, 3, 32, 1)},
	{"mobilenet", false, same(8, 24, 24, 32, 1, 32, 1)},
	{"mobilenet", true, same(8, 12, 12, 64, 3, 64, 1)},
	{"mobilenet", false, same(8, 12, 12, 64, 1, 64, 1)},
	{"mobilenet", true, same(8, 6, 6, 128, 3, 128, 1)},
	{"mobilenet", false, same(8, 6, 6, 128, 1, 128, 1)},
	{"mobilenet", false, same(8, 3, 3, 256, 1, 256, 1)},
}

var peak = sync.OnceValue(func() float64 { return PeakGFLOPS(1) })

// BenchmarkConv is a table of the layers, on one thread, without what is done once a step (packing kernels, adding sums up): the best run's GFLOPS, counted as those of the direct convolution, and their share of the peak.
func BenchmarkConv(b *testing.B) {
	for _, l := range layersOf {
		s := l.s
		taps := s.KH * s.KW
		kind, weights, flops := "conv", taps*s.C*s.OC, 2*float64(s.N*s.Out()*taps*s.C)
		if l.depthwise {
			kind, weights, flops = "depthwise", taps*s.OC, 2*float64(s.N*s.Out()*taps)
		}
		r := rand.New(rand.NewPCG(1, 1))
		x, w, y := random(r, s.N*s.In()), random(r, weights), random(r, s.N*s.Out())
		dx := make([]float32, len(x))
		var c Images = NewConv(s)
		if l.depthwise {
			c = NewDepthwise(s)
		}
		c.SetKernel(w)
		c.SetGradKernel(w)
		sum, m := make([]float32, c.SumSize()), new(Scratch)
		grad := func(dx, sum []float32) {
			groups(c, 0, s.N, func(n, end int) {
				gx := dx
				if dx != nil {
					gx = dx[n*s.In() : end*s.In()]
				}
				m.Ahead(gx, Behind(x[n*s.In():end*s.In()]), Behind(y[n*s.Out():end*s.Out()]))
				c.ImageGrad(m, gx, sum, x[n*s.In():end*s.In()], y[n*s.Out():end*s.Out()], n == 0)
			})
		}
		for _, run := range []struct {
			what  string
			times float64
			f     func()
		}{
			{"forward", 1, func() {
				groups(c, 0, s.N, func(n, end int) {
					m.Ahead(y[n*s.Out():end*s.Out()], Behind(x[n*s.In():end*s.In()]))
					c.Image(m, y[n*s.Out():end*s.Out()], x[n*s.In():end*s.In()])
				})
			}},
			{"input", 1, func() { grad(dx, nil) }},
			{"kernel", 1, func() { grad(nil, sum) }},
			{"both", 2, func() { grad(dx, sum) }},
		} {
			b.Run(fmt.Sprintf("%s/%s/%dx%dx%d-%dx%d-s%d-%d/%s", l.net, kind, s.H, s.W, s.C, s.KH, s.KW, s.StrideH, s.OC, run.what), func(b *testing.B) {
				rate(b, run.times*flops, run.f)
			})
		}
	}
}

func BenchmarkMatMul(b *testing.B) {
	const n = 512
	r := rand.New(rand.NewPCG(1, 1))
	x, y, z := random(r, n*n), random(r, n*n), random(r, n*n)
	rate(b, 2*n*n*n, func() { MatMul(z, x, y, n, n, n) })
}

// rate reports the best run: others use the machine too.
func rate(b *testing.B, flops float64, f func()) {
	f()
	best := time.Hour
	for b.Loop() {
		begin := time.Now()
		f()
		best = min(best, time.Since(begin))
	}
	gflops := flops / float64(best.Nanoseconds())
	b.ReportMetric(gflops, "GFLOPS")
	b.ReportMetric(100*gflops/peak(), "%peak")
	b.ReportMetric(float64(best.Nanoseconds())/1e3, "us")
}
