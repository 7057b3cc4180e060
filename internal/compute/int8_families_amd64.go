package compute

import "golang.org/x/sys/cpu"

var vnni = int8Tile{14, 32, 1, []func(*uint64){nil, int8VNNI1x32, int8VNNI2x32, int8VNNI3x32, int8VNNI4x32, int8VNNI5x32, int8VNNI6x32, int8VNNI7x32,
	int8VNNI8x32, int8VNNI9x32, int8VNNI10x32, int8VNNI11x32, int8VNNI12x32, int8VNNI13x32, int8VNNI14x32}, requantize512}

var narrowVNNI = int8Tile{14, 16, 1, []func(*uint64){nil, int8VNNI1x16, int8VNNI2x16, int8VNNI3x16, int8VNNI4x16, int8VNNI5x16, int8VNNI6x16, int8VNNI7x16,
	int8VNNI8x16, int8VNNI9x16, int8VNNI10x16, int8VNNI11x16, int8VNNI12x16, int8VNNI13x16, int8VNNI14x16}, requantize512}

var int8AVX2 = int8Tile{4, 16, 2, []func(*uint64){nil, int8AVX21x16, int8AVX22x16, int8AVX23x16, int8AVX24x16}, nil}

// activeInt8 is the integer kernel for so many columns, of the family that the float kernels come from.
func activeInt8(columns int) *int8Tile {
	switch name := active().name; {
	case name == "avx512" && cpu.X86.HasAVX512VNNI && cpu.X86.HasAVX512BW:
		if columns%32 > 0 && columns%32 <= 16 {
			return &narrowVNNI
		}
		return &vnni
	case name != "portable" && cpu.X86.HasAVX2:
		return &int8AVX2
	}
	return &portableInt8
}

// The kernels of AVX-512 that have no form for other processors.
var (
	requantOfDepthwise = requantize512
	depthwiseKernel    = int8Depthwise512
	widenKernel        = int8Widen512
	maxKernel          = int8Max512
)

func hasInt8Depthwise() bool { return active().name == "avx512" && cpu.X86.HasAVX512BW }
