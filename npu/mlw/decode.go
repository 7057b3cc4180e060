package mlw

import (
	"fmt"
	"math/bits"
)

// slice is the header of a slice; palette, offset and width last until a slice brings new ones.
type slice struct {
	zeroRuns  bool
	zdiv      int
	n         int // weights
	wdiv      int
	plain     bool // indices of fixed width wdiv
	truncated bool // quotients up to 2 without a stop bit
	fresh     bool // brings a palette
	offset    int  // value of the first index behind the palette
	width     int  // bits of the palette's entries, or of plain indices without a palette
	palette   []int16
}

// Decode gives the weights of a stream, each -255 to 255. It refuses streams of more than limit weights, so that a few bytes cannot stand for any amount of
// memory.
func Decode(stream []byte, limit int) ([]int16, error) {
	r := &reader{data: stream}
	var out []int16
	var s slice
	first := true
	for n := 0; ; n++ {
		zdiv := r.get(3)
		for zdiv == zdivEnd {
			if r.alignByte() {
				return out, nil
			}
			first = true
			zdiv = r.get(3)
		}
		if err := s.header(r, zdiv, first); err != nil {
			return nil, fmt.Errorf("weight stream, slice %d: %w", n, err)
		}
		first = false
		var err error
		if out, err = s.weights(r, out, limit); err != nil {
			return nil, fmt.Errorf("weight stream, slice %d: %w", n, err)
		}
	}
}

// header reads what follows ZDIV.
func (s *slice) header(r *reader, zdiv int, first bool) error {
	if zdiv > 3 && zdiv != zdivNone {
		return fmt.Errorf("zero run divisor %d", zdiv)
	}
	before := s.zeroRuns
	s.zeroRuns, s.zdiv = zdiv != zdivNone, zdiv
	s.n = r.get(15) + 1
	s.wdiv = r.get(3)
	s.truncated = r.get(1) == 1
	s.fresh = r.get(1) == 1
	if r.over {
		return fmt.Errorf("the stream ends in the header")
	}
	if !s.fresh && (first || before != s.zeroRuns) {
		return fmt.Errorf("no palette, but it is the first slice or changes the coding of zeros")
	}
	if s.fresh {
		s.offset = r.get(5)
		size := r.get(5)
		if size > 0 {
			size++
		}
		s.width = r.get(3) + 2
		s.palette = make([]int16, size)
		for i := range s.palette {
			s.palette[i] = int16(r.get(s.width))
		}
	}
	if s.plain = s.wdiv == wdivPlain; s.plain {
		if s.wdiv = s.width; len(s.palette) > 0 {
			s.wdiv = bits.Len(uint(len(s.palette) - 1))
		}
	} else if s.wdiv > 5 {
		return fmt.Errorf("weight divisor %d", s.wdiv)
	}
	return nil
}

// value is the weight of an index.
func (s *slice) value(i int) int16 {
	var v int
	if i < len(s.palette) {
		v = int(s.palette[i])
	} else {
		v = i - len(s.palette) + s.offset
	}
	if v&1 != 0 {
		return int16(-(v >> 1))
	}
	return int16(v >> 1)
}

// weights decodes a slice. Chunks of at most 12 symbols alternate between weights and runs of zeros; the one that is ahead waits. The low bits of a chunk's symbols
// follow one chunk later.
func (s *slice) weights(r *reader, out []int16, limit int) ([]int16, error) {
	runs := 0
	if s.zeroRuns {
		if runs = s.n; s.fresh {
			runs++
		}
	}
	w := quotients{count: s.n, symbols: 12}
	if s.plain && s.wdiv > 5 {
		w.symbols = 8
	}
	z := quotients{count: runs, symbols: 12}
	if s.zdiv >= 3 {
		z.symbols = 8
	}
	index, run := make([]int32, 0, s.n), make([]int32, 0, runs)
	for more := true; more; {
		balance := 0
		if s.zeroRuns {
			balance = w.done - z.done
		}
		wOn, zOn := balance < 8 && w.done < w.count, s.zeroRuns && balance >= 0 && z.done < z.count
		unary, zUnary := 0, 0
		if wOn && !s.plain {
			unary = r.get(12)
		}
		if zOn {
			zUnary = r.get(z.symbols)
		}
		wPrev, zPrev := w, z
		w.n, z.n = 0, 0
		if wOn {
			w.weightChunk(unary, r.get(bits.OnesCount(uint(unary))), s.truncated)
		}
		if zOn {
			z.runChunk(zUnary)
		}
		for _, q := range wPrev.now[:wPrev.n] {
			if len(index) < s.n {
				index = append(index, q<<s.wdiv+int32(r.get(s.wdiv)))
			}
		}
		for _, q := range zPrev.now[:zPrev.n] {
			if len(run) < runs {
				run = append(run, q<<s.zdiv+int32(r.get(s.zdiv)))
			}
		}
		if r.over {
			return nil, fmt.Errorf("the stream ends within the weights")
		}
		more = wOn || zOn
	}
	return s.merge(out, index, run, limit)
}

// quotients are the unary parts of one kind of symbol.
type quotients struct {
	count, done int   // symbols to come, and complete
	symbols     int   // unary positions in a chunk
	carry       int32 // of a symbol that goes on in the next chunk
	now         [12]int32
	n           int
}

func (q *quotients) end() {
	q.now[q.n] = q.carry
	q.n++
	q.done++
	q.carry = 0
}

// weightChunk: a position has a bit of the first word, and where that is set one of the second.
func (q *quotients) weightChunk(unary, second int, truncated bool) {
	for i := range q.symbols {
		code := int32(0)
		if unary>>i&1 != 0 {
			code = int32(1 + second&1)
			second >>= 1
		}
		if q.carry += code; code < 2 || truncated {
			q.end()
		}
	}
}

func (q *quotients) runChunk(unary int) {
	for i := range q.symbols {
		if unary>>i&1 != 0 {
			q.carry++
		} else {
			q.end()
		}
	}
}

// merge puts the runs of zeros between the weights.
func (s *slice) merge(out []int16, index, run []int32, limit int) ([]int16, error) {
	total := len(out) + len(index)
	for _, n := range run {
		if total += int(n); total > limit {
			break
		}
	}
	if total > limit {
		return nil, fmt.Errorf("more than the %d weights that are expected", limit)
	}
	if s.fresh && s.zeroRuns {
		out = append(out, make([]int16, run[0])...)
		run = run[1:]
	}
	for i, v := range index {
		if v > maxIndex {
			return nil, fmt.Errorf("weight index %d is above %d", v, maxIndex)
		}
		w := s.value(int(v))
		if w < -255 || w > 255 {
			return nil, fmt.Errorf("weight %d does not fit 9 bits", w)
		}
		out = append(out, w)
		if s.zeroRuns {
			for range run[i] {
				out = append(out, 0)
			}
		}
	}
	return out, nil
}
