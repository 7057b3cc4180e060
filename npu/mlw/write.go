package mlw

// write sends all slices of a section.
func (s *section) write(out *writer) {
	begin := 0
	for i, p := range s.slices {
		s.header(out, i, p, p.end-begin)
		var runs []int32
		if s.zeroRuns {
			runs = s.runsOf(i, begin, p.end)
		}
		s.chunks(out, s.index[begin:p.end], runs, weightConfigs[p.w], p.z)
		begin = p.end
	}
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (s *section) header(out *writer, i int, p piece, n int) {
	c := weightConfigs[p.w]
	zdiv, wdiv := zdivNone, c.div
	if s.zeroRuns {
		zdiv = p.z
	}
	if c.plain {
		wdiv = wdivPlain
	}
	out.put(3, zdiv)
	out.put(15, n-1)
	out.put(3, wdiv)
	out.put(1, flag(c.truncated))
	out.put(1, flag(i == 0))
	if i > 0 {
		return
	}
	out.put(5, s.offset)
	out.put(5, max(0, len(s.palette)-1))
	out.put(3, s.width-2)
	for _, v := range s.palette {
		out.put(s.width, int(v))
	}
}

// sender packs symbols of one kind into chunks.
type sender struct {
	values    []int32
	div       int
	at        int   // symbols that are complete
	q         int32 // of the symbol that has begun, -1 if none
	positions int   // of a chunk
	rest      [12]int32
	n         int // symbols that became complete in this chunk
}

// next fills the positions of a chunk: take is what one position holds of a quotient, and whether the symbol ends with it.
func (s *sender) next(take func(position int, q int32) (left int32, end bool)) {
	s.n = 0
	for i := range s.positions {
		if s.q < 0 {
			if s.at == len(s.values) {
				take(i, 0)
				continue
			}
			s.q = s.values[s.at] >> s.div
		}
		left, end := take(i, s.q)
		if s.q = left; end {
			s.rest[s.n] = s.values[s.at] & (1<<s.div - 1)
			s.n++
			s.at++
			s.q = -1
		}
	}
}

// chunks sends the symbols of a slice, in the rhythm that Decode expects.
func (s *section) chunks(out *writer, index []uint16, runs []int32, c weightConfig, zdiv int) {
	w := sender{values: make([]int32, len(index)), div: c.div, q: -1, positions: 12}
	for i, v := range index {
		w.values[i] = int32(v)
	}
	if c.plain {
		if w.div = s.plain; w.div > 5 {
			w.positions = 8
		}
	}
	z := sender{values: runs, div: zdiv, q: -1, positions: runSymbols(zdiv)}
	for more := true; more; {
		balance := 0
		if s.zeroRuns {
			balance = w.at - z.at
		}
		wOn, zOn := balance < 8 && w.at < len(w.values), s.zeroRuns && balance >= 0 && z.at < len(z.values)
		wPrev, zPrev := w, z
		w.n, z.n = 0, 0
		first, second, seconds := 0, 0, 0
		if wOn {
			w.next(func(i int, q int32) (int32, bool) {
				if c.plain {
					return 0, true
				}
				if q > 0 {
					first |= 1 << i
					second |= flag(q > 1) << seconds
					seconds++
				}
				return q - 2, q < 2 || c.truncated
			})
			if !c.plain {
				out.put(12, first)
			}
		}
		if zOn {
			unary := 0
			z.next(func(i int, q int32) (int32, bool) {
				unary |= flag(q > 0) << i
				return q - 1, q == 0
			})
			out.put(z.positions, unary)
		}
		out.put(seconds, second)
		for _, r := range wPrev.rest[:wPrev.n] {
			out.put(w.div, int(r))
		}
		for _, r := range zPrev.rest[:zPrev.n] {
			out.put(z.div, int(r))
		}
		more = wOn || zOn
	}
}
