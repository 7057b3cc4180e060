package sparsity

// blocks sets a mask that zeroes whole blocks of the planes [in, out] of a kernel: those with the smallest mean or largest magnitude, of all planes
// together. Blocks begin at the corner; at the other edges they may be cut, and their mean is over what they have.
func blocks(mask, w []float32, v view, block [2]int, largest bool, sparsity float64) {
	rows, cols := (v.in+block[0]-1)/block[0], (v.out+block[1]-1)/block[1]
	pooled := make([]float32, 0, v.taps*rows*cols)
	for t := range v.taps {
		plane := w[t*v.in*v.out : (t+1)*v.in*v.out]
		for r := range rows {
			for c := range cols {
				pooled = append(pooled, pool(plane, v, r*block[0], c*block[1], block, largest))
			}
		}
	}
	keep := make([]float32, len(pooled))
	magnitude(keep, pooled, sparsity)
	for i := range mask {
		t, r, c := i/(v.in*v.out), i/v.out%v.in, i%v.out
		mask[i] = keep[(t*rows+r/block[0])*cols+c/block[1]]
	}
}

// pool is the mean magnitude of a block, or the largest. The mean is that of the columns' means, in the order in which TFMOT pools.
func pool(plane []float32, v view, row, col int, block [2]int, largest bool) float32 {
	h, w := min(block[0], v.in-row), min(block[1], v.out-col)
	total, top := float32(0), float32(0)
	for c := col; c < col+w; c++ {
		sum := float32(0)
		for r := row; r < row+h; r++ {
			x := abs(plane[r*v.out+c])
			sum += x
			top = max(top, x)
		}
		total += sum / float32(h)
	}
	if largest {
		return top
	}
	return total / float32(w)
}
