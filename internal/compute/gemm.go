package compute

import (
	"sync"
	"unsafe"
)

// The matrix product is computed in tiles of mr rows and nr columns. The right factor is packed into panels of nr columns (for each k, nr
// values, padded with zeros); the left factor is read where it lies, by strides. Kernels exist for every number of rows up to mr, so only
// columns are ever padded.

// left is a left factor in memory, strides in elements: row i, outer step o, inner step p at x[i*row + o*outer + p*inner].
type left struct {
	x                 []float32
	row, outer, inner int
}

// Scratch is the memory of one worker or one call.
type Scratch struct {
	a, b   []float32 // a padded image, a packed factor
	c      []float32
	free   [2][]float32     // Buffer's
	edge   [16 * 32]float32 // a tile of any family that the border of the result cuts
	tile   tileArgs
	mulAdd mulAddArgs

	int8    int8Args
	requant requantArgs
	bytes   []byte // a padded int8 image
	sums    [14 * 32]int32

	winograd  winogradArgs
	rows      []float32 // an intermediate form of Winograd's transforms
	outside   []float32 // a row of zeros and one to write to, for what lies outside an image
	depthwise depthwiseArgs
	widen     widenArgs
	max       maxArgs
	row       []int8
}

// Buffer is memory of n floats for the Scratch's user: buffer 0 or 1, with contents from before.
func (s *Scratch) Buffer(i, n int) []float32 {
	s.free[i] = grow(s.free[i], n)
	return s.free[i]
}

var scratches = sync.Pool{New: func() any { return new(Scratch) }}

// GetScratch borrows from a pool.
func GetScratch() *Scratch { return scratches.Get().(*Scratch) }

// PutScratch gives a Scratch back.
func PutScratch(m *Scratch) { scratches.Put(m) }

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// panelSize is the length of b packed into panels.
func panelSize(t *tile, k, n int) int { return (n + t.nr - 1) / t.nr * t.nr * k }

// packB packs b, element (p, j) at b[p*rs + j*cs], into panels of nr columns, all k of a panel together.
func packB(dst, b []float32, k, n, rs, cs, nr int) {
	for q := 0; q*nr < n; q++ {
		w := min(nr, n-q*nr)
		out := dst[q*nr*k : (q+1)*nr*k]
		for p := range k {
			row := out[p*nr : (p+1)*nr]
			if cs == 1 {
				copy(row, b[p*rs+q*nr:p*rs+q*nr+w])
			} else {
				for j := range w {
					row[j] = b[p*rs+(q*nr+j)*cs]
				}
			}
			clear(row[w:])
		}
	}
}

// right is a right factor: panel q of nr columns begins at x[q*panel], its rows are step apart. Packed panels lie one behind the other; a matrix
// whose rows hold whole panels (or whose memory goes on behind them) is read where it lies.
type right struct {
	x           []float32
	panel, step int
}

// packed is a right factor of k rows written by packB.
func packed(t *tile, x []float32, k int) right { return right{x, k * t.nr, t.nr} }

// product adds (or writes) m rows of a times b into c[m][n], row stride ldc.
func product(t *tile, s *Scratch, c []float32, ldc int, a left, b right, m, outer, k, n int, accumulate bool) {
	args := &s.tile
	*args = tileArgs{
		rowStride: 4 * a.row, kStride: 4 * a.inner, outer: outer, k: k, outerSkip: 4 * (a.outer - k*a.inner), bStride: 4 * b.step,
	}
	add := 0
	if accumulate {
		add = 1
	}
	parts := (m + t.mr - 1) / t.mr // of nearly equal height: a kernel of few rows waits for its own sums
	for q := 0; q*t.nr < n; q++ {
		j := q * t.nr
		args.b = &b.x[q*b.panel]
		w := min(t.nr, n-j)
		for p := range parts {
			i := p * m / parts
			h := (p+1)*m/parts - i
			args.a = &a.x[i*a.row]
			if w == t.nr {
				args.c, args.ldc, args.accumulate = &c[i*ldc+j], 4*ldc, add
				t.run[h]((*uint64)(unsafe.Pointer(args)))
				continue
			}
			args.c, args.ldc, args.accumulate = &s.edge[0], 4*t.nr, 0
			t.run[h]((*uint64)(unsafe.Pointer(args)))
			for r := range h {
				to, from := c[(i+r)*ldc+j:(i+r)*ldc+j+w], s.edge[r*t.nr:r*t.nr+w]
				if !accumulate {
					copy(to, from)
					continue
				}
				for q, v := range from {
					to[q] += v
				}
			}
		}
	}
}

// matmul computes c[m,n] = a b for b given by strides. Long sums are cut, so that a block of b stays in the cache.
func matmul(c []float32, a left, b []float32, m, k, n, rs, cs int) {
	const blockK = 512
	t := active().forColumns(n)
	s := GetScratch()
	for k0 := 0; k0 < k; k0 += blockK {
		kn := min(blockK, k-k0)
		s.b = grow(s.b, panelSize(t, kn, n))
		packB(s.b, b[k0*rs:], kn, n, rs, cs, t.nr)
		at := a
		at.x = a.x[k0*a.inner:]
		Parallel(m, 2*t.mr, func(lo, hi int) {
			w := GetScratch()
			rows := at
			rows.x = at.x[lo*at.row:]
			product(t, w, c[lo*n:], n, rows, packed(t, s.b, kn), hi-lo, 1, kn, n, k0 > 0)
			PutScratch(w)
		})
	}
	PutScratch(s)
}

// MatMul computes c[m,n] = a[m,k] b[k,n].
func MatMul(c, a, b []float32, m, k, n int) { matmul(c, left{a, k, 0, 1}, b, m, k, n, n, 1) }

// MatMulTA computes c[m,n] = a^T b of a[k,m] and b[k,n].
func MatMulTA(c, a, b []float32, m, k, n int) { matmul(c, left{a, 1, 0, m}, b, m, k, n, n, 1) }

// MatMulTB computes c[m,n] = a b^T of a[m,k] and b[n,k].
func MatMulTB(c, a, b []float32, m, k, n int) { matmul(c, left{a, k, 0, 1}, b, m, k, n, 1, k) }

// mulAddArgs is dst += u*v over pixels of channels; strides from pixel to pixel in bytes.
type mulAddArgs struct {
	dst, u, v                   *float32
	dstStride, uStride, vStride int
	pixels, channels            int
}

func mulAddPortable(args *uint64) {
	t := (*mulAddArgs)(unsafe.Pointer(args))
	for p := range t.pixels { // each address from the start: a pointer behind the last pixel may belong to nobody
		x := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.dst), p*t.dstStride)), t.channels)
		y := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.u), p*t.uStride)), t.channels)
		z := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(t.v), p*t.vStride)), t.channels)
		for i := range x {
			x[i] += float32(y[i] * z[i])
		}
	}
}

// mulAdd adds u*v to dst over pixels of c channels; strides in elements.
func (t *tile) mulAdd(s *Scratch, dst []float32, sd int, u []float32, su int, v []float32, sv int, pixels, c int) {
	if pixels <= 0 {
		return
	}
	whole := c / t.vector * t.vector
	args := &s.mulAdd
	*args = mulAddArgs{&dst[0], &u[0], &v[0], 4 * sd, 4 * su, 4 * sv, pixels, whole}
	if whole > 0 {
		t.mulAddPart((*uint64)(unsafe.Pointer(args)))
	}
	if whole < c {
		args.dst, args.u, args.v, args.channels = &dst[whole], &u[whole], &v[whole], c-whole
		mulAddPortable((*uint64)(unsafe.Pointer(args)))
	}
}
