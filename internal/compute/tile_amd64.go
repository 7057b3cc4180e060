package compute

import "golang.org/x/sys/cpu"

// available lists the kernel families of this processor, best first.
func available() []*tile {
	var ts []*tile
	if cpu.X86.HasAVX512F {
		ts = append(ts, &tile{"avx512", 14, 32, []func(*uint64){nil, tileAVX5121, tileAVX5122, tileAVX5123, tileAVX5124, tileAVX5125, tileAVX5126,
			tileAVX5127, tileAVX5128, tileAVX5129, tileAVX51210, tileAVX51211, tileAVX51212, tileAVX51213, tileAVX51214}, 16, channelwiseAVX512, &winogradAVX512, fmaAVX512, 24 * 32,
			&tile{"avx512 narrow", 14, 16, []func(*uint64){nil, narrowAVX5121, narrowAVX5122, narrowAVX5123, narrowAVX5124, narrowAVX5125, narrowAVX5126,
				narrowAVX5127, narrowAVX5128, narrowAVX5129, narrowAVX51210, narrowAVX51211, narrowAVX51212, narrowAVX51213, narrowAVX51214}, 16, channelwiseAVX512, &winogradAVX512, fmaAVX512, 24 * 32, nil}})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ts = append(ts, &tile{"avx2", 6, 16, []func(*uint64){nil, tileAVX21, tileAVX22, tileAVX23, tileAVX24, tileAVX25, tileAVX26}, 8, channelwiseAVX2, &winogradAVX2, fmaAVX2, 12 * 16,
			&tile{"avx2 narrow", 12, 8, []func(*uint64){nil, narrowAVX21, narrowAVX22, narrowAVX23, narrowAVX24, narrowAVX25, narrowAVX26,
				narrowAVX27, narrowAVX28, narrowAVX29, narrowAVX210, narrowAVX211, narrowAVX212}, 8, channelwiseAVX2, &winogradAVX2, fmaAVX2, 12 * 16, nil}})
	}
	return append(ts, &portable)
}

var winogradAVX512 = [winogradPasses]func(*uint64){
	winogradInputRowsAVX512, winogradGradRowsAVX512, winogradOutputRowsAVX512, winogradOverlapRowsAVX512,
	winogradInputColumnsAVX512, winogradGradColumnsAVX512, winogradOutputColumnsAVX512, winogradOverlapColumnsAVX512,
}

var winogradAVX2 = [winogradPasses]func(*uint64){
	winogradInputRowsAVX2, winogradGradRowsAVX2, winogradOutputRowsAVX2, winogradOverlapRowsAVX2,
	winogradInputColumnsAVX2, winogradGradColumnsAVX2, winogradOutputColumnsAVX2, winogradOverlapColumnsAVX2,
}

var channelwiseAVX512 = append([]*channelwise{{16, depthwiseLineAVX512, [3][3]func(*uint64){
	{depthwiseGrid11AVX512, depthwiseGrid12AVX512, depthwiseGrid13AVX512},
	{depthwiseGrid21AVX512, depthwiseGrid22AVX512, depthwiseGrid23AVX512},
	{depthwiseGrid31AVX512, depthwiseGrid32AVX512, depthwiseGrid33AVX512},
}}}, channelwiseAVX2...)

var channelwiseAVX2 = []*channelwise{{8, depthwiseLineAVX2, [3][3]func(*uint64){
	{depthwiseGrid11AVX2, depthwiseGrid12AVX2, depthwiseGrid13AVX2},
	{depthwiseGrid21AVX2, depthwiseGrid22AVX2, depthwiseGrid23AVX2},
	{depthwiseGrid31AVX2, depthwiseGrid32AVX2, depthwiseGrid33AVX2},
}}, &channelwisePortable}
