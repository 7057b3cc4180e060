package compute

//go:generate go run ./gen/int8 -out int8_amd64.s -stubs int8_amd64.go -pkg compute

// The int8 kernels compute what TFLite's reference kernels compute, in another order of exact integer sums. Images are copied into a padded form
// that the multiplier of the processor takes: uint8 (x + 128, the 128 goes into the bias) for AVX-512 VNNI, int16 elsewhere.

import "unsafe"

// Requant turns the sums of a layer into int8: bias, then a fixed-point multiplier for each channel with two roundings (TFLite's
// MultiplyByQuantizedMultiplier), zero point and clamp.
type Requant struct {
	Bias                  []int32 // one a channel, or nil
	Multiplier, Shift     []int32 // one a channel; a positive shift is to the left
	InputZero, OutputZero int32
	Lo, Hi                int32
}

// int8Tile is a family of integer micro-kernels: run[r] does r rows, 1 to mr.
type int8Tile struct {
	mr, nr  int
	element int             // bytes of an image's value
	run     []func(*uint64) // argument: an int8Args
	requant func(*uint64)   // argument: a requantArgs; 16 channels, or nil
}

// int8Args is one call: c[rows][nr] = start + the sum over outer rows of k groups of four bytes of a times those of b.
type int8Args struct {
	a, b        unsafe.Pointer
	c, start    *int32
	rowStride   int // bytes
	outer, k    int
	outerSkip   int // bytes
	startStride int // bytes; 0: the same start for all rows
}

// portableInt8 is the micro-kernel in Go.
var portableInt8 = int8Tile{mr: 1, nr: 16, element: 2, run: []func(*uint64){nil, int8Row}}

func int8Row(args *uint64) {
	t := (*int8Args)(unsafe.Pointer(args))
	c := (*[16]int32)(unsafe.Pointer(t.c))
	*c = *(*[16]int32)(unsafe.Pointer(t.start))
	a := unsafe.Slice((*int16)(t.a), t.outer*(2*t.k)+max(t.outer-1, 0)*t.outerSkip/2)
	b := unsafe.Slice((*int16)(t.b), 32*t.outer*t.k)
	for range t.outer {
		for range t.k {
			x, y := int32(a[0]), int32(a[1])
			for j := range c {
				c[j] += x*int32(b[2*j]) + y*int32(b[2*j+1])
			}
			a, b = a[2:], b[32:]
		}
		if len(a) > 0 {
			a = a[t.outerSkip/2:]
		}
	}
}

// Int8Conv is an int8 convolution (or a dense layer: a 1x1 convolution of one pixel) prepared for its constant kernel.
type Int8Conv struct {
	s      ConvShape
	t      *int8Tile
	ph, pw int
	taps   struct{ calls, outer, k int } // k in groups of four bytes
	panels []byte
	size   int     // bytes of the panels of one call
	start  []int32 // bias and what the offsets of the input contribute, padded to panels
	q      *requantizer
	fill   int32 // the padding's value
}

// NewInt8Conv prepares a convolution with kernel w [oc][kh][kw][c] of codes in [-127, 127]. It reports false where it cannot prove that all sums
// stay within 30 bits.
func NewInt8Conv(s ConvShape, w []int8, r Requant) (*Int8Conv, bool) {
	if s.KH == 1 && s.KW == 1 && s.StrideH == 1 && s.StrideW == 1 && s.OH == s.H && s.OW == s.W {
		s.H, s.W, s.OH, s.OW = 1, s.H*s.W, 1, s.OH*s.OW // pixel by pixel: one long row
	}
	c := &Int8Conv{s: s, t: activeInt8(s.OC)}
	c.ph, c.pw = s.padded()
	calls, outer, width := s.taps()
	group := 4 / c.t.element
	c.taps.calls, c.taps.outer, c.taps.k = calls, outer, (width+group-1)/group
	offset := r.InputZero
	c.fill = r.InputZero
	if c.t.element == 1 {
		offset, c.fill = offset+128, c.fill+128
	}
	n := (s.OC + c.t.nr - 1) / c.t.nr * c.t.nr
	c.start = make([]int32, n)
	per := len(w) / s.OC
	for o := range s.OC {
		sum, size := int64(0), int64(0)
		for _, v := range w[o*per : (o+1)*per] {
			sum += int64(v)
			size += max(int64(v), -int64(v))
		}
		bias := int64(0)
		if r.Bias != nil {
			bias = int64(r.Bias[o])
		}
		start := bias - int64(offset)*sum
		left := uint(max(r.Shift[o], 0))
		if left > 30 || (max(bias, -bias)+256*size)<<left >= 1<<30 || max(start, -start)+256*size >= 1<<31 {
			return nil, false
		}
		c.start[o] = int32(start)
	}
	c.pack(w)
	c.q = newRequantizer(r, s.OC)
	return c, true
}

// pack writes the kernel as panels: for each call, panel and group of a kernel row, the group's codes of nr channels.
func (c *Int8Conv) pack(w []int8) {
	s, group := c.s, 4/c.t.element
	_, _, width := s.taps()
	panels := len(c.start) / c.t.nr
	c.size = 4 * c.t.nr * c.taps.outer * c.taps.k * panels
	c.panels = make([]byte, c.size*c.taps.calls)
	rows := c.taps.calls * c.taps.outer // rows of the kernel, or taps where columns are dilated
	for o := range s.OC {
		for row := range rows {
			call, in := row/c.taps.outer, row%c.taps.outer
			for i := range width {
				v := w[(o*rows+row)*width+i]
				at := c.size*call + 4*((o/c.t.nr*c.taps.outer*c.taps.k+in*c.taps.k+i/group)*c.t.nr+o%c.t.nr) + i%group*c.t.element
				c.panels[at] = byte(v)
				if c.t.element == 2 {
					c.panels[at+1] = byte(int16(v) >> 8)
				}
			}
		}
	}
}

// Run computes y [oh,ow,oc] from the image x [h,w,c].
func (c *Int8Conv) Run(y, x []int8) {
	m := GetScratch()
	c.run(m, y, x)
	PutScratch(m)
}

func (c *Int8Conv) run(m *Scratch, y, x []int8) {
	s, t := c.s, c.t
	c.pad(m, x)
	_, step := c.steps()
	args, row := &m.int8, s.StrideW*s.C*t.element
	*args = int8Args{rowStride: row, outer: c.taps.outer, k: c.taps.k, outerSkip: step - 4*c.taps.k}
	sums := m.sums[:]
	for oy := range s.OH {
		for o := 0; o < s.OC; o += t.nr {
			for ox := 0; ox < s.OW; ox += t.mr {
				h := min(t.mr, s.OW-ox)
				args.start, args.startStride, args.c = &c.start[o], 0, &sums[0]
				for call := range c.taps.calls {
					at := ((oy*s.StrideH+call*s.DilationH)*c.pw*s.C + ox*s.StrideW*s.C) * t.element
					args.a = unsafe.Pointer(&m.bytes[at])
					args.b = unsafe.Pointer(&c.panels[call*c.size+4*t.nr*(o/t.nr)*c.taps.outer*c.taps.k])
					t.run[h]((*uint64)(unsafe.Pointer(args)))
					args.start, args.startStride = &sums[0], 4*t.nr
				}
				c.q.run(t, m, y[((oy*s.OW)+ox)*s.OC+o:], sums, o, min(t.nr, s.OC-o), h, s.OC)
			}
		}
	}
}

// steps are the bytes from kernel row to kernel row of one call in the padded image.
func (c *Int8Conv) steps() (calls, step int) {
	if c.s.DilationW > 1 {
		return c.taps.calls, c.s.DilationW * c.s.C * c.t.element
	}
	return 1, c.s.DilationH * c.pw * c.s.C * c.t.element
}

// slack is how far the last group of a kernel row may reach behind the image.
const slack = 64

// pad writes the padded image in the form that the multiplier takes.
func (c *Int8Conv) pad(m *Scratch, x []int8) {
	s, e := c.s, c.t.element
	need := c.ph*c.pw*s.C*e + slack
	if cap(m.bytes) < need {
		m.bytes = make([]byte, need)
	}
	m.bytes = m.bytes[:need]
	if e == 1 {
		padBytes(m.bytes, x, s, c.ph, c.pw, byte(c.fill))
		return
	}
	img := unsafe.Slice((*int16)(unsafe.Pointer(&m.bytes[0])), need/2)
	padWords(img, x, s, c.ph, c.pw, int16(c.fill))
}

// padBytes writes x+128 as uint8 into a border of fill.
func padBytes(dst []byte, x []int8, s ConvShape, ph, pw int, fill byte) {
	row := s.W * s.C
	if ph != s.H || pw != s.W {
		for i := range dst[:ph*pw*s.C] {
			dst[i] = fill
		}
	}
	for y := range s.H {
		at := ((s.PadTop+y)*pw + s.PadLeft) * s.C
		shift(dst[at:at+row], x[y*row:(y+1)*row])
	}
}

// shift writes x+128.
func shift(dst []byte, x []int8) {
	n := len(x) / 8
	if n > 0 {
		to, from := unsafe.Slice((*[8]byte)(unsafe.Pointer(&dst[0])), n), unsafe.Slice((*[8]byte)(unsafe.Pointer(&x[0])), n)
		for i := range to {
			*(*uint64)(unsafe.Pointer(&to[i])) = *(*uint64)(unsafe.Pointer(&from[i])) ^ 0x8080808080808080
		}
	}
	for i := 8 * n; i < len(x); i++ {
		dst[i] = byte(x[i]) ^ 0x80
	}
}

// padWords writes x as int16 into a border of fill.
func padWords(dst []int16, x []int8, s ConvShape, ph, pw int, fill int16) {
	row := s.W * s.C
	if ph != s.H || pw != s.W {
		for i := range dst[:ph*pw*s.C] {
			dst[i] = fill
		}
	}
	for y := range s.H {
		to := dst[((s.PadTop+y)*pw+s.PadLeft)*s.C:]
		for i, v := range x[y*row : (y+1)*row] {
			to[i] = int16(v)
		}
	}
}
