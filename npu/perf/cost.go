package perf

import (
	"math"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Cost is an estimate for one operation, in cycles.
type Cost struct {
	MACs   int64    // multiplications that the operator needs
	NPU    int64    // arithmetic, output and commands
	Memory [2]int64 // transfers behind AXI0, AXI1
	Blocks float64  // output blocks; parts of a block at the borders count as parts
	Stages Stages
	Bytes  Bytes
}

// Stages are the cycles of a block in the parts of the pipeline. The slower of MAC and Output, or Command where that is more, counts for each block.
type Stages struct {
	MAC       float64 // multipliers
	Output    float64 // scaling, activation, writing; or reading scales
	Command   float64 // a quarter of MAC, Output and the difference of input and output: the least time between two commands for blocks
	IFM, OFM  int64   // transfer of a block, which shows at the begin and the end of an operation
	PerOutput float64 // cycles of an element in the output stage
}

// Bytes are what an operation moves, with what bursts waste.
type Bytes struct {
	IFM, IFM2, OFM, Weights, Scales int64
	Refetch                         int64 // times that weights and scales are read
}

// Total is the bound that holds: arithmetic, or one of the memories.
func (c *Cost) Total() int64 { return max(c.NPU, c.Memory[0], c.Memory[1]) }

// outputCycles are cycles of an element in the output stage: 32-bit unary and binary, products to 32 bits, products (and sums of 40 bits), simple and general
// additions, largest values, everything else; activationCycles those of a table, a clamp, none. Arm's figures.
type rates struct {
	output     [8]float64
	activation [3]float64
}

func ratesOf(t arch.Target) rates {
	switch t.MACs {
	case 32:
		return rates{[8]float64{2, 3, 3, 3, 4, 6, 1, 2}, [3]float64{1, 1, 0}}
	case 64:
		return rates{[8]float64{1, 1.5, 1.5, 1.5, 2, 3, .5, 1}, [3]float64{1, 1, 0}}
	case 128:
		return rates{[8]float64{.75, 1.25, .75, .75, 1, 1.5, .25, .5}, [3]float64{1, .5, 0}}
	case 512:
		return rates{[8]float64{.3125, .5625, .25, .1875, .25, .375, .0625, .125}, [3]float64{.5, .125, 0}}
	}
	return rates{[8]float64{.625, 1.125, .5, .375, .5, .75, .125, .25}, [3]float64{1, .25, 0}}
}

// query is an operation with what the model needs of it.
type query struct {
	m            *Machine
	o            *isa.Operation
	k            *isa.Kernel
	ifm, ofm     arch.Shape // blocks, no larger than the feature maps
	ifm0, ofm0   arch.Shape // blocks as configured
	elements     int        // of the kernel
	kernelH      int        // without the gaps of dilation
	kernelW      int
	weights      int64 // bytes, encoded
	scales       int64 // bytes
	first, last  bool  // of the pieces of an operator
	table, clamp bool
}

func newQuery(m *Machine, o *isa.Operation, c *Config) *query {
	k := o.Kernel
	q := &query{m: m, o: o, k: k, ifm0: c.IFM, ofm0: c.Block, kernelH: (k.KernelH-1)/k.DilationY + 1, kernelW: (k.KernelW-1)/k.DilationX + 1, first: true, last: true}
	q.ifm = clip(c.IFM, &k.IFM)
	q.ofm = clip(c.Block, &k.OFM)
	q.elements = q.kernelH * q.kernelW
	q.table = k.Activation >= isa.Table0
	if o.Kind == isa.Conv || o.Kind == isa.Depthwise {
		q.weights = int64(k.Weights[0].Length + k.Weights[1].Length)
		q.scales = int64(k.Scales[0].Length + k.Scales[1].Length)
		if q.weights == 0 { // not encoded yet
			q.scales = int64(roundUp(10*k.OFM.Depth, 16))
			q.weights = int64(roundUp(q.elements*k.OFM.Depth, 16))
			if o.Kind == isa.Conv {
				q.weights *= int64(k.IFM.Depth)
			}
		}
	}
	lo, hi := int32(math.MinInt32), int32(math.MaxInt32)
	if bits := 8 * k.OFM.Bytes; bits < 32 {
		if lo, hi = 0, 1<<bits-1; k.OFM.Signed {
			lo, hi = -1<<(bits-1), 1<<(bits-1)-1
		}
	}
	q.clamp = k.OFM.Bytes < 4 && (k.Min > lo || k.Max < hi)
	return q
}

func clip(b arch.Shape, f *isa.FeatureMap) arch.Shape {
	return arch.Shape{H: min(b.H, f.Height), W: min(b.W, f.Width), D: min(b.D, f.Depth)}
}

func volume(s arch.Shape) int64 { return int64(s.H) * int64(s.W) * int64(s.D) }

// cost applies the formulas.
func (q *query) cost() Cost {
	var c Cost
	q.arithmetic(&c)
	q.traffic(&c)
	return c
}

// arithmetic estimates the NPU's cycles.
func (q *query) arithmetic(c *Cost) {
	s := &c.Stages
	s.PerOutput = q.perOutput()
	s.IFM = q.blockTransfer(&q.k.IFM, q.ifm0, true)
	if q.k.HasIFM2 {
		s.IFM = max(s.IFM, q.blockTransfer(&q.k.IFM2, q.ifm0, true))
	}
	s.OFM = q.blockTransfer(&q.k.OFM, q.ofm0, false)
	if q.o.Kind == isa.Elementwise {
		q.elementwise(c)
		return
	}
	micro := q.microBlock()
	one := arch.Shape{H: divUp(q.ofm.H, micro.H), W: divUp(q.ofm.W, micro.W), D: divUp(q.ofm.D, micro.D)}
	out := &q.k.OFM
	all := arch.Shape{H: divUp(out.Height, micro.H), W: divUp(out.Width, micro.W), D: divUp(out.Depth, micro.D)}
	c.Blocks = float64(volume(all)) / float64(volume(one))
	s.Output = math.Ceil(s.PerOutput * float64(volume(q.ofm)))
	if q.scales > 0 {
		s.Output = max(s.Output, float64(10*q.ofm.D*q.m.System.Port[q.m.Area(q.k.ScaleRegion)].ReadLatency)/256)
	}
	s.MAC = float64(q.macBlock(one, micro))
	between := int64(0)
	if c.Blocks > 1 {
		between = max(s.OFM-s.IFM, s.IFM-s.OFM)
	}
	s.Command = (float64(between) + s.MAC + s.Output) / 4
	mac, output := max(s.MAC, s.Command), max(s.Output, s.Command)
	if mac > output {
		c.NPU = int64(mac * c.Blocks)
		if q.last {
			c.NPU += int64(output)
		}
	} else {
		c.NPU = int64(output*c.Blocks + mac)
	}
	if q.last {
		c.NPU += s.OFM
	}
	if q.first {
		c.NPU += s.IFM
	}
	c.MACs = int64(q.elements) * int64(out.Height) * int64(out.Width) * int64(out.Depth)
	if reduces(q.o) {
		c.MACs *= int64(q.k.IFM.Depth)
	}
}

// elementwise has no multipliers in front: the output stage, or commands.
func (q *query) elementwise(c *Cost) {
	s, f := &c.Stages, &q.k.OFM
	elements := float64(stored(f, f))
	block := float64(volume(q.ofm0))
	s.Output = s.PerOutput * block
	s.Command = (float64(max(s.IFM, s.OFM)) + s.Output) / 4
	c.Blocks = elements / block
	c.NPU = int64(max(math.Ceil(s.PerOutput*elements), math.Ceil((float64(max(s.IFM, s.OFM))/block+s.PerOutput)/4*elements)))
}

// microBlock: targets with two rows a cycle turn them into one of four for convolutions of one row.
func (q *query) microBlock() arch.Shape {
	u := q.m.Target.OFMBlock
	if u.H == 2 && q.o.Kind == isa.Conv && q.k.OFM.Height == 1 && q.k.OFM.Width%2 == 0 && q.kernelH == 1 {
		return arch.Shape{H: 1, W: 4, D: u.D}
	}
	return u
}

// macBlock is the multipliers' time for a block of so many micro-blocks: per sub-kernel, steps of the weight order, and what the pipeline waits for where a step is
// a single micro-block.
func (q *query) macBlock(n, micro arch.Shape) int64 {
	area := n.H * n.W
	weights := max(32*micro.D/8, 4*area) // cycles of a step: decoding weights, or applying them
	format := q.k.AccFormat
	total := 0
	for y := 0; y < q.kernelH; y += subKernel {
		for x := 0; x < q.kernelW; x += subKernel {
			elements := min(q.kernelH-y, subKernel) * min(q.kernelW-x, subKernel)
			steps, cycles, repeat := elements, 0, 1
			switch {
			case q.o.Kind == isa.Pool && q.k.Mode != isa.PoolSum:
				steps, cycles = 1, max(4, elements)*area*n.D
				if q.m.Target.MACs != 32 {
					cycles *= 4 * q.k.IFM.Bytes
				}
			case q.o.Kind == isa.Depthwise:
				steps = divUp(elements, 4)
				cycles = max(32*micro.D/8, 4*area*q.k.IFM.Bytes) * steps * n.D
			case q.o.Kind == isa.Conv && q.k.PartKernel:
				if steps = divUp(elements, 4); q.k.IFM.Bytes == 2 {
					steps = divUp(elements, 2)
				}
				repeat = divUp(q.ifm.D, 8)
				cycles = weights * steps * n.D * repeat
			default:
				cycles = weights * steps * n.D
			}
			total += cycles + q.delay(n, steps, format == isa.AccInt40)*repeat
		}
	}
	if reduces(q.o) {
		total *= divUp(q.k.IFM.Depth, q.ifm.D)
	}
	return int64(total / q.m.Target.Cores)
}

// delay is the time that the pipeline waits for its own results.
func (q *query) delay(n arch.Shape, steps int, wide bool) int {
	wait := 2
	switch {
	case q.m.Target.MACs == 32 && wide:
		wait = 7
	case q.m.Target.MACs == 32 || wide && q.m.Target.MACs <= 128:
		wait = 3
	}
	d := 0
	if n.H*n.W == 1 {
		if n.D == 1 {
			d = wait * steps
		} else if steps > 1 {
			d = wait * (steps - 1) * n.D
		}
	}
	if q.m.Target.MACs == 32 && wide && (n.H == 1 || n.W == 1) && n.D > 1 {
		d += wait * n.D
	}
	return d
}

// perOutput is the class of the operation in the output stage.
func (q *query) perOutput() float64 {
	k, r, class := q.k, ratesOf(q.m.Target), 7
	ew := q.o.Kind == isa.Elementwise
	switch {
	case ew && k.IFM.Bytes == 4 && isa.Unary(k.Mode):
		class = 0
	case ew && k.IFM.Bytes == 4:
		class = 1
	case ew && k.Mode == isa.Mul && k.OFM.Bytes == 4:
		class = 2
	case ew && k.Mode == isa.Mul, !ew && k.AccFormat == isa.AccInt40:
		class = 3
	case ew && (k.Mode == isa.Add || k.Mode == isa.Sub):
		class = 5
	case q.o.Kind == isa.Pool && k.Mode == isa.PoolMax:
		class = 6
	}
	activation := 2
	if q.table || k.Activation == isa.Tanh || k.Activation == isa.Sigmoid {
		activation = 0
	} else if q.clamp {
		activation = 1
	}
	return max(r.output[class], r.activation[activation])
}
