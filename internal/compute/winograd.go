package compute

import "unsafe"

// Winograd's convolution F(4x4,3x3) (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016): with the tiles V = B^T x B of the input
// and U = G w G^T of the kernel, a tile of 4x4 outputs is A^T (sum over channels of U.V) A, a product of matrices at each of 36 points with a
// quarter of the multiplications. Both gradients are the adjoint: with M = A dy A^T, dU = V^T M and dw = G^T dU G; dV = M U^T, and dx is the
// sum of the tiles B dV B^T, which overlap by two pixels.
//
// An image is transformed a few rows of tiles at a time, so that V and M stay in the cache. Rows of tiles are numbered through a group of images: small
// images make their products large enough together.
type winograd struct {
	s       ConvShape
	th, tw  int   // tiles of an image
	in, out *tile // for products with C and OC columns
	c, oc   int   // channels rounded up: the strides of tiles in V and M
	rows    int   // at most so many rows of tiles at a time
	group   int   // images at a time

	u, back  []float32 // panels of U, and of its transpose
	turned   []float32 // scratch of setGradKernel
	size     int       // from point to point in U and its gradient
	backSize int
}

// pointGap is what separates the points of V and M: without it their distance is often a multiple of 4096 bytes, and they would
// share a set of the cache.
const pointGap = 16

// cacheFloats bounds V and M together.
const cacheFloats = 96 << 10

// newWinograd returns nil where the direct convolution is faster or the shape is not one for Winograd.
func newWinograd(s ConvShape) *winograd {
	ph, pw := s.padded()
	if s.KH != 3 || s.KW != 3 || s.StrideH != 1 || s.StrideW != 1 || s.DilationH != 1 || s.DilationW != 1 || ph != s.OH+2 || pw != s.OW+2 || s.OH*s.OW == 0 {
		return nil
	}
	w := &winograd{s: s, th: (s.OH + 3) / 4, tw: (s.OW + 3) / 4, in: active().forColumns(s.C), out: active().forColumns(s.OC)}
	w.c, w.oc = roundUp(s.C, w.in.nr), roundUp(s.OC, w.out.nr)
	if !w.wins() {
		return nil
	}
	most := max(cacheFloats/(36*(w.c+w.oc)), 1) // tiles
	w.rows = max(most/w.tw, 1)
	w.group = max(min(w.rows/w.th, 8), 1)
	w.size, w.backSize = s.C*w.oc+pointGap, s.OC*w.c+pointGap
	return w
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// wins tells whether Winograd is faster: it does a quarter of the multiplications, but for whole tiles, and with passes around them. Measured, it takes
// 1.1 to 1.8 quarters of the direct convolution's time from 8 channels on where tiles are filled to more than a third (5x5: 39 %), and loses at a
// quarter (2x2).
func (w *winograd) wins() bool {
	s := w.s
	return min(s.C, s.OC) >= 8 && 3*s.OH*s.OW > 16*w.th*w.tw
}

// sumsWin tells the same of the kernel's gradient. Its sum is four times as large as the kernel and is gone through for each group of images; beyond the
// second level's cache it loses (256 x 256 channels: half as fast).
func (w *winograd) sumsWin() bool { return w.s.C*w.s.OC <= 1<<14 }

// kernelTransform is G (x) G: row i*6+j, column a*3+b is G[i][a]*G[j][b].
var kernelTransform = func() (gg [36 * 9]float32) {
	g := [6][3]float64{{1. / 4, 0, 0}, {-1. / 6, -1. / 6, -1. / 6}, {-1. / 6, 1. / 6, -1. / 6}, {1. / 24, 1. / 12, 1. / 6}, {1. / 24, -1. / 12, 1. / 6}, {0, 0, 1}}
	for i := range gg {
		p, tap := i/9, i%9
		gg[i] = float32(g[p/6][tap/3] * g[p%6][tap%3])
	}
	return gg
}()

// transformKernel writes panels of U for the product with n columns and k rows, of w [9][k][n]. Points are size apart.
func transformKernel(t *tile, u, w []float32, k, n, size int) {
	transformWork.Parallel(k, 8, transform{t, u, w, k, n, size}, func(a *transform, lo, hi int) {
		t, u, w, k, n, size := a.t, a.u, a.w, a.k, a.n, a.size
		m := GetScratch()
		m.b = grow(m.b, 9*t.nr)
		for q := 0; q*t.nr < n; q++ {
			for i := lo; i < hi; i++ {
				b := right{w[i*n+q*t.nr:], 0, k * n}
				if (q+1)*t.nr > n {
					packB(m.b, b.x, 9, n-q*t.nr, k*n, 1, t.nr)
					b = right{m.b, 0, t.nr}
				}
				product(t, m, u[(q*k+i)*t.nr:], size, left{kernelTransform[:], 9, 0, 1}, b, 36, 1, 9, t.nr, false)
			}
		}
		PutScratch(m)
	})
}

// transform are the arguments of transformKernel.
type transform struct {
	t          *tile
	u, w       []float32
	k, n, size int
}

var transformWork Work[transform]

func (w *winograd) setKernel(kernel []float32) {
	w.u = grow(w.u, 36*w.size)
	transformKernel(w.out, w.u, kernel, w.s.C, w.s.OC, w.size)
}

func (w *winograd) setGradKernel(kernel []float32) {
	s := w.s
	w.turned, w.back = grow(w.turned, len(kernel)), grow(w.back, 36*w.backSize)
	kernelWork.Parallel(9, 1, winogradKernel{w, kernel, nil}, func(a *winogradKernel, lo, hi int) {
		w, kernel, s := a.w, a.kernel, a.w.s
		for tap := lo; tap < hi; tap++ {
			transpose(w.turned[tap*s.C*s.OC:], kernel[tap*s.C*s.OC:], s.C, s.OC)
		}
	})
	transformKernel(w.in, w.back, w.turned, s.OC, s.C, w.backSize)
}

// transpose writes the transpose of [rows, cols].
func transpose(to, from []float32, rows, cols int) {
	for c := range cols {
		out := to[c*rows : (c+1)*rows]
		for r := range out {
			out[r] = from[r*cols+c]
		}
	}
}

func (w *winograd) sumSize() int { return 36 * w.size }

// winogradKernel are the arguments of passes over a kernel.
type winogradKernel struct {
	w           *winograd
	kernel, sum []float32
}

var kernelWork Work[winogradKernel]

// finishSum computes dw = G^T dU G.
func (w *winograd) finishSum(dw, sum []float32) {
	kernelWork.Parallel(w.s.C, 8, winogradKernel{w, dw, sum}, func(a *winogradKernel, lo, hi int) {
		w, dw, sum, s := a.w, a.kernel, a.sum, a.w.s
		m := GetScratch()
		for i := lo; i < hi; i++ {
			b := right{sum[i*w.oc:], w.out.nr, w.size}
			product(w.out, m, dw[i*s.OC:], s.C*s.OC, left{kernelTransform[:], 1, 0, 9}, b, 9, 1, 36, s.OC, false)
		}
		PutScratch(m)
	})
}

// blocks calls f for pieces of the rows of tiles of n images.
func (w *winograd) blocks(n int, f func(lo, hi int)) {
	total := n * w.th
	parts := (total + w.rows - 1) / w.rows
	for i := range parts {
		f(i*total/parts, (i+1)*total/parts)
	}
}

// image computes images.
func (w *winograd) image(m *Scratch, y, x []float32) {
	s := w.s
	w.blocks(len(y)/s.Out(), func(lo, hi int) {
		tiles := (hi - lo) * w.tw
		vp, mp := tiles*w.c+pointGap, tiles*w.oc+pointGap
		m.a, m.b = grow(m.a, 36*vp+pointGap), grow(m.b, 36*mp+pointGap)
		w.load(m, m.a, vp, x, lo, hi)
		for p := range 36 {
			product(w.out, m, m.b[p*mp:], w.oc, left{m.a[p*vp:], w.c, 0, 1}, packed(w.out, w.u[p*w.size:], s.C), tiles, 1, s.C, w.oc, false)
		}
		w.store(m, y, m.b, mp, lo, hi)
	})
}

// imageGrad computes gradients of images.
func (w *winograd) imageGrad(m *Scratch, dx, sum, x, dy []float32, first bool) {
	s := w.s
	w.blocks(len(dy)/s.Out(), func(lo, hi int) {
		tiles := (hi - lo) * w.tw
		vp, mp := tiles*w.c+pointGap, tiles*w.oc+pointGap
		m.a, m.b = grow(m.a, 36*vp+pointGap), grow(m.b, 36*mp+pointGap)
		if sum != nil {
			w.load(m, m.a, vp, x, lo, hi)
		}
		w.loadGrad(m, m.b, mp, dy, lo, hi)
		for p := range 36 {
			v, g := m.a[p*vp:], m.b[p*mp:]
			if sum != nil {
				product(w.out, m, sum[p*w.size:], w.oc, left{v, 1, 0, w.c}, right{g, w.out.nr, w.oc}, s.C, 1, tiles, w.oc, !first)
			}
			if dx != nil {
				product(w.in, m, v, w.c, left{g, w.oc, 0, 1}, packed(w.in, w.back[p*w.backSize:], s.OC), tiles, 1, s.OC, w.c, false)
			}
		}
		if dx != nil {
			w.storeGrad(m, dx, m.a, vp, lo, hi)
		}
		first = false
	})
}

// strip is the geometry of one side of the transforms: images [h,w,c] with a border before them, tiles whose channels are rounded up.
type strip struct {
	h, w, c       int
	top, left     int // border
	columns, step int // of an intermediate row: columns, floats from row to row
	round         int // channels rounded up
}

func (w *winograd) input() strip {
	s := w.s
	return strip{s.H, s.W, s.C, s.PadTop, s.PadLeft, 4*w.tw + 2, (4*w.tw+2)*s.C + 32, w.c}
}

func (w *winograd) output() strip {
	s := w.s
	return strip{s.OH, s.OW, s.OC, 0, 0, 4 * w.tw, 4*w.tw*s.OC + 32, w.oc}
}

// begin prepares m for a strip.
func (g strip) begin(m *Scratch) *winogradArgs {
	m.rows = grow(m.rows, 6*g.step)
	m.outside = grow(m.outside, 2*g.w*g.c)
	clear(m.outside[:g.w*g.c])
	return &m.winograd
}

// border clears the columns of the intermediate rows outside the image.
func (g strip) border(m *Scratch) {
	for r := range 6 {
		row := m.rows[r*g.step : (r+1)*g.step]
		clear(row[:g.left*g.c])
		clear(row[(g.left+g.w)*g.c:])
	}
}

// alongRows runs a pass between n rows of an image, from row y on, and the intermediate rows. Rows outside the image are zeros, or go nowhere.
func (g strip) alongRows(t *tile, m *Scratch, pass, n int, image []float32, y int) {
	a := &m.winograd
	size := g.w * g.c
	for r := range n {
		switch row := y + r; {
		case row >= 0 && row < g.h:
			a.rows[r] = &image[row*size]
		case pass == inputRows || pass == gradRows:
			a.rows[r] = &m.outside[0]
		default:
			a.rows[r] = &m.outside[size]
		}
	}
	a.near, a.nearStride, a.n = &m.rows[g.left*g.c], 4*g.step, size/t.vector
	if a.n > 0 {
		t.winograd[pass]((*uint64)(unsafe.Pointer(a)))
	}
	done := size / t.vector * t.vector
	if rest := size - done; rest > 0 {
		for r := range n {
			a.rows[r] = at(a.rows[r], 4*done)
		}
		a.near, a.n = at(a.near, 4*done), rest
		winogradPortable[pass]((*uint64)(unsafe.Pointer(a)))
	}
}

// alongColumns runs a pass between the intermediate rows and tiles from number on.
func (g strip) alongColumns(t *tile, m *Scratch, pass int, tiles []float32, point, number, count int) {
	a := &m.winograd
	a.nearStride, a.nearTile = 4*g.c, 16*g.c
	a.farStride, a.farTile = 4*point, 4*g.round
	a.n, a.tiles = (g.c+t.vector-1)/t.vector, count
	for r := range 6 {
		a.near, a.far = &m.rows[r*g.step], &tiles[6*r*point+number*g.round]
		t.winograd[pass]((*uint64)(unsafe.Pointer(a)))
	}
}

// load writes V of rows of tiles.
func (w *winograd) load(m *Scratch, v []float32, point int, x []float32, lo, hi int) {
	g := w.input()
	g.begin(m)
	g.border(m)
	for row := lo; row < hi; row++ {
		g.alongRows(w.in, m, inputRows, 6, x[row/w.th*w.s.In():], row%w.th*4-g.top)
		g.alongColumns(w.in, m, inputColumns, v, point, (row-lo)*w.tw, w.tw)
	}
}

// loadGrad writes M of rows of tiles.
func (w *winograd) loadGrad(m *Scratch, tiles []float32, point int, dy []float32, lo, hi int) {
	g := w.output()
	g.begin(m)
	g.border(m)
	for row := lo; row < hi; row++ {
		g.alongRows(w.out, m, gradRows, 4, dy[row/w.th*w.s.Out():], row%w.th*4)
		g.alongColumns(w.out, m, gradColumns, tiles, point, (row-lo)*w.tw, w.tw)
	}
}

// store writes rows of the output.
func (w *winograd) store(m *Scratch, y, tiles []float32, point, lo, hi int) {
	g := w.output()
	g.begin(m)
	for row := lo; row < hi; row++ {
		g.alongColumns(w.out, m, outputColumns, tiles, point, (row-lo)*w.tw, w.tw)
		g.alongRows(w.out, m, outputRows, 4, y[row/w.th*w.s.Out():], row%w.th*4)
	}
}

// storeGrad adds rows of tiles up in dx.
func (w *winograd) storeGrad(m *Scratch, dx, tiles []float32, point, lo, hi int) {
	g := w.input()
	g.begin(m)
	for row := lo; row < hi; row++ {
		image, ty := dx[row/w.th*w.s.In():], row%w.th
		if ty == 0 { // the first two rows are added to
			from, to := max(-g.top, 0), min(2-g.top, g.h)
			if to > from {
				clear(image[from*g.w*g.c : to*g.w*g.c])
			}
		}
		g.alongColumns(w.in, m, overlapColumns, tiles, point, (row-lo)*w.tw, w.tw)
		g.alongRows(w.in, m, overlapRows, 6, image, ty*4-g.top)
	}
}
