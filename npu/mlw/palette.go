package mlw

import (
	"cmp"
	"math/bits"
	"slices"
)

// coding is a palette and what follows from it.
type coding struct {
	zeroRuns  bool
	onlyZeros bool // with runs of zeros: there is no other value
	palette   []uint16
	offset    int // value of the first index behind the palette
	width     int // bits of the palette's entries, or of plain indices without a palette
	plain     int // bits of plain indices, 0 where they cannot be used
	indexOf   [maxIndex + 1]uint16
}

func (c *coding) paletteBits() int { return paletteExtra + len(c.palette)*c.width }

// histogram counts values and runs of zeros.
type histogram struct {
	total    int
	count    [maxIndex + 1]int
	used     []uint16 // values that occur, most frequent first
	runBits  [runConfigs]int
	runCount int
}

func newHistogram(values []uint16) *histogram {
	h := &histogram{total: len(values)}
	run := 0
	end := func() {
		h.runCount++
		for d := range h.runBits {
			h.runBits[d] += run>>d + 1 + d
		}
		run = 0
	}
	for _, v := range values {
		h.count[v]++
		if v == 0 {
			run++
		} else {
			end()
		}
	}
	end()
	for v, n := range h.count {
		if n > 0 {
			h.used = append(h.used, uint16(v))
		}
	}
	slices.SortFunc(h.used, func(a, b uint16) int {
		return cmp.Or(cmp.Compare(h.count[b], h.count[a]), cmp.Compare(a, b))
	})
	return h
}

// guess is a coding by its parameters.
type guess struct {
	zeroRuns bool
	size     int // of the palette
	bits     int // estimated, with one slice
}

// codings are the n codings of which the least bits are expected.
func (h *histogram) codings(n int) []coding {
	list := h.guesses(maxPalette)
	var out []coding
	for _, g := range list[:min(n, len(list))] {
		out = append(out, h.coding(g.zeroRuns, g.size))
	}
	return out
}

// guesses estimates all palettes: with runs of zeros and without, of the most frequent values.
func (h *histogram) guesses(most int) []guess {
	var list []guess
	for _, zeroRuns := range []bool{false, true} {
		if zeroRuns && h.count[0] == 0 {
			continue
		}
		coded := h.coded(zeroRuns)
		for size := 0; size <= min(len(coded), most); size++ {
			if size == 1 && len(coded) > 1 {
				continue // there are no palettes of one value; that of all values gets a second
			}
			if most < maxPalette && size != len(coded) && size&(size-1) != 0 {
				continue
			}
			if b := h.estimate(coded, zeroRuns, size); b < impossible {
				list = append(list, guess{zeroRuns, size, b})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b guess) int { return cmp.Compare(a.bits, b.bits) })
	return list
}

// coded are the values that are sent as indices.
func (h *histogram) coded(zeroRuns bool) []uint16 {
	if !zeroRuns || len(h.used) == 1 {
		return h.used
	}
	i := slices.Index(h.used, 0)
	return slices.Concat(h.used[:i], h.used[i+1:])
}

// estimate is the size with the best single configuration.
func (h *histogram) estimate(coded []uint16, zeroRuns bool, size int) int {
	offset, largest := directRange(coded[min(size, len(coded)):])
	entries := max(size, 2*min(size, 1))
	if largest-offset+entries > maxIndex {
		return impossible
	}
	var sums [plainConfig]int
	add := func(index, n int) {
		for c := range sums {
			sums[c] += n * indexBits[c][index]
		}
	}
	total, top := 0, uint16(0)
	for i, v := range coded {
		n := h.count[v]
		if zeroRuns && v == 0 {
			n = 1
		}
		total += n
		if i < size {
			add(i, n)
			top = max(top, v)
		} else {
			add(int(v)-offset+entries, n)
		}
	}
	best := slices.Min(sums[:])
	if size == len(coded) {
		best = min(best, total*bits.Len(uint(entries-1)))
	} else if size == 0 {
		best = min(best, total*max(2, bits.Len(uint(largest-offset))))
	}
	if zeroRuns {
		best += slices.Min(h.runBits[:])
	}
	return best + sliceHeader + paletteExtra + entries*max(2, bits.Len(uint(top)))
}

// directRange is the offset of values without a palette entry, and the largest.
func directRange(direct []uint16) (offset, largest int) {
	if len(direct) == 0 {
		return 0, 0
	}
	return min(31, int(slices.Min(direct))), int(slices.Max(direct))
}

// coding works a guess out.
func (h *histogram) coding(zeroRuns bool, size int) coding {
	coded := h.coded(zeroRuns)
	c := coding{zeroRuns: zeroRuns, onlyZeros: zeroRuns && len(h.used) == 1, palette: slices.Clone(coded[:size]), width: 2}
	if size == 1 {
		c.palette = append(c.palette, 0)
	}
	var largest int
	c.offset, largest = directRange(coded[size:])
	for i, v := range c.palette {
		c.width = max(c.width, bits.Len(uint(v)))
		if i < size {
			c.indexOf[v] = uint16(i)
		}
	}
	for _, v := range coded[size:] {
		c.indexOf[v] = v - uint16(c.offset) + uint16(len(c.palette))
	}
	if size == 0 {
		c.width = max(2, bits.Len(uint(largest-c.offset)))
		c.plain = c.width
	} else if size == len(coded) {
		c.plain = bits.Len(uint(len(c.palette) - 1))
	}
	return c
}

// split cuts a stream where palettes of its own are expected to save bits: in halves or quarters, again and again.
func split(values []uint16) []int {
	const least, gain = 512, 48 // weights of a part, and bits that a cut must save
	size := func(v []uint16) int {
		g := newHistogram(v).guesses(maxPalette - 1)
		return g[0].bits
	}
	var cuts []int
	var cut func(begin, end, bits int)
	cut = func(begin, end, bits int) {
		n := end - begin
		best, left, right := 0, 0, 0
		if n >= 2*least {
			for q := 1; q < 4; q++ {
				at := begin + n*q/4
				if l, r := size(values[begin:at]), size(values[at:end]); l+r+gain < bits && (best == 0 || l+r < left+right) {
					best, left, right = at, l, r
				}
			}
		}
		if best == 0 {
			cuts = append(cuts, begin)
			return
		}
		cut(begin, best, left)
		cut(best, end, right)
	}
	cut(0, len(values), size(values))
	return cuts
}
