package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

func init() {
	register(tflite.BATCH_MATMUL, 2, "int8, float32; equal batch dimensions", prepareBatchMatMul)
}

func prepareBatchMatMul(n *node) (func(), error) {
	o, err := options[tflite.BatchMatMulOptions](n)
	if err != nil {
		return nil, err
	}
	a, b, y := n.in[0], n.in[1], n.out[0]
	kind, err := n.kind(a, b, y)
	if err != nil {
		return nil, err
	}
	r := len(a.Shape)
	if r < 2 || len(b.Shape) != r || !slices.Equal(a.Shape[:r-2], b.Shape[:r-2]) {
		return nil, fmt.Errorf("shapes %v and %v: want equal batch dimensions", a.Shape, b.Shape)
	}
	m, k, kb, c := a.Shape[r-2], a.Shape[r-1], b.Shape[r-2], b.Shape[r-1]
	// Element (i, p) of a factor is at i*row + p*col.
	ar, ac, br, bc := k, 1, c, 1
	if o.AdjX {
		m, k, ar, ac = k, m, 1, k
	}
	if o.AdjY {
		kb, c, br, bc = c, kb, 1, c
	}
	if k != kb {
		return nil, fmt.Errorf("shapes %v and %v: inner dimensions %d and %d", a.Shape, b.Shape, k, kb)
	}
	if err := n.sameShape(y, append(slices.Clone(a.Shape[:r-2]), m, c)); err != nil {
		return nil, err
	}
	batches := volume(a.Shape[:r-2])
	each := func(f func(out, a, b int)) {
		for t := range batches {
			for i := range m {
				for j := range c {
					f((t*m+i)*c+j, t*m*k+i*ar, t*k*c+j*bc)
				}
			}
		}
	}
	if kind == tflite.FLOAT32 {
		x, z, out := a.Float32(), b.Float32(), y.Float32()
		return func() {
			each(func(at, i, j int) {
				sum := float32(0)
				for p := range k {
					sum += x[i+p*ac] * z[j+p*br]
				}
				out[at] = sum
			})
		}, nil
	}
	mult := newMultiplier(scaleOf(a) * scaleOf(b) / scaleOf(y))
	x, z, out := a.Int8(), b.Int8(), y.Int8()
	za, zb, zy := zeroOf(a), zeroOf(b), zeroOf(y)
	return func() {
		each(func(at, i, j int) {
			sum := int32(0)
			for p := range k {
				sum += (int32(x[i+p*ac]) - za) * (int32(z[j+p*br]) - zb)
			}
			out[at] = clamp8(mult.times(sum)+zy, -128, 127)
		})
	}, nil
}
