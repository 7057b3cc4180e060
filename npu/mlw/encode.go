package mlw

import (
	"fmt"
	"math"
)

// Encode writes weights, each -255 to 255, as a stream: a multiple of 16 bytes that Decode turns back into the same weights. It tries palettes of all sizes, with
// runs of zeros and without, one for the whole stream or several, and for each the best sequence of divisors; the smallest wins.
func Encode(weights []int16) ([]byte, error) {
	values := make([]uint16, len(weights))
	for i, w := range weights {
		switch {
		case w < -255 || w > 255:
			return nil, fmt.Errorf("weight %d is %d: weights have 9 bits, -255 to 255", i, w)
		case w < 0:
			values[i] = uint16(-w)<<1 | 1
		default:
			values[i] = uint16(w) << 1
		}
	}
	var out writer
	if len(values) > 0 {
		whole := bestSection(values)
		plans := []section{whole}
		if cuts := split(values); len(cuts) > 1 {
			parts, bits := []section(nil), 0
			for i, begin := range cuts {
				end := len(values)
				if i+1 < len(cuts) {
					end = cuts[i+1]
				}
				s := bestSection(values[begin:end])
				parts, bits = append(parts, s), bits+s.bits
			}
			if bits < whole.bits {
				plans = parts
			}
		}
		for i := range plans {
			plans[i].write(&out)
		}
	}
	return out.finish(), nil
}

// section is a part of a stream with one palette.
type section struct {
	coding
	index  []uint16 // of each weight
	runs   []int32  // of zeros: before the first weight and behind each; nil without runs of zeros
	slices []piece
	bits   int
}

// piece is a slice: the weights up to end with a weight configuration and a divisor for runs.
type piece struct{ end, w, z int }

// bestSection finds the smallest coding of values: the palettes that are estimated as the best few are worked out, and for the best of them, finer and coarser
// slices are tried.
func bestSection(values []uint16) section {
	h := newHistogram(values)
	var best section
	try := func(s section, cost int) {
		s.slices = s.search(cost)
		if s.bits = s.size(); best.bits == 0 || s.bits < best.bits {
			best = s
		}
	}
	for _, c := range h.codings(3) {
		s := section{coding: c}
		s.symbols(values)
		try(s, sliceHeader+9)
	}
	try(best, sliceHeader+3)
	try(best, sliceHeader+17)
	return best
}

// symbols turns values into indices and runs.
func (s *section) symbols(values []uint16) {
	if !s.zeroRuns {
		s.index = make([]uint16, len(values))
		for i, v := range values {
			s.index[i] = s.indexOf[v]
		}
		return
	}
	run := int32(0)
	for i, v := range values {
		if v == 0 && !(s.onlyZeros && i == 0) { // a slice has at least one weight, if need be a zero
			run++
			continue
		}
		s.runs = append(s.runs, run)
		s.index = append(s.index, s.indexOf[v])
		run = 0
	}
	s.runs = append(s.runs, run)
}

// weightConfig is a way to send indices: a divisor, perhaps with quotients truncated at 2, or plain.
type weightConfig struct {
	div              int
	truncated, plain bool
}

var weightConfigs = [13]weightConfig{{div: 0}, {div: 1}, {div: 2}, {div: 3}, {div: 4}, {div: 5}, {div: 0, truncated: true}, {div: 1, truncated: true},
	{div: 2, truncated: true}, {div: 3, truncated: true}, {div: 4, truncated: true}, {div: 5, truncated: true}, {plain: true}}

const (
	plainConfig = 12
	runConfigs  = 4 // divisors of runs: 0 to 3
	impossible  = 1 << 32
)

// indexBits are the bits of an index in a configuration, without the plain one; impossible if it cannot be sent.
var indexBits = func() (t [plainConfig][maxIndex + 1]int) {
	for c := range t {
		for i := range t[c] {
			q := i >> weightConfigs[c].div
			switch {
			case q > maxQuotient || weightConfigs[c].truncated && q > 2:
				t[c][i] = impossible
			case weightConfigs[c].truncated:
				t[c][i] = min(q+1, 2) + weightConfigs[c].div
			default:
				t[c][i] = q + 1 + weightConfigs[c].div
			}
		}
	}
	return t
}()

// bitsOf are the bits of an index in any configuration.
func (c *coding) bitsOf(config, index int) int {
	if config < plainConfig {
		return indexBits[config][index]
	}
	if c.plain > 0 {
		return c.plain
	}
	return impossible
}

// candidates are the weight configurations that are worth a look: a twentieth of the indices can be sent (where zeros fill up blocks, a part of a stream has small
// indices only), and those on the average in at most twice the bits of the best one that can send all.
func (s *section) candidates() []int {
	var count [maxIndex + 1]int
	for _, index := range s.index {
		count[index]++
	}
	var mean [len(weightConfigs)]float64
	least := math.Inf(1)
	for c := range mean {
		bits, n := 0, 0
		for index, times := range count {
			if b := s.bitsOf(c, index); times > 0 && b < impossible {
				bits, n = bits+times*b, n+times
			}
		}
		if mean[c] = math.Inf(1); 20*n > len(s.index) {
			mean[c] = float64(bits) / float64(n)
		}
		if n == len(s.index) {
			least = min(least, mean[c])
		}
	}
	var list []int
	for c, m := range mean {
		if m <= least*2 {
			list = append(list, c)
		}
	}
	return list
}

// search finds a sequence of slices by dynamic programming over configurations; cost is that of a new slice. State w*zs+d is candidate w with divisor d for runs.
func (s *section) search(cost int) []piece {
	zs := 1
	if s.zeroRuns {
		zs = runConfigs
	}
	configs := s.candidates()
	table := make([][maxIndex + 1]int, len(configs))
	for w, c := range configs {
		for i := range table[w] {
			table[w][i] = s.bitsOf(c, i)
		}
	}
	sums := make([]int, len(configs)*zs)
	from, switched := make([]uint8, len(s.index)), make([]uint64, len(s.index))
	best, limit := 0, impossible // the first slice is there anyway
	for i, index := range s.index {
		from[i] = uint8(best)
		var z [runConfigs]int
		if s.zeroRuns {
			z = runBits(s.runs[i+1])
			if i == 0 {
				for d, b := range runBits(s.runs[0]) {
					z[d] += b
				}
			}
		}
		mask, j := uint64(0), 0
		best = 0
		for w := range table {
			bits := table[w][index]
			for d := range z[:zs] {
				v := sums[j]
				if v > limit {
					v = limit
					mask |= 1 << j
				}
				v += bits + z[d]
				if sums[j] = v; v < sums[best] {
					best = j
				}
				j++
			}
		}
		switched[i] = mask
		limit = sums[best] + cost
	}
	list := backtrack(from, switched, best, zs)
	for i := range list {
		list[i].w = configs[list[i].w]
	}
	return list
}

// runBits are the bits of a run with each divisor.
func runBits(run int32) (z [runConfigs]int) {
	for d := range z {
		z[d] = int(run>>d) + 1 + d
	}
	return z
}

// backtrack reads the sequence of slices out of the search, cut to the length that a slice may have.
func backtrack(from []uint8, switched []uint64, state, zs int) []piece {
	var reversed []piece
	end := len(from)
	for i := len(from) - 1; i >= 0; i-- {
		if switched[i]>>state&1 == 0 && i > 0 {
			continue
		}
		for last := end; last > i; last -= maxSlice {
			reversed = append(reversed, piece{last, state / zs, state % zs})
		}
		end, state = i, int(from[i])
	}
	list := make([]piece, len(reversed))
	for i, p := range reversed {
		list[len(reversed)-1-i] = p
	}
	return list
}

// size is the bits that write needs.
func (s *section) size() int {
	bits := s.paletteBits()
	begin := 0
	for i, p := range s.slices {
		bits += sliceHeader
		c := weightConfigs[p.w]
		if c.plain {
			bits += (p.end - begin) * s.plain
		} else {
			positions, seconds := 0, 0
			for _, index := range s.index[begin:p.end] {
				q := int(index) >> c.div
				if q > 0 {
					seconds += (q + 1) / 2
				}
				if positions++; !c.truncated {
					positions += q / 2
				}
			}
			bits += roundUp(positions, 12) + seconds + (p.end-begin)*c.div
		}
		if s.zeroRuns {
			runs := s.runsOf(i, begin, p.end)
			positions := 0
			for _, r := range runs {
				positions += int(r>>p.z) + 1
			}
			bits += roundUp(positions, runSymbols(p.z)) + len(runs)*p.z
		}
		begin = p.end
	}
	return bits
}

// runsOf are the runs of slice i: the first has the one before its first weight, too.
func (s *section) runsOf(i, begin, end int) []int32 {
	if i == 0 {
		return s.runs[:end+1]
	}
	return s.runs[begin+1 : end+1]
}

// runSymbols are the unary positions of a chunk of runs.
func runSymbols(div int) int {
	if div < 3 {
		return 12
	}
	return 8
}
