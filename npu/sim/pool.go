package sim

import (
	"fmt"
	"math"

	"github.com/temper-ml/temper/npu/isa"
)

// pool is POOL: the largest element of a window, its average, or the sum over the channels.
func (m *Machine) pool(k *isa.Kernel) error {
	if k.Mode > isa.PoolSum {
		return fmt.Errorf("pooling mode %d is not known", k.Mode)
	}
	if k.DilationX != 1 || k.DilationY != 1 || k.Upscale > isa.UpscaleZeros {
		return fmt.Errorf("pooling with dilation %d x %d or upscale mode %d", k.DilationY, k.DilationX, k.Upscale)
	}
	if want := k.IFM.Depth; k.Mode == isa.PoolSum && k.OFM.Depth != 1 || k.Mode != isa.PoolSum && k.OFM.Depth != want {
		return fmt.Errorf("pooling from %d to %d channels", k.IFM.Depth, k.OFM.Depth)
	}
	if err := m.check(&k.OFM, "the output"); err != nil {
		return err
	}
	in, h, w, err := m.window(k)
	if err != nil {
		return err
	}
	o, err := m.output(k)
	if err != nil {
		return err
	}
	if err := m.charge(product(k.OFM.Height, k.OFM.Width, k.IFM.Depth, k.KernelH, k.KernelW)); err != nil {
		return err
	}
	m.out = grow(m.out, k.OFM.Height*k.OFM.Width*k.OFM.Depth)
	p := pooling{k: k, in: in, width: w, top: k.PadTop, left: k.PadLeft, bottom: h - k.PadBottom, right: w - k.PadRight, acc: make([]int64, k.IFM.Depth)}
	// The hardware divides by the number of elements itself where the window has padding, and where no scale is given for all channels.
	divide := k.Mode == isa.PoolAverage && (k.PadTop+k.PadLeft+k.PadBottom+k.PadRight > 0 || !k.GlobalScale)
	for y := range k.OFM.Height {
		for x := range k.OFM.Width {
			n := p.pixel(y, x)
			out := m.out[(y*k.OFM.Width+x)*k.OFM.Depth:][:k.OFM.Depth]
			for c := range out {
				if divide {
					out[c] = o.apply(average(p.acc[c], n))
				} else {
					out[c] = o.apply(rescale(p.acc[c], k.OFMScale, k.OFMRounding))
				}
			}
		}
	}
	m.store(&k.OFM, m.out)
	return nil
}

// average rounds to nearest, halves away from zero.
func average(sum int64, n int) int64 {
	if n == 0 {
		return 0
	}
	if sum < 0 {
		return -((-sum + int64(n)/2) / int64(n))
	}
	return (sum + int64(n)/2) / int64(n)
}

type pooling struct {
	k                        *isa.Kernel
	in                       []int32
	width                    int
	top, left, bottom, right int // where the input begins and ends in the padded one
	acc                      []int64
}

// pixel computes the results of a window, and how many elements of the input it has.
func (p *pooling) pixel(y, x int) int {
	k, depth := p.k, p.k.IFM.Depth
	first := int64(0)
	if k.Mode == isa.PoolMax {
		first = math.MinInt64
	}
	for c := range p.acc {
		p.acc[c] = first
	}
	y0, x0 := y*k.StrideY, x*k.StrideX
	ya, yb, xa, xb := max(y0, p.top), min(y0+k.KernelH, p.bottom), max(x0, p.left), min(x0+k.KernelW, p.right)
	for iy := ya; iy < yb; iy++ {
		for ix := xa; ix < xb; ix++ {
			at := p.in[(iy*p.width+ix)*depth:][:depth]
			switch k.Mode {
			case isa.PoolMax:
				for c, v := range at {
					p.acc[c] = max(p.acc[c], int64(v))
				}
			case isa.PoolAverage:
				for c, v := range at {
					p.acc[c] += int64(v)
				}
			default:
				for _, v := range at {
					p.acc[0] += int64(v)
				}
			}
		}
	}
	if yb <= ya || xb <= xa {
		clear(p.acc) // a window of padding only
		return 0
	}
	return (yb - ya) * (xb - xa)
}
