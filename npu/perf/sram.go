package perf

import "github.com/temper-ml/temper/npu/isa"

// Occupied are the bytes of a region that hold something needed while each operation runs: what it reads and writes, and what later operations, or the
// outputs, still read. inRegion picks the regions that are this memory.
func Occupied(ops []isa.Operation, size int, inRegion func(int) bool, outputs []isa.Span) []int {
	live := make([]bool, size)
	n := 0
	mark := func(to bool) func(lo, hi int64) {
		return func(lo, hi int64) {
			for at := max(lo, 0); at < min(hi, int64(size)); at++ {
				if live[at] != to {
					live[at] = to
					if n--; to {
						n += 2
					}
				}
			}
		}
	}
	for _, o := range outputs {
		mark(true)(int64(o.Base), int64(o.Base+o.Length))
	}
	during := make([]int, len(ops))
	for i := len(ops) - 1; i >= 0; i-- {
		reads, writes := touched(&ops[i], inRegion)
		for _, visit := range reads {
			visit(mark(true))
		}
		for _, visit := range writes {
			visit(mark(true))
		}
		during[i] = n
		for _, visit := range writes {
			visit(mark(false))
		}
		for _, visit := range reads { // what is read was there before, also where it is written
			visit(mark(true))
		}
	}
	return during
}

type ranges func(func(lo, hi int64))

func touched(o *isa.Operation, in func(int) bool) (reads, writes []ranges) {
	span := func(at, n uint64) ranges { return func(f func(lo, hi int64)) { f(int64(at), int64(at+n)) } }
	if d := o.DMA; d != nil {
		if !d.SrcInternal && in(d.SrcRegion) {
			reads = append(reads, span(d.Src, d.Length))
		}
		if !d.DstInternal && in(d.DstRegion) {
			writes = append(writes, span(d.Dst, d.Length))
		}
	}
	k := o.Kernel
	if k == nil {
		return reads, writes
	}
	maps := []*isa.FeatureMap{&k.IFM}
	if k.HasIFM2 {
		maps = append(maps, &k.IFM2)
	}
	for _, f := range maps {
		if in(f.Region) {
			reads = append(reads, func(visit func(lo, hi int64)) { eachRow(f, visit) })
		}
	}
	if o.Kind == isa.Conv || o.Kind == isa.Depthwise {
		for c := range k.Cores {
			if in(k.WeightRegion) {
				reads = append(reads, span(k.Weights[c].Base, k.Weights[c].Length))
			}
			if in(k.ScaleRegion) {
				reads = append(reads, span(k.Scales[c].Base, k.Scales[c].Length))
			}
		}
	}
	if in(k.OFM.Region) {
		writes = append(writes, func(visit func(lo, hi int64)) { eachRow(&k.OFM, visit) })
	}
	return reads, writes
}

// eachRow visits the bytes of a feature map, in runs as long as they are.
func eachRow(f *isa.FeatureMap, visit func(lo, hi int64)) {
	for y := range f.Height {
		for right := range 2 {
			w, h := min(f.Width0, f.Width), f.Height0
			if right == 1 {
				w, h = f.Width-f.Width0, f.Height1
			}
			if w <= 0 {
				continue
			}
			base, row := f.Base[right], y
			if y >= h {
				base, row = f.Base[right+2], y-h
			}
			at := int64(base) + int64(row)*f.StrideY
			switch pixel := int64(f.Depth * f.Bytes); {
			case f.Brick:
				for c := 0; c < f.Depth; c += brick {
					lo := at + int64(c/brick)*f.StrideC
					visit(lo, lo+int64(w)*int64(brick*f.Bytes))
				}
			case f.StrideX == pixel:
				visit(at, at+int64(w)*pixel)
			default:
				for x := range w {
					lo := at + int64(x)*f.StrideX
					visit(lo, lo+pixel)
				}
			}
		}
	}
}

// brickWaste are bytes of a feature map in bricks that hold no channel: 17 channels take the room of 32.
func brickWaste(f *isa.FeatureMap) int {
	if !f.Brick {
		return 0
	}
	return f.Height * f.Width * (roundUp(f.Depth, brick) - f.Depth) * f.Bytes
}
