//go:build !unix

package main

import (
	"os"
	"runtime"
)

// peakMB is what the Go runtime has of the system: other systems tell a peak differently.
func peakMB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / 1e6
}

// cpuMS is not known on other systems.
func cpuMS() float64 { return 0 }

// watchPeakMB: the memory of another process is not known on other systems.
func watchPeakMB(*os.Process) func(*os.ProcessState) float64 {
	return func(*os.ProcessState) float64 { return 0 }
}
