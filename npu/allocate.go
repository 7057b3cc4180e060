package npu

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/temper-ml/temper/npu/isa"
)

// buffersOf lists the memory that steps need, in order of first use. Values that an element-wise step may write over one of its inputs share that input's.
func (l *lowering) buffersOf() []*buffer {
	fixed := map[*buffer]bool{}
	for t, v := range l.values {
		if l.crosses(t) {
			fixed[v.buffer] = true
		}
	}
	for i := range l.steps {
		l.inPlace(i, fixed)
	}
	var list []*buffer
	seen := map[*buffer]bool{}
	add := func(b *buffer) {
		if b = b.place(); b.data == nil && b.used && !seen[b] {
			seen[b] = true
			list = append(list, b)
		}
	}
	for i := range l.steps {
		for _, v := range l.steps[i].maps() {
			add(v.buffer)
		}
		for _, b := range l.steps[i].touched {
			add(b)
		}
	}
	for _, t := range append(slices.Clone(l.g.Inputs), l.g.Outputs...) {
		if v, ok := l.values[t]; ok {
			add(v.buffer)
		}
	}
	return list
}

// inPlace lets the output of an element-wise step lie where an input lies that nothing reads afterwards.
func (l *lowering) inPlace(i int, fixed map[*buffer]bool) {
	s := &l.steps[i]
	if s.cpu || s.kind != isa.Elementwise || s.ofm.shared != nil || fixed[s.ofm.buffer] || s.ofm.start != i {
		return
	}
	out := s.ofm
	for n, in := range []view{s.ifm, s.ifm2} {
		if n == 1 && !s.k.HasIFM2 || in.data != nil || fixed[in.place()] || in.place().end != i || in.place() == out.place() {
			continue
		}
		whole := in.h == out.h && in.w == out.w && in.c == out.c && in.bytes == out.bytes && in.linear == out.linear && in.off == 0 && out.off == 0 && in.sy == out.sy &&
			in.sx == out.sx && in.size() == out.size() && in.place().size() == out.size()
		if whole {
			into := in.place()
			into.end = max(into.end, out.end)
			out.shared = into
			return
		}
	}
}

// allocate gives buffers their offsets, multiples of 16, so that those alive at the same time do not overlap, and returns the size of the memory. It tries
// orders of placement, the largest first and changes of that order, until one reaches what is alive at once.
func allocate(list []*buffer) int {
	if len(list) == 0 {
		return 0
	}
	order := slices.Clone(list)
	slices.SortStableFunc(order, func(a, b *buffer) int {
		return cmp.Or(cmp.Compare(b.size(), a.size()), cmp.Compare(a.start, b.start))
	})
	bound := lowerBound(list)
	best := place(order)
	random := rand.New(rand.NewPCG(1, 2))
	for range min(4000, 40*len(order)) {
		if best <= bound || len(order) < 2 {
			break
		}
		i, j := random.IntN(len(order)), random.IntN(len(order))
		order[i], order[j] = order[j], order[i]
		if size := place(order); size <= best {
			best = size
		} else {
			order[i], order[j] = order[j], order[i]
		}
	}
	return place(order)
}

// lowerBound is what is alive at once.
func lowerBound(list []*buffer) int {
	most := 0
	for _, a := range list {
		sum := 0
		for _, b := range list {
			if b.start <= a.start && a.start <= b.end {
				sum += roundUp(b.size(), 16)
			}
		}
		most = max(most, sum)
	}
	return most
}

// place puts each buffer at the lowest offset that is free during its life.
func place(order []*buffer) int {
	total := 0
	var placed, alive []*buffer // placed by offset
	for _, b := range order {
		alive = alive[:0]
		for _, o := range placed {
			if o.start <= b.end && b.start <= o.end {
				alive = append(alive, o)
			}
		}
		size, at := roundUp(b.size(), 16), 0
		for _, o := range alive {
			if at+size <= o.offset {
				break
			}
			at = max(at, o.offset+roundUp(o.size(), 16))
		}
		b.offset = at
		i, _ := slices.BinarySearchFunc(placed, b, func(x, y *buffer) int { return cmp.Compare(x.offset, y.offset) })
		placed = slices.Insert(placed, i, b)
		total = max(total, at+size)
	}
	return total
}
