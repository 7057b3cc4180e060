package main

import (
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/temper-ml/temper/internal/compute"
)

// peakGFLOPS is the measured peak of so many threads: the best of matrix products of the kernel's favourite kind.
func peakGFLOPS(threads int) float64 {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
	const m, k, n = 896, 256, 256
	a, b, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	best := 0.0
	for begin := time.Now(); time.Since(begin) < 200*time.Millisecond; {
		start := time.Now()
		compute.MatMul(c, a, b, m, k, n)
		best = max(best, 2*m*k*n/time.Since(start).Seconds()/1e9)
	}
	return best
}

// cpuName is the processor's name where the system tells it in a file, or the architecture.
func cpuName() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
