package compute

import "unsafe"

// The passes of Winograd's transforms, each along columns of pixels (rows) or along rows (columns). Their assembly is written by gen/winograd.
const (
	inputRows      = iota // B^T of the input: 6 rows of an image -> 6 intermediate rows
	gradRows              // A of the output's gradient: 4 rows -> 6
	outputRows            // A^T of the products: 6 intermediate rows -> 4 rows of the output
	overlapRows           // B of the input's gradient: 6 -> 6, the first two added to what is there
	inputColumns          // the same from column to column: 6 columns of a tile, 2 of them the next one's too -> 6 points
	gradColumns           // 4 -> 6 points
	outputColumns         // 6 points -> 4
	overlapColumns        // 6 points -> 6, overlapping by 2
	winogradPasses
)

// winogradArgs is one call of a pass. gen/winograd knows the order of the words.
type winogradArgs struct {
	rows                  [6]*float32 // of the image
	near                  *float32    // first intermediate row, or for columns the first column
	far                   *float32    // first point
	nearStride, farStride int         // from row (column) to row, from point to point; bytes as all of these
	nearTile, farTile     int         // from tile to tile
	n                     int         // vectors
	tiles                 int
}

// winogradPortable are the passes in Go: a vector is one float.
var winogradPortable = [winogradPasses]func(*uint64){
	func(a *uint64) { winogradRows(a, true, inputTransform) },
	func(a *uint64) { winogradRows(a, true, gradTransform) },
	func(a *uint64) { winogradRows(a, false, outputTransform) },
	func(a *uint64) { winogradRows(a, false, overlapTransform) },
	func(a *uint64) { winogradColumns(a, true, inputTransform) },
	func(a *uint64) { winogradColumns(a, true, gradTransform) },
	func(a *uint64) { winogradColumns(a, false, outputTransform) },
	func(a *uint64) { winogradColumns(a, false, overlapTransform) },
}

// lineTransform is a one-dimensional transform; it returns how many values it reads and writes, and for how many of them it adds.
type lineTransform func(y, x *[6]float32) (in, out, overlap int)

func inputTransform(y, x *[6]float32) (in, out, overlap int) {
	t, u := x[4]-4*x[2], x[3]-4*x[1]
	v, w := x[4]-x[2], 2*(x[3]-x[1])
	*y = [6]float32{4*x[0] - float32(5*x[2]) + x[4], t + u, t - u, v + w, v - w, 4*x[1] - float32(5*x[3]) + x[5]}
	return 6, 6, 0
}

func gradTransform(y, x *[6]float32) (in, out, overlap int) {
	e, o, e2, o2 := x[0]+x[2], x[1]+x[3], x[0]+4*x[2], 2*x[1]+8*x[3]
	*y = [6]float32{x[0], e + o, e - o, e2 + o2, e2 - o2, x[3]}
	return 4, 6, 0
}

func outputTransform(y, x *[6]float32) (in, out, overlap int) {
	s, d, s2, d2 := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
	*y = [6]float32{x[0] + s + s2, d + 2*d2, s + 4*s2, d + 8*d2 + x[5]}
	return 6, 4, 0
}

func overlapTransform(y, x *[6]float32) (in, out, overlap int) {
	s, d, s2, d2 := x[1]+x[2], x[1]-x[2], x[3]+x[4], x[3]-x[4]
	*y = [6]float32{4 * x[0], 4*(x[5]-d) - 2*d2, -(float32(5*x[0]) + 4*s + s2), d + 2*d2 - float32(5*x[5]), x[0] + s + s2, x[5]}
	return 6, 6, 2
}

// at is a float at an offset in bytes.
func at(p *float32, offset int) *float32 { return (*float32)(unsafe.Add(unsafe.Pointer(p), offset)) }

func winogradRows(words *uint64, toNear bool, f lineTransform) {
	a := (*winogradArgs)(unsafe.Pointer(words))
	var x, y [6]float32
	in, out, overlap := f(&y, &x)
	for i := 0; i < 4*a.n; i += 4 {
		for r := range in {
			if toNear {
				x[r] = *at(a.rows[r], i)
			} else {
				x[r] = *at(a.near, r*a.nearStride+i)
			}
		}
		f(&y, &x)
		for r := range out {
			switch {
			case toNear:
				*at(a.near, r*a.nearStride+i) = y[r]
			case r < overlap:
				*at(a.rows[r], i) += y[r]
			default:
				*at(a.rows[r], i) = y[r]
			}
		}
	}
}

func winogradColumns(words *uint64, toFar bool, f lineTransform) {
	a := (*winogradArgs)(unsafe.Pointer(words))
	var x, y [6]float32
	in, out, overlap := f(&y, &x)
	for i := 0; i < 4*a.n; i += 4 {
		for tile := range a.tiles {
			near, far := tile*a.nearTile+i, tile*a.farTile+i
			if toFar {
				for r := range in {
					x[r] = *at(a.near, r*a.nearStride+near)
				}
				f(&y, &x)
				for r := range out {
					*at(a.far, r*a.farStride+far) = y[r]
				}
				continue
			}
			for r := range in {
				x[r] = *at(a.far, r*a.farStride+far)
			}
			f(&y, &x)
			for r := range out {
				to := at(a.near, r*a.nearStride+near)
				if r < overlap && tile > 0 {
					*to += y[r]
				} else {
					*to = y[r]
				}
			}
		}
	}
}
