//go:build !amd64

package compute

func activeInt8(int) *int8Tile { return &portableInt8 }
