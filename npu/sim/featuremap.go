package sim

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/temper-ml/temper/npu/isa"
)

// brick is the channels of a brick (NHCWB16).
const brick = 16

// channelOffset is the offset of a channel within a pixel.
func channelOffset(f *isa.FeatureMap, c int) int64 {
	if f.Brick {
		return int64(c/brick)*f.StrideC + int64(c%brick*f.Bytes)
	}
	return int64(c * f.Bytes)
}

// tile is a part of a feature map with one base.
type tile struct {
	y, x, h, w int // where it begins, and its size
	base       uint64
}

// tiles are the parts that a feature map's elements lie in.
func tiles(f *isa.FeatureMap) []tile {
	var list []tile
	add := func(n, y, x, h, w int) {
		if h > 0 && w > 0 {
			list = append(list, tile{y, x, h, w, f.Base[n]})
		}
	}
	left, right := min(f.Width0, f.Width), max(f.Width-f.Width0, 0)
	h0, h1 := min(f.Height0, f.Height), min(f.Height1, f.Height)
	add(0, 0, 0, h0, left)
	add(1, 0, f.Width0, h1, right)
	add(2, f.Height0, 0, f.Height-h0, left)
	add(3, f.Height1, f.Width0, f.Height-h1, right)
	return list
}

// extent is the byte range [lo, hi) of a tile's elements; false if it is no range of addresses.
func (t tile) extent(f *isa.FeatureMap) (lo, hi int64, ok bool) {
	lo, hi = int64(t.base), int64(t.base)
	span := func(stride int64, n int) {
		if d := stride * int64(n); d < 0 {
			lo += d
		} else {
			hi += d
		}
	}
	span(f.StrideY, t.h-1)
	span(f.StrideX, t.w-1)
	if f.Brick {
		span(f.StrideC, (f.Depth-1)/brick)
		hi += int64((min(f.Depth, brick) - 1) * f.Bytes)
	} else {
		hi += int64((f.Depth - 1) * f.Bytes)
	}
	return lo, hi + int64(f.Bytes), lo >= 0
}

// check refuses feature maps that reach outside their region, and sizes that no machine holds.
func (m *Machine) check(f *isa.FeatureMap, what string) error {
	if f.Height < 1 || f.Width < 1 || f.Depth < 1 {
		return fmt.Errorf("%s of %d x %d x %d is empty", what, f.Height, f.Width, f.Depth)
	}
	if f.Height > maxElements/f.Width/f.Depth {
		return fmt.Errorf("%s of %d x %d x %d has more than %d elements", what, f.Height, f.Width, f.Depth, maxElements)
	}
	if f.Bytes > 4 {
		return fmt.Errorf("%s has elements of %d bits", what, 8*f.Bytes)
	}
	size := int64(len(m.Regions[f.Region]))
	for _, t := range tiles(f) {
		if lo, hi, ok := t.extent(f); !ok || hi > size {
			return fmt.Errorf("%s reaches from %d to %d in region %d of %d bytes", what, lo, hi, f.Region, size)
		}
	}
	return m.charge(int64(f.Height) * int64(f.Width) * int64(f.Depth))
}

// channels are the offsets of all channels within a pixel.
func (m *Machine) channels(f *isa.FeatureMap) []int64 {
	if cap(m.offsets) < f.Depth {
		m.offsets = make([]int64, f.Depth)
	}
	offsets := m.offsets[:f.Depth]
	for c := range offsets {
		offsets[c] = channelOffset(f, c)
	}
	return offsets
}

// each calls visit with the address of each pixel.
func (t tile) each(f *isa.FeatureMap, visit func(y, x int, at int64)) {
	for y := range t.h {
		at := int64(t.base) + int64(y)*f.StrideY
		for x := range t.w {
			visit(t.y+y, t.x+x, at+int64(x)*f.StrideX)
		}
	}
}

// load reads a checked feature map, minus zero, and calls put for each pixel with its channels. The slice is used again.
func (m *Machine) load(f *isa.FeatureMap, zero int32, put func(y, x int, pixel []int32)) {
	mem, offsets := m.Regions[f.Region], m.channels(f)
	pixel := make([]int32, f.Depth)
	for _, t := range tiles(f) {
		t.each(f, func(y, x int, at int64) {
			switch {
			case f.Bytes == 1 && f.Signed:
				for c, o := range offsets {
					pixel[c] = int32(int8(mem[at+o])) - zero
				}
			case f.Bytes == 1:
				for c, o := range offsets {
					pixel[c] = int32(mem[at+o]) - zero
				}
			case f.Bytes == 2 && f.Signed:
				for c, o := range offsets {
					pixel[c] = int32(int16(binary.LittleEndian.Uint16(mem[at+o:]))) - zero
				}
			case f.Bytes == 2:
				for c, o := range offsets {
					pixel[c] = int32(binary.LittleEndian.Uint16(mem[at+o:])) - zero
				}
			default:
				for c, o := range offsets {
					pixel[c] = int32(binary.LittleEndian.Uint32(mem[at+o:]))
				}
			}
			put(y, x, pixel)
		})
	}
}

// zeroOf is the zero point that counts: 32-bit inputs have none, whatever the register holds.
func zeroOf(f *isa.FeatureMap) int32 {
	if f.Bytes == 4 {
		return 0
	}
	return f.Zero
}

// flat reads a checked feature map into H x W x C.
func (m *Machine) flat(f *isa.FeatureMap, buf []int32) []int32 {
	buf = grow(buf, f.Height*f.Width*f.Depth)
	m.load(f, zeroOf(f), func(y, x int, pixel []int32) {
		copy(buf[(y*f.Width+x)*f.Depth:], pixel)
	})
	return buf
}

// store writes H x W x C to a checked feature map.
func (m *Machine) store(f *isa.FeatureMap, values []int32) {
	mem, offsets := m.Regions[f.Region], m.channels(f)
	for _, t := range tiles(f) {
		t.each(f, func(y, x int, at int64) {
			pixel := values[(y*f.Width+x)*f.Depth:]
			for c, o := range offsets {
				switch v := pixel[c]; f.Bytes {
				case 1:
					mem[at+o] = byte(v)
				case 2:
					binary.LittleEndian.PutUint16(mem[at+o:], uint16(v))
				default:
					binary.LittleEndian.PutUint32(mem[at+o:], uint32(v))
				}
			}
		})
	}
}

func grow(b []int32, n int) []int32 {
	if cap(b) < n {
		return make([]int32, n)
	}
	return b[:n]
}

// limits are the smallest and the largest value of a feature map's elements.
func limits(bytes int, signed bool) (lo, hi int32) {
	switch {
	case bytes == 1 && signed:
		return -128, 127
	case bytes == 1:
		return 0, 255
	case bytes == 2 && signed:
		return -1 << 15, 1<<15 - 1
	case bytes == 2:
		return 0, 1<<16 - 1
	}
	return math.MinInt32, math.MaxInt32
}
