package graph

import (
	"cmp"
	"runtime/debug"
	"slices"
	"unsafe"

	"gorgonia.org/tensor"
)

// A session's values, gradients, and what kernels keep for their backward pass lie in one block of memory, in which two share a place where their
// lifetimes do not overlap: a gradient lives from the op that makes it to the last that reads it, a value to its last reader, forward or backward.
// The lifetimes are those of the tape: the first run of a program computes nothing and writes down in which order the machine calls the ops.
//
// What somebody may ask for after a run has its place to itself until the next run: the inputs, the outputs, the prediction that the loss is computed
// from (in inference: what a loss would be computed from), the gradients of the Vars, and the values named by the option Readable. In an
// Unfused session these are all values.

// buffer is the memory of a value or a gradient in a program, or what a kernel keeps.
type buffer struct {
	shape Shape
	n     int           // floats
	x     []float32     // once the program is laid out
	t     *tensor.Dense // over x
	bind  func([]float32)

	first, last int  // ops of the tape that use it; first is -1 where none does
	kept        bool // to be read after the run
	at          int  // its place: the offset
}

func newBuffer(s Shape) *buffer { return &buffer{shape: s, n: s.Volume(), first: -1} }

// place gives the buffer its memory.
func (b *buffer) place(x []float32) {
	b.x = x[:b.n:b.n]
	if b.bind != nil {
		b.bind(b.x)
		return
	}
	b.t = bind(b.x, b.shape)
}

// bind makes a tensor over x.
func bind(x []float32, s Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(ranked(s)...), tensor.WithBacking(x))
}

// keeper collects what a kernel keeps from Forward to Backward. Its memory is lent to others outside of that time, so the contents do not outlive it.
type keeper struct{ buffers []*buffer }

// keep asks for memory of n values: *x is set before the first Forward. Without a keeper it is made at once.
func keep[T float32 | float64 | int32 | uint8](k *keeper, x *[]T, n int) {
	if k == nil {
		*x = make([]T, n)
		return
	}
	floats := (n*int(unsafe.Sizeof(*new(T))) + 3) / 4
	k.buffers = append(k.buffers, &buffer{n: floats, first: -1, bind: func(m []float32) {
		*x = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(m))), n)
	}})
}

// frugal is a Kernel whose Backward leaves some of Forward's arguments alone: their memory may be used again before it.
type frugal interface {
	// backwardReads tells whether Backward reads input i, or for output the output y.
	backwardReads(i int) bool
}

const output = -1

func backwardReads(k Kernel, i int) bool {
	f, ok := k.(frugal)
	return !ok || f.backwardReads(i)
}

// tape is the order in which the machine calls the ops of a program.
type tape struct {
	recording bool
	blank     *tensor.Dense // the value of every op in the first run
	ops       []tapeOp
	buffers   []*buffer
}

// use is called by op number i for each buffer that it reads or writes.
func (t *tape) use(i int, b *buffer) {
	if b == nil || b.n == 0 {
		return
	}
	if b.first < 0 {
		b.first = i
		t.buffers = append(t.buffers, b)
	}
	b.last = max(b.last, i)
}

// layOut gives every buffer its place and returns the size of the whole. The largest come first, each at the lowest place that is free in its time.
func (t *tape) layOut(shared bool) int {
	for i, o := range t.ops {
		o.buffers(func(b *buffer) { t.use(i, b) })
	}
	for _, b := range t.buffers {
		if b.kept {
			b.last = len(t.ops)
		}
	}
	order := slices.Clone(t.buffers)
	slices.SortStableFunc(order, func(a, b *buffer) int { return cmp.Compare(b.n, a.n) })
	var placed []*buffer // by place
	size := 0
	for _, b := range order {
		at := 0
		for _, o := range placed {
			if shared && (o.last < b.first || b.last < o.first) {
				continue
			}
			if o.at >= at+b.size() {
				break
			}
			at = max(at, o.at+o.size())
		}
		b.at = at
		i, _ := slices.BinarySearchFunc(placed, b, func(a, b *buffer) int { return cmp.Compare(a.at, b.at) })
		placed = slices.Insert(placed, i, b)
		size = max(size, at+b.size())
	}
	return size
}

// size is n rounded up to whole cache lines.
func (b *buffer) size() int { return (b.n + line - 1) / line * line }

const line = 16 // floats of a cache line

// arena is a session's memory, for all its programs: only one runs at a time.
type arena struct{ x []float32 }

// hold makes the arena at least n floats large, and tells whether it moved.
func (a *arena) hold(n int) (moved bool) {
	if n <= len(a.x) {
		return false
	}
	*a = arena{}
	if n > large {
		debug.FreeOSMemory() // what earlier sessions left, before as much again is taken
	}
	x := make([]float32, n+hugePage/4)
	skip := int(-uintptr(unsafe.Pointer(unsafe.SliceData(x)))%hugePage) / 4
	if n < hugePage/4 {
		skip = int(-uintptr(unsafe.Pointer(unsafe.SliceData(x)))%(4*line)) / 4
	}
	a.x = x[skip : skip+n]
	adviseHugePages(a.x)
	return true
}

// large is the size of an arena, in floats, from which a collection costs little beside the work that it is for.
const large = 4 << 20

// hugePage is in bytes. A step goes over all of its memory; with pages of 4 KiB the processor would spend part of the time looking addresses up.
const hugePage = 2 << 20
