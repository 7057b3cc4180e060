package npu

import (
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/isa"
)

// buffer is memory for a feature map: in the arena, or among the constants.
type buffer struct {
	h, w, c, bytes int
	linear         bool   // NHWC is needed: an input or output, a reshape, a slice. The others lie in bricks (NHCWB16)
	data           []byte // of a constant
	start, end     int    // the first and last step that touch it
	used           bool
	fast           bool    // in fast memory of its own
	shared         *buffer // the buffer in whose place it lies
	offset         int
}

// place is the buffer whose memory it is.
func (b *buffer) place() *buffer {
	for b.shared != nil {
		b = b.shared
	}
	return b
}

func (b *buffer) size() int {
	if b.linear {
		return b.h * b.w * b.c * b.bytes
	}
	return b.h * b.w * roundUp(b.c, 16) * b.bytes
}

// touch extends the buffer's life to a step.
func (b *buffer) touch(step int) {
	b = b.place()
	if !b.used {
		b.start, b.end, b.used = step, step, true
	}
	b.start, b.end = min(b.start, step), max(b.end, step)
}

// view is a feature map in a buffer. Offsets and strides are in elements of NHWC; a view of a whole buffer in its own shape may lie in bricks.
type view struct {
	*buffer
	h, w, c     int
	off, sy, sx int
	zero        int32
}

func newView(h, w, c, bytes int, zero int32) view {
	return view{buffer: &buffer{h: h, w: w, c: c, bytes: bytes}, h: h, w: w, c: c, sy: w * c, sx: c, zero: zero}
}

// constant is a view of numbers.
func constant(h, w, c, bytes int, zero int32, data []byte) view {
	v := newView(h, w, c, bytes, zero)
	v.data, v.linear = data, true
	return v
}

// words is a constant of 32-bit numbers, all the same.
func words(h, w, c int, x int32) view {
	b := make([]byte, 0, 4*h*w*c)
	for range h * w * c {
		b = append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24))
	}
	return constant(h, w, c, 4, 0, b)
}

// whole tells whether the elements follow one another.
func (v view) whole() bool { return (v.sx == v.c || v.w == 1) && (v.sy == v.w*v.c || v.h == 1) }

// as is the same elements in another shape.
func (v view) as(h, w, c int) view {
	if h == v.h && w == v.w && c == v.c {
		return v
	}
	v.linear = true
	v.h, v.w, v.c, v.sy, v.sx = h, w, c, w*c, c
	return v
}

// part is a box of the view.
func (v view) part(y, x, c, h, w, d int) view {
	if y == 0 && x == 0 && c == 0 && h == v.h && w == v.w && d == v.c {
		return v
	}
	v.linear = true
	v.off += y*v.sy + x*v.sx + c
	v.h, v.w, v.c = h, w, d
	return v
}

// featureMap is the view as the hardware is told, region and bases apart.
func (v view) featureMap() isa.FeatureMap {
	n := int64(v.bytes)
	f := isa.FeatureMap{Width0: v.w, Height0: v.h, Height1: v.h, Height: v.h, Width: v.w, Depth: v.c, Bytes: v.bytes, Signed: true, Zero: v.zero,
		StrideY: int64(v.sy) * n, StrideX: int64(v.sx) * n, StrideC: n}
	if !v.linear {
		f.Brick = true
		f.StrideX, f.StrideC, f.StrideY = 16*n, 16*n*int64(v.w), n*int64(v.w)*int64(roundUp(v.c, 16))
	}
	return f
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// spatial is a shape as height, width and channels; leading dimensions are put into the height.
func spatial(shape []int) (h, w, c int) {
	h, w, c = 1, 1, 1
	for i, d := range shape {
		switch len(shape) - i {
		case 1:
			c = d
		case 2:
			w = d
		default:
			h *= d
		}
	}
	return h, w, c
}

// step is an operation to come, or an operator on the CPU.
type step struct {
	kind       isa.Kind
	cpu        bool
	operator   int // in the graph
	k          isa.Kernel
	ifm, ofm   view
	ifm2       view
	weights    []int16 // OC x KH x KW x IC
	records    []tfliteRecord
	table      []byte
	touched    []*buffer // by an operator on the CPU
	weightSize int       // encoded bytes
	padded     int       // weights with the zeros that fill up
}

// tfliteRecord is bias and factor of a channel.
type tfliteRecord struct {
	bias  int64
	scale isa.Scale
}

func (s *step) maps() []view {
	if s.cpu {
		return nil
	}
	list := []view{s.ofm, s.ifm}
	if s.k.HasIFM2 {
		list = append(list, s.ifm2)
	}
	return list
}

func zeroPoint(t *tflite.Tensor) int32 {
	if t.Quant == nil || len(t.Quant.ZeroPoint) == 0 {
		return 0
	}
	return t.Quant.ZeroPoint[0]
}
