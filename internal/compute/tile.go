package compute

import (
	"os"
	"sync"
	"unsafe"
)

// The kernels take their arguments as a struct of 64-bit words, whose order gen/main.go knows. It lives in the caller's scratch memory: an
// argument of a call through a function value would be allocated anew each time.

// tileArgs is one call of a micro-kernel: c[rows][nr] = (or +=) the sum over o < outer and p < k of a[row][o][p] * b[o*k+p][nr]. The left factor
// is read where it lies: row by rowStride, p by kStride, and after each k a jump of outerSkip; the rows of b follow one another by bStride (all in bytes).
type tileArgs struct {
	a, b, c            *float32
	rowStride, kStride int
	outer, k           int
	outerSkip          int
	ldc                int // bytes between the rows of c
	accumulate         int // 0 or 1
	bStride            int
	ahead              *float32 // 64 bytes times outer*k from here on are fetched into the second level's cache
}

// tile is a family of micro-kernels: run[r] does r rows, 1 to mr.
type tile struct {
	name   string
	mr, nr int
	run    []func(*uint64) // argument: a tileArgs
	*vectors
	narrow *tile // half as wide, for few columns; may be nil
}

// vectors is the other kernels of an instruction set.
type vectors struct {
	vector    int            // floats of a vector
	depthwise []*channelwise // widest first; the last takes any number of channels
	winograd  [winogradPasses]func(*uint64)
	fma       func(*uint64) // argument: rounds of fmaFlops
	fmaFlops  int
}

// forColumns is the kernel for products of n columns: a narrow one where a wide one would compute more than a tenth in vain.
func (t *tile) forColumns(n int) *tile {
	round := func(m int) int { return (n + m - 1) / m * m }
	for t.narrow != nil && 10*round(t.nr) > 11*round(t.narrow.nr) {
		t = t.narrow
	}
	return t
}

// portable is the micro-kernel in Go: correct everywhere, and 30 to 60 times slower than assembly.
var portable = tile{"portable", 4, 8, []func(*uint64){nil, rowsOf(1), rowsOf(2), rowsOf(3), rowsOf(4)}, &vectors{
	vector: 1, depthwise: []*channelwise{&channelwisePortable}, winograd: winogradPortable, fma: fmaPortable, fmaFlops: 16,
}, nil}

func rowsOf(r int) func(*uint64) {
	return func(args *uint64) {
		t := (*tileArgs)(unsafe.Pointer(args))
		for i := range r {
			portableRow(t, i)
		}
	}
}

// portableRow computes one row of a tile.
func portableRow(t *tileArgs, i int) {
	var s [8]float32
	at := i * t.rowStride // an offset, not a pointer: behind the last element it would point at nobody's memory
	b := 0
	for range t.outer {
		for range t.k {
			x := *(*float32)(unsafe.Add(unsafe.Pointer(t.a), at))
			y := (*[8]float32)(unsafe.Add(unsafe.Pointer(t.b), b))
			for j := range s {
				s[j] += float32(x * y[j])
			}
			at, b = at+t.kStride, b+t.bStride
		}
		at += t.outerSkip
	}
	c := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.c), i*t.ldc)), 8)
	for j, v := range s {
		if t.accumulate != 0 {
			v += c[j]
		}
		c[j] = v
	}
}

// choice is the kernel family in use; tests change it.
var choice struct {
	sync.Once
	t *tile
}

func active() *tile {
	choice.Do(func() {
		if choice.t == nil {
			choice.t = pick(os.Getenv("TEMPER_CPU"))
		}
	})
	return choice.t
}

// pick returns the named family if the processor has it, else the best.
func pick(name string) *tile {
	all := available()
	for _, t := range all {
		if t.name == name {
			return t
		}
	}
	return all[0]
}

// Kernel is the name of the kernel family in use: avx512, avx2 or portable.
func Kernel() string { return active().name }
