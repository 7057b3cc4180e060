package compute

import "golang.org/x/sys/cpu"

// available lists the kernel families of this processor, best first.
func available() []*tile {
	var ts []*tile
	avx2 := cpu.X86.HasAVX2 && cpu.X86.HasFMA
	if cpu.X86.HasAVX512F && avx2 {
		ts = append(ts, &tileAVX512)
	}
	if avx2 {
		ts = append(ts, &tileAVX2)
	}
	return append(ts, &portable)
}

var tileAVX512 = tile{"avx512", 14, 32, []func(*uint64){nil, tileAVX5121, tileAVX5122, tileAVX5123, tileAVX5124, tileAVX5125, tileAVX5126, tileAVX5127,
	tileAVX5128, tileAVX5129, tileAVX51210, tileAVX51211, tileAVX51212, tileAVX51213, tileAVX51214}, &vectorsAVX512, &narrowAVX512}

var narrowAVX512 = tile{"avx512 narrow", 14, 16, []func(*uint64){nil, narrowAVX5121, narrowAVX5122, narrowAVX5123, narrowAVX5124, narrowAVX5125,
	narrowAVX5126, narrowAVX5127, narrowAVX5128, narrowAVX5129, narrowAVX51210, narrowAVX51211, narrowAVX51212, narrowAVX51213, narrowAVX51214},
	&vectorsAVX512, &narrowAVX2}

var tileAVX2 = tile{"avx2", 6, 16, []func(*uint64){nil, tileAVX21, tileAVX22, tileAVX23, tileAVX24, tileAVX25, tileAVX26}, &vectorsAVX2, &narrowAVX2}

var narrowAVX2 = tile{"avx2 narrow", 12, 8, []func(*uint64){nil, narrowAVX21, narrowAVX22, narrowAVX23, narrowAVX24, narrowAVX25, narrowAVX26,
	narrowAVX27, narrowAVX28, narrowAVX29, narrowAVX210, narrowAVX211, narrowAVX212}, &vectorsAVX2, nil}

var vectorsAVX512 = vectors{
	vector: 16, fma: fmaAVX512, fmaFlops: 24 * 32,
	winograd: [winogradPasses]func(*uint64){
		winogradInputRowsAVX512, winogradGradRowsAVX512, winogradOutputRowsAVX512, winogradOverlapRowsAVX512,
		winogradInputColumnsAVX512, winogradGradColumnsAVX512, winogradOutputColumnsAVX512, winogradOverlapColumnsAVX512,
	},
	depthwise: append([]*channelwise{{16, depthwiseLineAVX512, [3][3]func(*uint64){
		{depthwiseGrid11AVX512, depthwiseGrid12AVX512, depthwiseGrid13AVX512},
		{depthwiseGrid21AVX512, depthwiseGrid22AVX512, depthwiseGrid23AVX512},
		{depthwiseGrid31AVX512, depthwiseGrid32AVX512, depthwiseGrid33AVX512},
	}}}, vectorsAVX2.depthwise...),
}

var vectorsAVX2 = vectors{
	vector: 8, fma: fmaAVX2, fmaFlops: 12 * 16,
	winograd: [winogradPasses]func(*uint64){
		winogradInputRowsAVX2, winogradGradRowsAVX2, winogradOutputRowsAVX2, winogradOverlapRowsAVX2,
		winogradInputColumnsAVX2, winogradGradColumnsAVX2, winogradOutputColumnsAVX2, winogradOverlapColumnsAVX2,
	},
	depthwise: []*channelwise{{8, depthwiseLineAVX2, [3][3]func(*uint64){
		{depthwiseGrid11AVX2, depthwiseGrid12AVX2, depthwiseGrid13AVX2},
		{depthwiseGrid21AVX2, depthwiseGrid22AVX2, depthwiseGrid23AVX2},
		{depthwiseGrid31AVX2, depthwiseGrid32AVX2, depthwiseGrid33AVX2},
	}}, &channelwisePortable},
}
