package compute

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func same(n, h, w, c, k, oc, stride int) ConvShape {
	s := ConvShape{N: n, H: h, W: w, C: c, KH: k, KW: k, OC: oc, StrideH: stride, StrideW: stride, DilationH: 1, DilationW: 1, Multiplier: 1}
	s.OH, s.OW = (h+stride-1)/stride, (w+stride-1)/stride
	s.PadTop, s.PadLeft = max((s.OH-1)*stride+k-h, 0)/2, max((s.OW-1)*stride+k-w, 0)/2
	return s
}

// BenchmarkConv2D reports GFLOPS of forward, data gradient and weight gradient for the layers of Arm's net, DS-CNN and ResNet-8.
func BenchmarkConv2D(b *testing.B) {
	for _, s := range []ConvShape{
		same(128, 28, 28, 1, 3, 32, 1), same(128, 28, 28, 32, 3, 32, 1), same(128, 14, 14, 32, 3, 32, 1),
		same(128, 14, 14, 64, 1, 64, 1), same(32, 32, 32, 16, 3, 16, 1), same(32, 32, 32, 16, 3, 32, 2),
	} {
		r := rand.New(rand.NewPCG(1, 1))
		x, w, y := random(r, s.N*s.H*s.W*s.C), random(r, s.KH*s.KW*s.C*s.OC), random(r, s.N*s.OH*s.OW*s.OC)
		flops := 2 * float64(s.N*s.OH*s.OW*s.OC) * float64(s.KH*s.KW*s.C)
		for name, f := range map[string]func(){
			"forward": func() { Conv2D(y, x, w, s) }, "input": func() { Conv2DGradInput(x, y, w, s) }, "kernel": func() { Conv2DGradKernel(w, x, y, s) },
		} {
			b.Run(fmt.Sprintf("%dx%dx%d-k%d-%d/%s", s.H, s.W, s.C, s.KH, s.OC, name), func(b *testing.B) { rate(b, flops, f) })
		}
	}
}

func BenchmarkDepthwise(b *testing.B) {
	s := same(128, 25, 5, 64, 3, 64, 1)
	r := rand.New(rand.NewPCG(1, 1))
	x, w, y := random(r, s.N*s.H*s.W*s.C), random(r, s.KH*s.KW*s.OC), random(r, s.N*s.OH*s.OW*s.OC)
	flops := 2 * float64(s.N*s.OH*s.OW*s.OC*s.KH*s.KW)
	b.Run("forward", func(b *testing.B) { rate(b, flops, func() { Depthwise(y, x, w, s) }) })
	b.Run("input", func(b *testing.B) { rate(b, flops, func() { DepthwiseGradInput(x, y, w, s) }) })
	b.Run("kernel", func(b *testing.B) { rate(b, flops, func() { DepthwiseGradKernel(w, x, y, s) }) })
}

func BenchmarkMatMul(b *testing.B) {
	const n = 512
	r := rand.New(rand.NewPCG(1, 1))
	x, y, z := random(r, n*n), random(r, n*n), random(r, n*n)
	rate(b, 2*n*n*n, func() { MatMul(z, x, y, n, n, n) })
}

func rate(b *testing.B, flops float64, f func()) {
	b.ReportAllocs()
	f()
	for b.Loop() {
		f()
	}
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOPS")
}
