package sparsity

import "math"

// kept is the number of n elements that a sparsity leaves: rounded half to even in float32, at least 1 (TFMOT, pruning_impl.py).
func kept(n int, sparsity float64) int {
	k := int(math.RoundToEven(float64(float32(n) * (1 - float32(sparsity)))))
	return min(max(k, 1), n)
}

// magnitude sets a mask that keeps the largest magnitudes of one tensor. Elements as large as the smallest one kept are kept, too.
func magnitude(mask, w []float32, sparsity float64) {
	keepFrom(mask, w, threshold(kept(len(w), sparsity), w))
}

// global sets masks that keep the largest magnitudes of all tensors together, and at least the largest of each, so that no layer is cut through.
func global(masks, ws [][]float32, sparsity float64) {
	n := 0
	for _, w := range ws {
		n += len(w)
	}
	t := threshold(kept(n, sparsity), ws...)
	for i, w := range ws {
		keepFrom(masks[i], w, min(t, threshold(1, w)))
	}
}

func keepFrom(mask, w []float32, threshold uint32) {
	for i, v := range w {
		mask[i] = 0
		if order(v) >= threshold {
			mask[i] = 1
		}
	}
}

// order maps a number to one that orders magnitudes: the bits without the sign. A NaN is larger than all others.
func order(v float32) uint32 { return math.Float32bits(v) &^ (1 << 31) }

// threshold is the k-th largest magnitude of all elements, by order. It counts the upper halves of the bits, then the lower halves of those that share
// the upper half of the answer: two passes, nothing sorted, nothing copied.
func threshold(k int, ws ...[]float32) uint32 {
	count := make([]int, 1<<16)
	for _, w := range ws {
		for _, v := range w {
			count[order(v)>>16]++
		}
	}
	high, left := descend(count, k)
	clear(count)
	for _, w := range ws {
		for _, v := range w {
			if o := order(v); o>>16 == high {
				count[o&0xffff]++
			}
		}
	}
	low, _ := descend(count, left)
	return high<<16 | low
}

// descend finds the bin with the k-th element from above, and which of the bin's elements that is.
func descend(count []int, k int) (bin uint32, left int) {
	for i := len(count) - 1; ; i-- {
		if count[i] >= k {
			return uint32(i), k
		}
		k -= count[i]
	}
}
