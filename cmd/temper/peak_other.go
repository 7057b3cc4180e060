//go:build !unix

package main

import "runtime"

// peakMB is what the Go runtime has of the system: other systems tell a peak differently.
func peakMB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / 1e6
}
