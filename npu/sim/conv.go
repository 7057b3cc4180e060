package sim

import (
	"fmt"

	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/mlw"
)

// window reads the input of an operation with a kernel into H x W x C as the kernel walks over it: upscaled, with zeros in the padding.
func (m *Machine) window(k *isa.Kernel) (in []int32, h, w int, err error) {
	f := &k.IFM
	if err := m.check(f, "the input"); err != nil {
		return nil, 0, 0, err
	}
	h, w = (k.OFM.Height-1)*k.StrideY+k.KernelH, (k.OFM.Width-1)*k.StrideX+k.KernelW
	if h > maxElements/w/f.Depth {
		return nil, 0, 0, fmt.Errorf("a padded input of %d x %d x %d has more than %d elements", h, w, f.Depth, maxElements)
	}
	if err := m.charge(int64(h) * int64(w) * int64(f.Depth)); err != nil {
		return nil, 0, 0, err
	}
	m.in = grow(m.in, h*w*f.Depth)
	in = m.in
	clear(in)
	at := func(y, x int, pixel []int32) {
		if y < h-k.PadBottom && x < w-k.PadRight {
			copy(in[(y*w+x)*f.Depth:], pixel)
		}
	}
	m.load(f, zeroOf(f), func(y, x int, pixel []int32) {
		switch k.Upscale {
		case isa.UpscaleNone:
			at(y+k.PadTop, x+k.PadLeft, pixel)
		case isa.UpscaleZeros:
			at(2*y+k.PadTop, 2*x+k.PadLeft, pixel)
		default:
			for i := range 4 {
				at(2*y+i/2+k.PadTop, 2*x+i%2+k.PadLeft, pixel)
			}
		}
	})
	return in, h, w, nil
}

// conv is CONV and DEPTHWISE.
func (m *Machine) conv(kind isa.Kind, k *isa.Kernel) error {
	if k.GlobalScale {
		return fmt.Errorf("a convolution with one scale for all channels is not supported")
	}
	if k.IFM.Bytes > 2 {
		return fmt.Errorf("a convolution of %d-bit values", 8*k.IFM.Bytes)
	}
	if k.Upscale > isa.UpscaleZeros {
		return fmt.Errorf("upscale mode %d is not known", k.Upscale)
	}
	if kind == isa.Depthwise && k.IFM.Depth != k.OFM.Depth {
		return fmt.Errorf("a depthwise convolution from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
	}
	if err := m.check(&k.OFM, "the output"); err != nil {
		return err
	}
	in, _, width, err := m.window(k)
	if err != nil {
		return err
	}
	l, weights, err := m.unpack(kind, k)
	if err != nil {
		return err
	}
	records, err := m.records(k)
	if err != nil {
		return err
	}
	o, err := m.output(k)
	if err != nil {
		return err
	}
	if err := m.charge(product(k.OFM.Height, k.OFM.Width, k.OFM.Depth, l.KH, l.KW, l.IC)); err != nil {
		return err
	}
	m.out = grow(m.out, k.OFM.Height*k.OFM.Width*k.OFM.Depth)
	c := convolution{k: k, l: l, in: in, width: width, weights: weights, sums: make([]int64, k.OFM.Depth), out: m.out}
	for y := range k.OFM.Height {
		for x := range k.OFM.Width {
			switch {
			case kind == isa.Depthwise:
				c.depthwise(y, x)
			case k.IFM.Bytes == 2:
				c.wide(y, x)
			default:
				c.narrow(y, x)
			}
			c.scale(y, x, records, o)
		}
	}
	m.store(&k.OFM, m.out)
	return nil
}

// product multiplies without overflow: -1 stands for too much.
func product(n ...int) int64 {
	p := int64(1)
	for _, v := range n {
		if v > 0 && p > (1<<62)/int64(v) {
			return -1
		}
		p *= int64(v)
	}
	return p
}

// convolution is one being computed: sums are those of one pixel.
type convolution struct {
	k       *isa.Kernel
	l       mlw.Layout
	in      []int32
	width   int // of in
	weights []int32
	sums    []int64
	out     []int32
}

// row is the input under a row of taps, and how far apart its taps are.
func (c *convolution) row(y, x, ky int) []int32 {
	depth := c.k.IFM.Depth
	at := ((y*c.k.StrideY+ky*c.k.DilationY)*c.width + x*c.k.StrideX) * depth
	return c.in[at : at+c.k.KernelW*depth]
}

// narrow computes the sums of 8-bit inputs, four output channels at a time. 32 bits wrap around.
func (c *convolution) narrow(y, x int) {
	taps, run := c.l.KW, c.l.IC
	if c.k.DilationX == 1 {
		taps, run = 1, c.l.KW*c.l.IC
	}
	size := c.l.KH * c.l.KW * c.l.IC
	step := c.k.DilationX * c.l.IC
	oc := 0
	for ; oc+4 <= c.l.OC; oc += 4 {
		w := c.weights[oc*size : (oc+4)*size]
		var s0, s1, s2, s3 int32
		for ky := range c.l.KH {
			row := c.row(y, x, ky)
			for t := range taps {
				a := row[t*step : t*step+run]
				at := ky*c.l.KW*c.l.IC + t*run
				w0, w1, w2, w3 := w[at:at+run], w[size+at:size+at+run], w[2*size+at:2*size+at+run], w[3*size+at:3*size+at+run]
				w0, w1, w2, w3 = w0[:len(a)], w1[:len(a)], w2[:len(a)], w3[:len(a)]
				for i, v := range a {
					s0 += v * w0[i]
					s1 += v * w1[i]
					s2 += v * w2[i]
					s3 += v * w3[i]
				}
			}
		}
		c.sums[oc], c.sums[oc+1], c.sums[oc+2], c.sums[oc+3] = int64(s0), int64(s1), int64(s2), int64(s3)
	}
	for ; oc < c.l.OC; oc++ {
		var s int32
		for ky := range c.l.KH {
			row := c.row(y, x, ky)
			for t := range taps {
				w := c.weights[oc*size+ky*c.l.KW*c.l.IC+t*run:]
				for i, v := range row[t*step : t*step+run] {
					s += v * w[i]
				}
			}
		}
		c.sums[oc] = int64(s)
	}
}

// wide computes the sums of 16-bit inputs.
func (c *convolution) wide(y, x int) {
	for oc := range c.l.OC {
		var s int64
		for ky := range c.l.KH {
			row := c.row(y, x, ky)
			for kx := range c.l.KW {
				w := c.weights[((oc*c.l.KH+ky)*c.l.KW+kx)*c.l.IC:]
				for i, v := range row[kx*c.k.DilationX*c.l.IC:][:c.l.IC] {
					s += int64(v) * int64(w[i])
				}
			}
		}
		c.sums[oc] = s
	}
}

// depthwise computes the sums of a channel each.
func (c *convolution) depthwise(y, x int) {
	size, depth := c.l.KH*c.l.KW, c.k.IFM.Depth
	clear(c.sums)
	for ky := range c.l.KH {
		row := c.row(y, x, ky)
		for kx := range c.l.KW {
			w := c.weights[ky*c.l.KW+kx:]
			for ch, v := range row[kx*c.k.DilationX*depth:][:depth] {
				c.sums[ch] += int64(v) * int64(w[ch*size])
			}
		}
	}
	if c.k.IFM.Bytes == 1 {
		for ch, s := range c.sums {
			c.sums[ch] = int64(int32(s))
		}
	}
}

// scale writes a pixel.
func (c *convolution) scale(y, x int, records []mlw.Record, o *output) {
	out := c.out[(y*c.k.OFM.Width+x)*c.k.OFM.Depth:]
	for ch, s := range c.sums {
		r := &records[ch]
		out[ch] = o.apply(rescale(s+r.Bias, isa.Scale{Scale: r.Scale, Shift: r.Shift}, c.k.OFMRounding))
	}
}
