package sim

import (
	"fmt"

	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/mlw"
)

// maxCached bounds the weights that a machine keeps decoded.
const maxCached = 1 << 26

// cache keeps decoded weights by the bytes of their streams, so that a program that runs again, or a stripe that reads the same weights, decodes nothing.
type cache struct {
	decoded map[cacheKey][]int32
	size    int
}

type cacheKey struct {
	layout mlw.Layout
	a, b   string
}

// layout is how an operation's weights lie in their streams.
func (m *Machine) layout(kind isa.Kind, k *isa.Kernel) (mlw.Layout, error) {
	if (k.KernelH-1)%k.DilationY != 0 || (k.KernelW-1)%k.DilationX != 0 {
		return mlw.Layout{}, fmt.Errorf("a kernel of %d x %d does not fit dilation %d x %d", k.KernelH, k.KernelW, k.DilationY, k.DilationX)
	}
	l := mlw.Layout{OC: k.OFM.Depth, KH: (k.KernelH-1)/k.DilationY + 1, KW: (k.KernelW-1)/k.DilationX + 1, IC: k.IFM.Depth, PartKernel: k.PartKernel,
		IFMBits: 8 * k.IFM.Bytes, BlockDepth: k.BlockD, MicroDepth: m.Target.OFMBlock.D, IFMDepth: m.Target.IFMDepth,
		DilationY: k.DilationY, DilationX: k.DilationX, Cores: k.Cores}
	if k.Decompose4x4 {
		l.SubKernelH, l.SubKernelW = 4, 4
	}
	if kind == isa.Depthwise {
		l.Depthwise, l.PartKernel, l.IC = true, false, 1
	}
	return l, nil
}

// unpack gives the weights of an operation as OC x KH x KW x IC.
func (m *Machine) unpack(kind isa.Kind, k *isa.Kernel) (mlw.Layout, []int32, error) {
	l, err := m.layout(kind, k)
	if err != nil {
		return l, nil, err
	}
	var streams [2][]byte
	for c := range k.Cores {
		if streams[c], err = m.memory(k.WeightRegion, k.Weights[c].Base, k.Weights[c].Length, "the weight stream"); err != nil {
			return l, nil, err
		}
	}
	if w := m.weights.decoded[cacheKey{l, string(streams[0]), string(streams[1])}]; w != nil {
		return l, w, nil
	}
	total := float64(l.OC) * float64(l.KH) * float64(l.KW) * float64(l.IC)
	if total > maxElements {
		return l, nil, fmt.Errorf("weights of %d x %d x %d x %d are more than %d", l.OC, l.KH, l.KW, l.IC, maxElements)
	}
	if err := m.charge(int64(total)); err != nil {
		return l, nil, err
	}
	w := make([]int32, int(total))
	for c := range k.Cores {
		if err := m.unpackCore(l, c, streams[c], w); err != nil {
			return l, nil, err
		}
	}
	if m.weights.size += len(w); m.weights.decoded == nil || m.weights.size > maxCached {
		m.weights = cache{decoded: map[cacheKey][]int32{}, size: len(w)}
	}
	m.weights.decoded[cacheKey{l, string(streams[0]), string(streams[1])}] = w
	return l, w, nil
}

func (m *Machine) unpackCore(l mlw.Layout, core int, stream []byte, w []int32) error {
	if l.Core = core; core >= l.OC {
		return nil // fewer channels than cores
	}
	n, err := l.Count()
	if err != nil {
		return err
	}
	if err := m.charge(int64(n)); err != nil {
		return err
	}
	values, err := mlw.Decode(stream, n)
	if err != nil {
		return err
	}
	if len(values) != n {
		return fmt.Errorf("the weight stream of core %d has %d weights, the operation takes %d", core, len(values), n)
	}
	i := 0
	return l.Each(func(at int) {
		if at >= 0 {
			w[at] = int32(values[i])
		}
		i++
	})
}

// records are bias and scale of each output channel.
func (m *Machine) records(k *isa.Kernel) ([]mlw.Record, error) {
	all := make([]mlw.Record, k.OFM.Depth)
	for c := range k.Cores {
		b, err := m.memory(k.ScaleRegion, k.Scales[c].Base, k.Scales[c].Length, "biases and scales")
		if err != nil {
			return nil, err
		}
		list, err := mlw.ReadRecords(b, (k.OFM.Depth+k.Cores-1-c)/k.Cores)
		if err != nil {
			return nil, err
		}
		for i, r := range list {
			all[i*k.Cores+c] = r
		}
	}
	return all, nil
}
