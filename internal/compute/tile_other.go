//go:build !amd64

package compute

// available lists the kernels of this processor, best first.
func available() []*tile { return []*tile{&portable} }
