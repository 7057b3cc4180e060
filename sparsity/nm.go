package sparsity

import (
	"math"
	"math/bits"
)

// group is one of the groups of N:M sparsity: up to M weights along the input channels, stride apart, for one tap and one output.
type group struct{ first, n int }

// groups calls f with the groups of a kernel, neighbours in memory one after the other.
func (v view) groups(m int, f func(group)) {
	for t := range v.taps {
		for i := 0; i < v.in; i += m {
			for o := range v.out {
				f(group{(t*v.in+i)*v.out + o, min(m, v.in-i)})
			}
		}
	}
}

// possible tells whether n zeros of every m put a zero anywhere: a group that is shorter than m keeps m-n as the others do.
func (v view) possible(n, m int) bool { return min(v.in, m) > m-n }

// nm sets a mask with n zeros of every m along the input channels in a part of the groups, those that lose least: the sum of their zeroed magnitudes is
// smallest. Equal weights of a group: the later ones go. (With part 1 the masks are TFMOT's, pruning_utils.py generate_m_by_n_mask.)
func nm(mask, w []float32, v view, n, m int, part float64) {
	for i := range mask {
		mask[i] = 1
	}
	var found []group // that have something to lose
	var zero []uint64 // their members with the smallest magnitudes, as bits
	var loss []float32
	v.groups(m, func(g group) {
		if g.n <= m-n {
			return
		}
		z, sum := smallest(w, g, v.out, g.n-(m-n)), float32(0)
		for b := z; b != 0; b &= b - 1 {
			sum += abs(w[g.first+bits.TrailingZeros64(b)*v.out])
		}
		found, zero, loss = append(found, g), append(zero, z), append(loss, sum)
	})
	take := int(math.RoundToEven(float64(len(loss)) * part))
	if take == 0 {
		return
	}
	limit := threshold(len(loss)-take+1, loss) // the loss of the last group that is taken
	ties := take                               // groups with that loss that are taken, the first ones
	for _, l := range loss {
		if order(l) < limit {
			ties--
		}
	}
	for i, l := range loss {
		if o := order(l); o > limit {
			continue
		} else if o == limit {
			if ties--; ties < 0 {
				continue
			}
		}
		for b := zero[i]; b != 0; b &= b - 1 {
			mask[found[i].first+bits.TrailingZeros64(b)*v.out] = 0
		}
	}
}

// maxM bounds the length of a group: its members are bits of a word.
const maxM = 64

// smallest marks the members of a group with the smallest magnitudes, as bits; of equal ones the later.
func smallest(w []float32, g group, stride, count int) (zero uint64) {
	for range count {
		worst := -1
		for i := range g.n {
			if zero>>i&1 == 0 && (worst < 0 || order(w[g.first+i*stride]) <= order(w[g.first+worst*stride])) {
				worst = i
			}
		}
		zero |= 1 << worst
	}
	return zero
}

func abs(v float32) float32 { return math.Float32frombits(order(v)) }
