//go:build !amd64

package compute

func activeInt8(int) *int8Tile { return &portableInt8 }

// There are no vector kernels here, and none is called.
var requantOfDepthwise, depthwiseKernel, widenKernel, maxKernel func(*uint64)

func hasInt8Depthwise() bool { return false }
