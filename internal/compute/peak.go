package compute

import (
	"sync"
	"time"
	"unsafe"
)

// PeakGFLOPS measures how many multiply-adds, counted as two, this machine's threads do a nanosecond in registers alone: what any kernel can reach. It
// takes the best of many short runs on each thread, some milliseconds in all.
func PeakGFLOPS(threads int) float64 {
	t := active()
	rates := make([]float64, threads)
	var wait sync.WaitGroup
	for i := range rates {
		wait.Go(func() {
			const runs = 200
			rounds := uint64(50_000 / t.fmaFlops * 32)
			for range runs {
				args := rounds
				begin := time.Now()
				t.fma((*uint64)(unsafe.Pointer(&args)))
				rates[i] = max(rates[i], float64(rounds)*float64(t.fmaFlops)/float64(max(time.Since(begin).Nanoseconds(), 1)))
			}
		})
	}
	wait.Wait()
	sum := 0.0
	for _, r := range rates {
		sum += r
	}
	return sum
}

// fmaPortable is eight sums in registers.
func fmaPortable(rounds *uint64) {
	var a, b, c, d, e, f, g, h float32
	for range *rounds {
		a, b, c, d = a*a+a, b*b+b, c*c+c, d*d+d
		e, f, g, h = e*e+e, f*f+f, g*g+g, h*h+h
	}
	*rounds = uint64(a + b + c + d + e + f + g + h)
}
