package compute

import "unsafe"

// Int8Depthwise is an int8 depthwise convolution prepared for its constant kernel. It exists for AVX-512 only.
type Int8Depthwise struct {
	s       ConvShape
	ph, pw  int
	w       []int16 // [tap][channels padded to 32]
	start   []int32
	offsets []int // of each tap in the padded image, bytes
	zero    int32
	q       *requantizer
}

// depthwiseArgs is one call: sums of 32 channels for a row of pixels.
type depthwiseArgs struct {
	x, w                *int16
	y, start            *int32
	pixels, pixelStride int // strides in bytes
	taps                int
	offsets             *int
	yStride, wStride    int
}

// NewInt8Depthwise prepares a depthwise convolution with kernel w [kh][kw][oc] of codes in [-127, 127]; oc is c*Multiplier. It reports false where the
// processor has no kernel for it, or it cannot prove that all sums stay within 30 bits.
func NewInt8Depthwise(s ConvShape, w []int8, r Requant) (*Int8Depthwise, bool) {
	if !hasInt8Depthwise() {
		return nil, false
	}
	n := (s.OC + 31) / 32 * 32
	taps := s.KH * s.KW
	d := &Int8Depthwise{s: s, w: make([]int16, taps*n), start: make([]int32, n), zero: r.InputZero, q: newRequantizer(r, s.OC)}
	d.ph, d.pw = s.padded()
	for c := range s.OC {
		size := int64(0)
		for t := range taps {
			v := w[t*s.OC+c]
			d.w[t*n+c] = int16(v)
			size += max(int64(v), -int64(v))
		}
		if r.Bias != nil {
			d.start[c] = r.Bias[c]
		}
		left := uint(max(r.Shift[c], 0))
		if left > 30 || (max(int64(d.start[c]), -int64(d.start[c]))+256*size)<<left >= 1<<30 {
			return nil, false
		}
	}
	for t := range taps {
		d.offsets = append(d.offsets, 2*s.OC*(t/s.KW*s.DilationH*d.pw+t%s.KW*s.DilationW))
	}
	return d, true
}

// Run computes y [oh,ow,oc] from the image x [h,w,c].
func (d *Int8Depthwise) Run(y, x []int8) {
	m := GetScratch()
	s := d.s
	img := d.pad(m, x)
	args, n := &m.depthwise, len(d.start)
	t := int8Tile{nr: 32, requant: requantOfDepthwise}
	const most = len(m.sums) / 32
	for oy := range s.OH {
		for c := 0; c < s.OC; c += 32 {
			for ox := 0; ox < s.OW; ox += most {
				h := min(most, s.OW-ox)
				at := (oy*s.StrideH*d.pw+ox*s.StrideW)*s.OC + c
				*args = depthwiseArgs{&img[at], &d.w[c], &m.sums[0], &d.start[c], h, 2 * s.StrideW * s.OC, len(d.offsets), &d.offsets[0], 4 * 32, 2 * n}
				depthwiseKernel((*uint64)(unsafe.Pointer(args)))
				d.q.run(&t, m, y[(oy*s.OW+ox)*s.OC+c:], m.sums[:], c, min(32, s.OC-c), h, s.OC)
			}
		}
	}
	PutScratch(m)
}

// pad writes the image minus its zero point as int16, with a border of zeros and repeated channels.
func (d *Int8Depthwise) pad(m *Scratch, x []int8) []int16 {
	s := d.s
	need := 2*d.ph*d.pw*s.OC + slack
	if cap(m.bytes) < need {
		m.bytes = make([]byte, need)
	}
	m.bytes = m.bytes[:need]
	img := unsafe.Slice((*int16)(unsafe.Pointer(&m.bytes[0])), need/2)
	if d.ph != s.H || d.pw != s.W {
		clear(img)
	}
	for y := range s.H {
		to := img[((s.PadTop+y)*d.pw+s.PadLeft)*s.OC:][:s.W*s.OC]
		from := x[y*s.W*s.C : (y+1)*s.W*s.C]
		if s.Multiplier == 1 {
			widenInt8(m, to, from, d.zero)
			continue
		}
		for i, v := range from {
			for j := range s.Multiplier {
				to[i*s.Multiplier+j] = int16(int32(v) - d.zero)
			}
		}
	}
	return img
}

// widenArgs is a call of the vector pass, 32 values at a time.
type widenArgs struct {
	y    *int16
	x    *int8
	n    int
	zero int
}

func widenInt8(m *Scratch, y []int16, x []int8, zero int32) {
	n := len(x) / 32
	if n > 0 {
		m.widen = widenArgs{&y[0], &x[0], n, int(zero)}
		widenKernel((*uint64)(unsafe.Pointer(&m.widen)))
	}
	for i := 32 * n; i < len(x); i++ {
		y[i] = int16(int32(x[i]) - zero)
	}
}

// maxArgs is a call of the vector pass, 64 values at a time.
type maxArgs struct {
	y, a, b *int8
	n       int
}

// Int8Max writes the larger of a and b, each as long as y.
func Int8Max(y, a, b []int8) {
	n := 0
	if hasInt8Depthwise() && len(y) >= 64 {
		n = len(y) / 64
		m := GetScratch()
		m.max = maxArgs{&y[0], &a[0], &b[0], n}
		maxKernel((*uint64)(unsafe.Pointer(&m.max)))
		m.max = maxArgs{}
		PutScratch(m)
	}
	for i := 64 * n; i < len(y); i++ {
		y[i] = max(a[i], b[i])
	}
}

// Int8MaxPool computes y [oh,ow,c], the maxima over windows that lie wholly inside the image x [h,w,c] (no padding).
func Int8MaxPool(y, x []int8, s ConvShape) {
	m := GetScratch()
	row := s.W * s.C
	if cap(m.row) < row {
		m.row = make([]int8, row)
	}
	tall := m.row[:row]
	for oy := range s.OH {
		top := x[oy*s.StrideH*row:]
		copy(tall, top[:row])
		for k := 1; k < s.KH; k++ {
			Int8Max(tall, tall, top[k*row:(k+1)*row])
		}
		// After k steps position i holds the maximum of the pixels i to i+k.
		for k := 1; k < s.KW; k++ {
			Int8Max(tall[:row-k*s.C], tall[:row-k*s.C], tall[s.C:row-(k-1)*s.C])
		}
		out := y[oy*s.OW*s.C:]
		for ox := range s.OW {
			copy(out[ox*s.C:(ox+1)*s.C], tall[ox*s.StrideW*s.C:])
		}
	}
	PutScratch(m)
}
