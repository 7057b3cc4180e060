package mlw

// reader takes bits from a stream, least significant first. Behind the end it gives zeros and remembers that.
type reader struct {
	data []byte
	at   int // next byte
	acc  uint64
	have int // bits in acc
	over bool
}

func (r *reader) get(n int) int {
	for r.have < n {
		var b byte
		if r.at < len(r.data) {
			b = r.data[r.at]
		} else if r.at >= len(r.data) {
			r.over = true
		}
		r.at++
		r.acc |= uint64(b) << r.have
		r.have += 8
	}
	v := int(r.acc & (1<<n - 1))
	r.acc >>= n
	r.have -= n
	return v
}

// alignByte drops the rest of a byte and tells whether the stream has ended.
func (r *reader) alignByte() (end bool) {
	r.get(r.have & 7)
	return r.at-r.have/8 >= len(r.data)
}

// writer collects bits.
type writer struct {
	data []byte
	acc  uint64
	have int
}

func (w *writer) put(n, v int) {
	w.acc |= uint64(v) << w.have
	for w.have += n; w.have >= 8; w.have -= 8 {
		w.data = append(w.data, byte(w.acc))
		w.acc >>= 8
	}
}

// finish ends the stream: the end mark, and ones to a multiple of 16 bytes.
func (w *writer) finish() []byte {
	w.put(3, zdivEnd)
	for w.have != 0 {
		w.put(1, 1)
	}
	for len(w.data)%align != 0 {
		w.data = append(w.data, 0xff)
	}
	return w.data
}
