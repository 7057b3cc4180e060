package compute

import (
	"math/bits"
	"unsafe"
)

// channelwise is a family of depthwise kernels that compute whole vectors of channels.
type channelwise struct {
	vector int
	line   func(*uint64)       // argument: a lineArgs
	grid   [3][3]func(*uint64) // argument: a gridArgs; by rows and columns of taps, less one
}

// lineArgs is lines of pixels, dst = the sum over taps of src*kernel. Strides are in bytes. gen/depthwise knows the order of the words.
type lineArgs struct {
	dst, src, kernel   *float32
	lines, pixels      int
	channels           int // in bytes
	srcLine, dstLine   int
	srcPixel, dstPixel int
	taps, tapsEnd      *tapOffset
	ahead              *float32 // as tileArgs.ahead: a line for each tap and block of pixels
}

// tapOffset is where a tap is, in bytes: in src from the pixel's first tap on, and in the kernel.
type tapOffset struct{ src, kernel int }

// gridArgs adds the sum over lines of pixels of dy*x to the sums of a grid of taps.
type gridArgs struct {
	sum, x, dy      *float32
	lines, pixels   int
	channels        int // in bytes
	xLine, dyLine   int
	xPixel, dyPixel int
	tapRow, tapCol  int // in x
	sumRow, sumCol  int
	ahead           *float32 // a line for each pixel and vector
}

// lineJob is the pixels of a rectangle that read the same taps. Offsets and strides are in floats.
type lineJob struct {
	dst, src           int
	lines, pixels      int
	srcLine, dstLine   int
	srcPixel, dstPixel int
	taps               []tapOffset
}

// gridJob is a rectangle of output pixels and up to 3x3 taps that all lie within the image.
type gridJob struct {
	sum, x, dy      int
	lines, pixels   int
	xLine, dyLine   int
	xPixel, dyPixel int
	rows, cols      int
	tapRow, tapCol  int
	sumRow          int
}

// segment is pixels lo to lo+n of an axis that all read the taps from to to.
type segment struct{ lo, n, from, to int }

// segments cuts an axis whose pixels read every stride-th place of size ones.
func (a axis) segments(stride, size int) []segment {
	var all []segment
	for i := range a.n {
		from, to := len(a.taps), 0
		for t := range a.taps {
			if at := a.from + i*stride + t*a.step; at >= 0 && at < size {
				from, to = min(from, t), t+1
			}
		}
		if to == 0 {
			from = 0
		}
		if last := len(all) - 1; last >= 0 && all[last].from == from && all[last].to == to {
			all[last].n++
			continue
		}
		all = append(all, segment{i, 1, from, to})
	}
	return all
}

// forwardAxis is one dimension of a convolution's output.
func forwardAxis(n, pad, kernel, dilation int) axis {
	a := axis{n: n, from: -pad, step: dilation}
	for k := range kernel {
		a.taps = append(a.taps, k)
	}
	return a
}

func (d *DepthwiseConv) plan() {
	s, c := d.s, d.s.OC
	rows, cols := forwardAxis(s.OH, s.PadTop, s.KH, s.DilationH), forwardAxis(s.OW, s.PadLeft, s.KW, s.DilationW)
	d.fwd = s.lineJobs(nil, rows, cols, [2]int{1, 1}, [2]int{s.StrideH, s.StrideW}, s.OW, s.H, s.W)
	for y := range s.StrideH {
		for x := range s.StrideW {
			rows, cols := newAxis(y, s.H, s.PadTop, s.KH, s.StrideH, s.DilationH), newAxis(x, s.W, s.PadLeft, s.KW, s.StrideW, s.DilationW)
			d.back = s.lineJobs(d.back, rows, cols, [2]int{s.StrideH, s.StrideW}, [2]int{1, 1}, s.W, s.OH, s.OW)
		}
	}
	for _, y := range rows.segments(s.StrideH, s.H) {
		for _, x := range cols.segments(s.StrideW, s.W) {
			for ky := y.from; ky < y.to; ky += 3 {
				for kx := x.from; kx < x.to; kx += 3 {
					at := (rows.from+y.lo*s.StrideH+ky*s.DilationH)*s.W + cols.from + x.lo*s.StrideW + kx*s.DilationW
					d.grad = append(d.grad, gridJob{
						sum: (ky*s.KW + kx) * c, x: at * c, dy: (y.lo*s.OW + x.lo) * c, lines: y.n, pixels: x.n,
						xLine: s.StrideH * s.W * c, dyLine: s.OW * c, xPixel: s.StrideW * c, dyPixel: c,
						rows: min(3, y.to-ky), cols: min(3, x.to-kx), tapRow: s.DilationH * s.W * c, tapCol: s.DilationW * c, sumRow: s.KW * c,
					})
				}
			}
		}
	}
}

// lineJobs appends the jobs of the pixels of two axes, which lie outStride apart in an image outW wide, and read pixels inStride apart of one of inH x inW.
func (s ConvShape) lineJobs(jobs []lineJob, rows, cols axis, outStride, inStride [2]int, outW, inH, inW int) []lineJob {
	c := s.OC
	for _, y := range rows.segments(inStride[0], inH) {
		for _, x := range cols.segments(inStride[1], inW) {
			j := lineJob{
				dst:   ((rows.first+y.lo*outStride[0])*outW + cols.first + x.lo*outStride[1]) * c,
				lines: y.n, pixels: x.n, srcLine: inStride[0] * inW * c, dstLine: outStride[0] * outW * c,
				srcPixel: inStride[1] * c, dstPixel: outStride[1] * c,
			}
			if y.to > y.from && x.to > x.from {
				j.src = ((rows.from+y.lo*inStride[0]+y.from*rows.step)*inW + cols.from + x.lo*inStride[1] + x.from*cols.step) * c
			}
			for ky := y.from; ky < y.to; ky++ {
				for kx := x.from; kx < x.to; kx++ {
					at := (ky-y.from)*rows.step*inW + (kx-x.from)*cols.step
					j.taps = append(j.taps, tapOffset{4 * at * c, 4 * (rows.taps[ky]*s.KW + cols.taps[kx]) * c})
				}
			}
			j.taps = append(j.taps, tapOffset{}) // so that the end has an address
			if j.pixels < 8 && j.lines > j.pixels {
				j.lines, j.srcLine, j.dstLine, j.pixels, j.srcPixel, j.dstPixel = j.pixels, j.srcPixel, j.dstPixel, j.lines, j.srcLine, j.dstLine
			}
			jobs = append(jobs, j)
		}
	}
	return jobs
}

// lines runs jobs over one image.
func (d *DepthwiseConv) lines(m *Scratch, jobs []lineJob, dst, src, kernel []float32) {
	a := &m.line
	for i := range jobs {
		j := &jobs[i]
		d.t.channels(d.s.OC, func(k *channelwise, c, n int) {
			*a = lineArgs{
				&dst[j.dst+c], &src[j.src+c], &kernel[c], j.lines, j.pixels, 4 * n, 4 * j.srcLine, 4 * j.dstLine, 4 * j.srcPixel, 4 * j.dstPixel,
				&j.taps[0], &j.taps[len(j.taps)-1], &kernel[c],
			}
			if len(m.ahead[0]) > 0 {
				a.ahead = m.fetchAhead(j.lines * (n / k.vector) * (j.pixels/8 + bits.OnesCount(uint(j.pixels%8))) * (len(j.taps) - 1))
			}
			k.line((*uint64)(unsafe.Pointer(a)))
		})
	}
}

// grids adds one image to the sums.
func (d *DepthwiseConv) grids(m *Scratch, sum, x, dy []float32) {
	a := &m.grid
	for i := range d.grad {
		j := &d.grad[i]
		d.t.channels(d.s.OC, func(k *channelwise, c, n int) {
			*a = gridArgs{
				&sum[j.sum+c], &x[j.x+c], &dy[j.dy+c], j.lines, j.pixels, 4 * n, 4 * j.xLine, 4 * j.dyLine, 4 * j.xPixel, 4 * j.dyPixel,
				4 * j.tapRow, 4 * j.tapCol, 4 * j.sumRow, 4 * d.s.OC, &sum[j.sum+c],
			}
			if len(m.ahead[0]) > 0 {
				a.ahead = m.fetchAhead(j.lines * (n / k.vector) * j.pixels)
			}
			k.grid[j.rows-1][j.cols-1]((*uint64)(unsafe.Pointer(a)))
		})
	}
}

// channels cuts channels among the kernels, as many as are whole vectors to the widest.
func (t *tile) channels(channels int, f func(k *channelwise, c, n int)) {
	c := 0
	for _, k := range t.depthwise {
		if n := (channels - c) / k.vector * k.vector; n > 0 {
			f(k, c, n)
			c += n
		}
	}
}

var channelwisePortable = channelwise{1, linePortable, [3][3]func(*uint64){
	{gridOf(1, 1), gridOf(1, 2), gridOf(1, 3)}, {gridOf(2, 1), gridOf(2, 2), gridOf(2, 3)}, {gridOf(3, 1), gridOf(3, 2), gridOf(3, 3)},
}}

// floats is n floats at an offset in bytes.
func floats(p *float32, offset, n int) []float32 { return unsafe.Slice(at(p, offset), n) }

func linePortable(words *uint64) {
	a := (*lineArgs)(unsafe.Pointer(words))
	taps := unsafe.Slice(a.taps, (uintptr(unsafe.Pointer(a.tapsEnd))-uintptr(unsafe.Pointer(a.taps)))/unsafe.Sizeof(*a.taps))
	n := a.channels / 4
	for l := range a.lines {
		for p := range a.pixels {
			y := floats(a.dst, l*a.dstLine+p*a.dstPixel, n)
			clear(y)
			for _, t := range taps {
				x, w := floats(a.src, l*a.srcLine+p*a.srcPixel+t.src, n), floats(a.kernel, t.kernel, n)
				for i := range y {
					y[i] += float32(x[i] * w[i])
				}
			}
		}
	}
}

func gridOf(rows, cols int) func(*uint64) {
	return func(words *uint64) {
		a := (*gridArgs)(unsafe.Pointer(words))
		n := a.channels / 4
		for l := range a.lines {
			for p := range a.pixels {
				dy := floats(a.dy, l*a.dyLine+p*a.dyPixel, n)
				for r := range rows {
					for c := range cols {
						x, sum := floats(a.x, l*a.xLine+p*a.xPixel+r*a.tapRow+c*a.tapCol, n), floats(a.sum, r*a.sumRow+c*a.sumCol, n)
						for i := range sum {
							sum[i] += float32(dy[i] * x[i])
						}
					}
				}
			}
		}
	}
}
