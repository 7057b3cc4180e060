package compute

import (
	"math/rand/v2"
	"testing"
)

// BenchmarkElementwise reports the passes' GB/s, counting what they read and write, on an image in the cache and on a batch in memory.
func BenchmarkElementwise(b *testing.B) {
	const c = 32
	for name, n := range map[string]int{"image": 28 * 28 * c, "batch": 128 * 28 * 28 * c} {
		r := rand.New(rand.NewPCG(1, 1))
		x, y, z, small := random(r, n), random(r, n), random(r, n), random(r, c)
		arg := make([]uint8, n/4)
		for pass, f := range map[string]struct {
			arrays float64 // floats read and written for each of n
			run    func()
		}{
			"BiasAct": {2, func() { BiasAct(y, x, small, c, ReLU6) }},
			"ActGrad": {3, func() { ActGrad(z, x, y, small, c, ReLU6.Gate()) }},
			"SumRows": {1, func() { SumRows(small, x, c) }},
			"Add":     {3, func() { Add(z, x, y) }},
			"MaxPool": {1 + 5./16, func() { BiasActMaxPool2x2(y, arg, x, small, n/28/c, 28, c, ReLU) }},
			"MaxPoolGrad": {1 + 9./16, func() {
				BiasActMaxPool2x2Grad(z, small, x, y, arg, n/28/c, 28, c, ReLU.Gate())
			}},
		} {
			b.Run(name+"/"+pass, func(b *testing.B) { bandwidth(b, 4*f.arrays*float64(n), f.run) })
		}
	}
}

func bandwidth(b *testing.B, bytes float64, f func()) {
	b.ReportAllocs()
	f()
	for b.Loop() {
		f()
	}
	b.ReportMetric(bytes*float64(b.N)/b.Elapsed().Seconds()/1e9, "GB/s")
}
