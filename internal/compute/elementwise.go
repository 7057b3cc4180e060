package compute

// grain is the number of elements of an element-wise pass that is worth a piece of its own.
const grain = 1 << 14

// AddBias computes y = x + b over the last dimension, of c channels.
func AddBias(y, x, b []float32, c int) {
	Parallel(len(x)/c, max(1, grain/c), func(lo, hi int) {
		for p := lo; p < hi; p++ {
			in, out := x[p*c:(p+1)*c], y[p*c:(p+1)*c]
			for i, v := range in {
				out[i] = v + b[i]
			}
		}
	})
}

// SumChannels computes db[i], the sum of channel i of dy over all pixels.
func SumChannels(db, dy []float32, c int) {
	pixels := len(dy) / c
	reduce(db, c, pixels, func(sum []float32, lo, hi int) {
		clear(sum)
		for p := lo; p < hi; p++ {
			for i, v := range dy[p*c : (p+1)*c] {
				sum[i] += v
			}
		}
	})
}

// AddTo adds src to dst.
func AddTo(dst, src []float32) {
	Parallel(len(dst), grain, func(lo, hi int) {
		to := dst[lo:hi]
		for i, v := range src[lo:hi] {
			to[i] += v
		}
	})
}
