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
	a, b []float32 // a padded image, a packed factor
	c    []float32
	free [4][]float32     // Buffer's
	edge [16 * 32]float32 // a tile of any family that the border of the result cuts
	tile tileArgs
	line lineArgs
	grid gridArgs

	int8    int8Args
	requant requantArgs
	bytes   []byte // a padded int8 image
	sums    [14 * 32]int32

	winograd  winogradArgs
	ahead     [4][]float32 // what is fetched into the cache on the way, see Ahead
	rows      []float32    // an intermediate form of Winograd's transforms
	outside   []float32    // a row of zeros and one to write to, for what lies outside an image
	depthwise depthwiseArgs
	widen     widenArgs
	max       maxArgs
	row       []int8
}

// Buffer is memory of n floats for the Scratch's user: buffer 0 to 3, with contents from before.
func (s *Scratch) Buffer(i, n int) []float32 {
	s.free[i] = grow(s.free[i], n)
	return s.free[i]
}

// scratches are those not in use, the last used on top: so each call of a step gets what it had in the step before, large enough, and there are no
// more of them than were ever in use at once. (A sync.Pool hands them around between threads, until each has grown to the largest of all uses.)
var scratches struct {
	sync.Mutex
	free []*Scratch
}

// GetScratch borrows.
func GetScratch() *Scratch {
	scratches.Lock()
	defer scratches.Unlock()
	last := len(scratches.free) - 1
	if last < 0 {
		return new(Scratch)
	}
	m := scratches.free[last]
	scratches.free = scratches.free[:last]
	return m
}

// PutScratch gives a Scratch back.
func PutScratch(m *Scratch) {
	m.ahead = [4][]float32{}
	m.tile, m.line, m.grid, m.int8, m.requant = tileArgs{}, lineArgs{}, gridArgs{}, int8Args{}, requantArgs{} // they would hold the memory of
	m.winograd, m.depthwise, m.widen, m.max = winogradArgs{}, depthwiseArgs{}, widenArgs{}, maxArgs{}         // sessions that are gone
	scratches.Lock()
	scratches.free = append(scratches.free, m)
	scratches.Unlock()
}

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
	if outer*k*n <= nearFloats {
		for p := range parts {
			for q := 0; q*t.nr < n; q++ {
				productTile(t, s, c, ldc, a, b, p*m/parts, (p+1)*m/parts, q, n, add)
			}
		}
		return
	}
	for q := 0; q*t.nr < n; q++ {
		for p := range parts {
			productTile(t, s, c, ldc, a, b, p*m/parts, (p+1)*m/parts, q, n, add)
		}
	}
}

// nearFloats is how large a right factor may be to stay in the nearest cache while the left one passes by once.
const nearFloats = 6 << 10

// Ahead says what the kernels of a convolution that runs next should fetch into the second level's cache, a line each time round, in this order:
// memory that they or others will read or write soon, at most 4 arrays.
func (s *Scratch) Ahead(arrays ...[]float32) {
	s.ahead = [4][]float32{}
	n := 0
	for _, x := range arrays {
		if len(x) > 0 {
			s.ahead[n] = x
			n++
		}
	}
}

// fetchAhead returns where the next kernel, which fetches so many lines, should begin.
func (s *Scratch) fetchAhead(lines int) *float32 {
	from := &s.ahead[0][0]
	if n := 16 * lines; n < len(s.ahead[0]) {
		s.ahead[0] = s.ahead[0][n:]
	} else {
		copy(s.ahead[:], s.ahead[1:])
		s.ahead[len(s.ahead)-1] = nil
	}
	return from
}

// Behind is as much memory as x behind it, if it belongs to the same array: the next images.
func Behind(x []float32) []float32 { return x[len(x):min(2*len(x), cap(x))] }

// productTile computes rows lo to hi of panel q.
func productTile(t *tile, s *Scratch, c []float32, ldc int, a left, b right, lo, hi, q, n, add int) {
	args, h, j := &s.tile, hi-lo, q*t.nr
	args.a, args.b = &a.x[lo*a.row], &b.x[q*b.panel]
	args.ahead = args.b // in the cache already
	if len(s.ahead[0]) > 0 {
		args.ahead = s.fetchAhead(args.outer * args.k)
	}
	if j+t.nr <= n {
		args.c, args.ldc, args.accumulate = &c[lo*ldc+j], 4*ldc, add
		t.run[h]((*uint64)(unsafe.Pointer(args)))
		return
	}
	args.c, args.ldc, args.accumulate = &s.edge[0], 4*t.nr, 0
	t.run[h]((*uint64)(unsafe.Pointer(args)))
	for r := range h {
		to, from := c[(lo+r)*ldc+j:(lo+r)*ldc+n], s.edge[r*t.nr:]
		if add == 0 {
			copy(to, from)
			continue
		}
		for i := range to {
			to[i] += from[i]
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
		packWork.Parallel((n+t.nr-1)/t.nr, max(1, (1<<14)/(kn*t.nr)), packArgs{s.b, b[k0*rs:], kn, n, rs, cs, t.nr}, (*packArgs).panels)
		at := a
		at.x = a.x[k0*a.inner:]
		matmulWork.Parallel(m, 2*t.mr, matmulArgs{t, c, at, s.b, kn, n, k0 > 0}, (*matmulArgs).rows)
	}
	PutScratch(s)
}

// packArgs is a call of packB.
type packArgs struct {
	dst, b           []float32
	k, n, rs, cs, nr int
}

var packWork Work[packArgs]

// panels packs some panels.
func (p *packArgs) panels(lo, hi int) {
	from := lo * p.nr
	packB(p.dst[from*p.k:], p.b[from*p.cs:], p.k, min(p.n, hi*p.nr)-from, p.rs, p.cs, p.nr)
}

// matmulArgs is a product of a block of b.
type matmulArgs struct {
	t          *tile
	c          []float32
	a          left
	b          []float32
	k, n       int
	accumulate bool
}

var matmulWork Work[matmulArgs]

// rows computes some rows of c.
func (p *matmulArgs) rows(lo, hi int) {
	w := GetScratch()
	a := p.a
	a.x = a.x[lo*a.row:]
	product(p.t, w, p.c[lo*p.n:], p.n, a, packed(p.t, p.b, p.k), hi-lo, 1, p.k, p.n, p.accumulate)
	PutScratch(w)
}

// MatMul computes c[m,n] = a[m,k] b[k,n].
func MatMul(c, a, b []float32, m, k, n int) { matmul(c, left{a, k, 0, 1}, b, m, k, n, n, 1) }

// MatMulTA computes c[m,n] = a^T b of a[k,m] and b[k,n].
func MatMulTA(c, a, b []float32, m, k, n int) { matmul(c, left{a, 1, 0, m}, b, m, k, n, n, 1) }

// MatMulTB computes c[m,n] = a b^T of a[m,k] and b[n,k].
func MatMulTB(c, a, b []float32, m, k, n int) { matmul(c, left{a, k, 0, 1}, b, m, k, n, 1, k) }
