package mlw

import "fmt"

// Layout is the shape of an operation's weights and how the hardware takes them: in blocks of output channels, in sub-kernels of at most 8x8 taps, in
// micro-blocks. Where a block or micro-block reaches beyond the weights, zeros are sent.
type Layout struct {
	OC, KH, KW, IC         int // output channels of all cores; taps without the gaps of dilation; input channels, 1 for depthwise
	Depthwise              bool
	PartKernel             bool // the taps of few input channels first, instead of the input channels of a tap
	IFMBits                int  // 8 or 16
	BlockDepth             int  // output channels of a block
	MicroDepth, IFMDepth   int  // depths of the micro-blocks
	DilationY, DilationX   int
	SubKernelH, SubKernelW int // 8, or 4; 0 is 8
	Cores, Core            int // core c takes the output channels c, c+Cores...
}

// maxWeights bounds the weights of a stream.
const maxWeights = 1 << 28

// part is the layout with the numbers that follow from it.
type part struct {
	Layout
	depth    int // output channels of this core
	block    int // of a block
	ifmBlock int
	round    int // taps of a sub-kernel are a multiple
	subH     int
	subW     int
}

func (l Layout) part() (part, error) {
	p := part{Layout: l, ifmBlock: 32, round: 1}
	if l.OC < 1 || l.KH < 1 || l.KW < 1 || l.IC < 1 || l.BlockDepth < 1 || l.MicroDepth < 1 ||
		l.IFMDepth < 1 || l.DilationY < 1 || l.DilationX < 1 || l.Core < 0 || l.Core >= l.Cores {
		return p, fmt.Errorf("weights of %d x %d x %d x %d in blocks of %d channels, core %d of %d", l.OC, l.KH, l.KW, l.IC, l.BlockDepth, l.Core, l.Cores)
	}
	p.depth = (l.OC + l.Cores - 1 - l.Core) / l.Cores
	if p.block = (l.BlockDepth + l.Cores - 1 - l.Core) / l.Cores; p.block < 1 {
		return p, fmt.Errorf("a block of %d channels for %d cores", l.BlockDepth, l.Cores)
	}
	if l.PartKernel || l.IFMBits == 16 {
		p.ifmBlock = 16
	}
	switch {
	case l.Depthwise:
		p.round = 4
	case l.PartKernel && l.IFMBits == 16:
		p.round = 2
	case l.PartKernel:
		p.round = 4
	}
	p.subH, p.subW = 8, 8
	if l.SubKernelH > 0 {
		p.subH, p.subW = l.SubKernelH, l.SubKernelW
	}
	p.subH, p.subW = p.subH/l.DilationY, p.subW/l.DilationX
	if p.subH < 1 || p.subW < 1 {
		return p, fmt.Errorf("dilation %d x %d", l.DilationY, l.DilationX)
	}
	return p, nil
}

// pieces lists the parts of n in steps: how many whole ones, and the rest.
func pieces(n, step int) (whole, rest int) { return n / step, n % step }

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// Count is the number of weights in the stream of a core, with the zeros that fill up; an error if there are more than 2^28.
func (l Layout) Count() (int, error) {
	p, err := l.part()
	if err != nil {
		return 0, err
	}
	blocks, last := pieces(p.depth, p.block)
	oc := blocks*roundUp(p.block, p.MicroDepth) + roundUp(last, p.MicroDepth)
	ic := 1
	if !p.Depthwise {
		ic = roundUp(p.IC, p.ifmBlock)
		if p.PartKernel {
			whole, rest := pieces(p.IC, p.ifmBlock)
			ic = whole*roundUp(p.ifmBlock, p.IFMDepth) + roundUp(rest, p.IFMDepth)
		}
	}
	rows, lastRow := pieces(p.KH, p.subH)
	cols, lastCol := pieces(p.KW, p.subW)
	taps := rows*cols*roundUp(p.subH*p.subW, p.round) +
		rows*roundUp(p.subH*lastCol, p.round) + cols*roundUp(lastRow*p.subW, p.round) + roundUp(lastRow*lastCol, p.round)
	if oc > maxWeights || ic > maxWeights || taps > maxWeights || float64(oc)*float64(ic)*float64(taps) > maxWeights {
		return 0, fmt.Errorf("weights of %d x %d x %d x %d are more than 2^28", l.OC, l.KH, l.KW, l.IC)
	}
	return oc * ic * taps, nil
}

// Each calls f for each weight of the core's stream in order, with its index in OC x KH x KW x IC (1 x KH x KW x OC is the order of depthwise files; here the
// output channel is always first), or -1 for a zero that fills up.
func (l Layout) Each(f func(index int)) error {
	p, err := l.part()
	if err != nil {
		return err
	}
	for block := 0; block < p.depth; block += p.block {
		depth := min(p.block, p.depth-block)
		if p.Depthwise {
			p.subKernels(block, depth, 0, p.IFMDepth, f)
			continue
		}
		for in := 0; in < p.IC; in += p.ifmBlock {
			n := p.ifmBlock
			if p.PartKernel {
				n = min(n, p.IC-in)
			}
			p.subKernels(block, depth, in, n, f)
		}
	}
	return nil
}

// subKernels emits a block of output channels and a block of n input channels.
func (p *part) subKernels(block, depth, in, n int, f func(int)) {
	for y := 0; y < p.KH; y += p.subH {
		h := min(p.subH, p.KH-y)
		for x := 0; x < p.KW; x += p.subW {
			w := min(p.subW, p.KW-x)
			if !p.PartKernel {
				p.micro(block, depth, in, n, y, x, h, w, f)
				continue
			}
			for outer := 0; outer < n; outer += p.IFMDepth {
				p.micro(block, depth, in+outer, 1, y, x, h, w, f)
			}
		}
	}
}

// micro emits the taps h x w at (y, x) for all output channels of a block, in micro-blocks, and n input channels.
func (p *part) micro(block, depth, in, n, y, x, h, w int, f func(int)) {
	taps := roundUp(h*w, p.round)
	inner := p.IFMDepth
	if p.Depthwise {
		inner = 1
	}
	for ou := 0; ou < depth; ou += p.MicroDepth {
		for tap := range taps {
			ky, kx := y+tap/w, x+tap%w
			for i := 0; i < n; i += p.IFMDepth {
				for o := range p.MicroDepth {
					oc := block + ou + o
					for c := range inner {
						ic := in + i + c
						if oc >= p.depth || ic >= p.IC || tap >= h*w {
							f(-1)
							continue
						}
						f(((oc*p.Cores+p.Core)*p.KH+ky)*p.KW*p.IC + kx*p.IC + ic)
					}
				}
			}
		}
	}
}
