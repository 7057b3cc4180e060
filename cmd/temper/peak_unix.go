//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// peakMB is the largest resident size of the process so far.
func peakMB() float64 {
	if mb := hwmMB("self"); mb > 0 {
		return mb
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return maxrssMB(&u)
}

// hwmMB is what Linux says of a process's memory, 0 elsewhere. The figure of getrusage is no use there: it begins with that of the process which
// started this one.
func hwmMB(pid string) float64 {
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kB float64
	fmt.Sscan(rest, &kB)
	return kB * 1024 / 1e6
}

// maxrssMB: bytes on macOS, kilobytes elsewhere.
func maxrssMB(u *syscall.Rusage) float64 {
	if runtime.GOOS == "darwin" {
		return float64(u.Maxrss) / 1e6
	}
	return float64(u.Maxrss) * 1024 / 1e6
}

// cpuMS is the CPU time of the process so far, its own and the system's for it.
func cpuMS() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e6
}

// watchPeakMB follows the memory of a process that was started; the function that it returns is called after its end, and tells the peak. On Linux
// it looks ten times a second.
func watchPeakMB(p *os.Process) func(*os.ProcessState) float64 {
	peak, done, end := 0.0, make(chan struct{}), make(chan struct{})
	go func() {
		defer close(end)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			peak = max(peak, hwmMB(strconv.Itoa(p.Pid)))
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func(state *os.ProcessState) float64 {
		close(done)
		<-end
		if u, ok := state.SysUsage().(*syscall.Rusage); ok && peak == 0 {
			return maxrssMB(u)
		}
		return peak
	}
}
