package compute

import "golang.org/x/sys/cpu"

// available lists the kernel families of this processor, best first.
func available() []*tile {
	var ts []*tile
	if cpu.X86.HasAVX512F {
		ts = append(ts, &tile{"avx512", 14, 32, []func(*uint64){nil, tileAVX5121, tileAVX5122, tileAVX5123, tileAVX5124, tileAVX5125, tileAVX5126,
			tileAVX5127, tileAVX5128, tileAVX5129, tileAVX51210, tileAVX51211, tileAVX51212, tileAVX51213, tileAVX51214}, 16, mulAddAVX512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ts = append(ts, &tile{"avx2", 6, 16, []func(*uint64){nil, tileAVX21, tileAVX22, tileAVX23, tileAVX24, tileAVX25, tileAVX26}, 8, mulAddAVX2})
	}
	return append(ts, &portable)
}
