package interp

import (
	"fmt"
	"slices"

	"github.com/temper-ml/temper/export/tflite"
)

// Operators that only move values are tables from output to input elements.

// gather copies elements by a table; the table's -1 stands for the input's zero point (or 0).
func (n *node) gather(in, out *Tensor, from []int32) (func(), error) {
	if in.Type != out.Type {
		return nil, fmt.Errorf("input %s and output %s differ in type", in.Type, out.Type)
	}
	if len(from) != out.Volume() {
		return nil, fmt.Errorf("output %s has shape %v: the operator makes %d values", out.Name, out.Shape, len(from))
	}
	for _, k := range from {
		if k < -1 || int(k) >= in.Volume() {
			return nil, fmt.Errorf("element %d of input %s of shape %v", k, in.Name, in.Shape)
		}
	}
	switch in.Type.Size() {
	case 1:
		zero := byte(0)
		if in.Type == tflite.INT8 && in.Quant != nil {
			zero = byte(zeroOf(in))
		}
		return mover(view[byte](in), view[byte](out), from, zero), nil
	case 2:
		return mover(view[uint16](in), view[uint16](out), from, 0), nil
	case 4:
		return mover(view[uint32](in), view[uint32](out), from, 0), nil
	}
	return mover(view[uint64](in), view[uint64](out), from, 0), nil
}

func mover[T any](x, y []T, from []int32, zero T) func() {
	return func() {
		for i, k := range from {
			if k < 0 {
				y[i] = zero
			} else {
				y[i] = x[k]
			}
		}
	}
}

// copyAll is the kernel of operators that change the shape only.
func copyAll(n *node) (func(), error) {
	x, y := n.in[0], n.out[0]
	if x.Type != y.Type || len(x.raw) != len(y.raw) {
		return nil, fmt.Errorf("input %v of %s and output %v of %s do not hold the same values", x.Shape, x.Type, y.Shape, y.Type)
	}
	return func() { copy(y.raw, x.raw) }, nil
}

func init() {
	register(tflite.RESHAPE, 1, "any type; the file's output shape counts", copyAll)
	register(tflite.SQUEEZE, 1, "any type", copyAll)
	register(tflite.EXPAND_DIMS, 1, "any type", copyAll)
	register(tflite.CONCATENATION, 1, "int8 of equal quantization, float32, integers", prepareConcat)
	register(tflite.PACK, 1, "any type", preparePack)
	register(tflite.UNPACK, 1, "any type", prepareUnpack)
	register(tflite.SPLIT, 2, "any type; constant axis", prepareSplit)
	register(tflite.SPLIT_V, 3, "any type; constant sizes and axis", prepareSplitV)
	register(tflite.TRANSPOSE, 2, "any type; constant permutation", prepareTranspose)
	register(tflite.PAD, 2, "int8 (pads with the zero point), float32; constant paddings", preparePad)
	register(tflite.MIRROR_PAD, 2, "any type; constant paddings", prepareMirrorPad)
	register(tflite.SLICE, 3, "any type; constant begin and size", prepareSlice)
	register(tflite.STRIDED_SLICE, 4, "any type; constant begin, end and strides; begin, end and shrink masks", prepareStridedSlice)
	register(tflite.SPACE_TO_DEPTH, 1, "any type", prepareSpaceToDepth)
	register(tflite.DEPTH_TO_SPACE, 1, "any type", prepareDepthToSpace)
}

// axisOf checks an axis, which may count from the end.
func axisOf(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, fmt.Errorf("axis %d of %d dimensions", a, rank)
	}
	return a, nil
}

// offset is the row-major index of a position.
func offset(at, shape []int) int {
	k := 0
	for i, a := range at {
		k = k*shape[i] + a
	}
	return k
}

// join puts the pieces of parts one after the other along an axis; pieces are rows of that many elements.
func join(n *node, rows []int) (func(), error) {
	y := n.out[0]
	size := y.Type.Size()
	total := 0
	for i, x := range n.in {
		if x == nil || x.Type != y.Type {
			return nil, fmt.Errorf("input %d does not have the type of the output, %s", i, y.Type)
		}
		if x.Type == tflite.INT8 && x.Quant != nil && y.Quant != nil && !x.Quant.Equal(*y.Quant) {
			return nil, fmt.Errorf("input %s and output %s differ in quantization", x.Name, y.Name)
		}
		total += rows[i]
	}
	outer := y.Volume() / total
	for i, x := range n.in {
		if x.Volume() != outer*rows[i] {
			return nil, fmt.Errorf("input %s of shape %v does not fit output %v", x.Name, x.Shape, y.Shape)
		}
	}
	return func() {
		at := 0
		for o := range outer {
			for i, x := range n.in {
				r := rows[i] * size
				copy(y.raw[at:at+r], x.raw[o*r:])
				at += r
			}
		}
	}, nil
}

func prepareConcat(n *node) (func(), error) {
	o, err := options[tflite.ConcatenationOptions](n)
	if err != nil {
		return nil, err
	}
	if o.Activation != tflite.NONE {
		return nil, fmt.Errorf("a fused activation is not supported")
	}
	axis, err := axisOf(o.Axis, len(n.out[0].Shape))
	if err != nil {
		return nil, err
	}
	want := slices.Clone(n.out[0].Shape)
	want[axis] = 0
	var rows []int
	for _, x := range n.in {
		if x == nil || len(x.Shape) != len(want) {
			return nil, fmt.Errorf("inputs differ in their number of dimensions")
		}
		want[axis] += x.Shape[axis]
		for i, d := range x.Shape {
			if i != axis && d != want[i] {
				return nil, fmt.Errorf("input %s of shape %v does not fit output %v", x.Name, x.Shape, n.out[0].Shape)
			}
		}
		rows = append(rows, volume(x.Shape[axis:]))
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	return join(n, rows)
}

func preparePack(n *node) (func(), error) {
	o, err := options[tflite.PackOptions](n)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(o.Axis, len(n.out[0].Shape))
	if err != nil {
		return nil, err
	}
	rows := make([]int, len(n.in))
	for i, x := range n.in {
		if x == nil || axis > len(x.Shape) {
			return nil, fmt.Errorf("input %d does not fit axis %d", i, axis)
		}
		rows[i] = volume(x.Shape[axis:])
		if err := n.sameShape(n.out[0], slices.Insert(slices.Clone(x.Shape), axis, len(n.in))); err != nil {
			return nil, err
		}
	}
	return join(n, rows)
}

// cut copies pieces of the input along an axis to the outputs; sizes are those of the outputs along it.
func cut(n *node, x *Tensor, axis int, sizes []int) (func(), error) {
	if len(sizes) != len(n.out) {
		return nil, fmt.Errorf("%d parts for %d outputs", len(sizes), len(n.out))
	}
	inner, total := volume(x.Shape[axis+1:]), 0
	for i, y := range n.out {
		if sizes[i] < 1 || y.Type != x.Type {
			return nil, fmt.Errorf("part %d has size %d and type %s", i, sizes[i], y.Type)
		}
		total += sizes[i]
	}
	outer := volume(x.Shape[:axis])
	if total != x.Shape[axis] {
		return nil, fmt.Errorf("parts %v of dimension %d", sizes, x.Shape[axis])
	}
	for i, y := range n.out {
		if y.Volume() != outer*sizes[i]*inner {
			return nil, fmt.Errorf("output %s has shape %v", y.Name, y.Shape)
		}
	}
	size := x.Type.Size()
	return func() {
		at := 0
		for o := range outer {
			for i, y := range n.out {
				r := sizes[i] * inner * size
				copy(y.raw[o*r:(o+1)*r], x.raw[at:])
				at += r
			}
		}
	}, nil
}

func prepareUnpack(n *node) (func(), error) {
	o, err := options[tflite.UnpackOptions](n)
	if err != nil {
		return nil, err
	}
	axis, err := axisOf(o.Axis, len(n.in[0].Shape))
	if err != nil {
		return nil, err
	}
	return cut(n, n.in[0], axis, slices.Repeat([]int{1}, min(len(n.out), n.in[0].Shape[axis])))
}

func prepareSplit(n *node) (func(), error) {
	a, err := n.constants(0)
	if err != nil || len(a) != 1 {
		return nil, fmt.Errorf("axis: %w", err)
	}
	axis, err := axisOf(a[0], len(n.in[1].Shape))
	if err != nil {
		return nil, err
	}
	d := n.in[1].Shape[axis]
	if d%len(n.out) != 0 {
		return nil, fmt.Errorf("dimension %d into %d equal parts", d, len(n.out))
	}
	return cut(n, n.in[1], axis, slices.Repeat([]int{d / len(n.out)}, len(n.out)))
}

func prepareSplitV(n *node) (func(), error) {
	sizes, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	a, err := n.constants(2)
	if err != nil || len(a) != 1 {
		return nil, fmt.Errorf("axis: %w", err)
	}
	axis, err := axisOf(a[0], len(n.in[0].Shape))
	if err != nil {
		return nil, err
	}
	rest, open := n.in[0].Shape[axis], -1
	for i, s := range sizes {
		if s < 0 {
			open = i
			continue
		}
		rest -= s
	}
	if open >= 0 {
		sizes[open] = rest
	}
	return cut(n, n.in[0], axis, sizes)
}

func prepareTranspose(n *node) (func(), error) {
	perm, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	seen := make([]bool, len(in))
	want := make([]int, len(in))
	if len(perm) != len(in) {
		return nil, fmt.Errorf("permutation %v of %d dimensions", perm, len(in))
	}
	for i, p := range perm {
		if p < 0 || p >= len(in) || seen[p] {
			return nil, fmt.Errorf("permutation %v of %d dimensions", perm, len(in))
		}
		seen[p], want[i] = true, in[p]
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(want, func(at []int) int {
		for i, p := range perm {
			from[p] = at[i]
		}
		return offset(from, in)
	}))
}

// paddings reads [rank][2] and checks the output's shape.
func paddings(n *node) ([]int, error) {
	p, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	if len(p) != 2*len(in) || slices.Min(p) < 0 {
		return nil, fmt.Errorf("paddings %v of %d dimensions", p, len(in))
	}
	want := make([]int, len(in))
	for i, d := range in {
		want[i] = d + p[2*i] + p[2*i+1]
	}
	return p, n.sameShape(n.out[0], want)
}

func preparePad(n *node) (func(), error) {
	p, err := paddings(n)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(n.out[0].Shape, func(at []int) int {
		for i, a := range at {
			from[i] = a - p[2*i]
			if from[i] < 0 || from[i] >= in[i] {
				return -1
			}
		}
		return offset(from, in)
	}))
}

func prepareMirrorPad(n *node) (func(), error) {
	o, err := options[tflite.MirrorPadOptions](n)
	if err != nil {
		return nil, err
	}
	p, err := paddings(n)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	edge := 0 // SYMMETRIC repeats the border
	if o.Mode == 0 {
		edge = 1
	}
	for i, d := range in {
		if max(p[2*i], p[2*i+1]) > d-edge {
			return nil, fmt.Errorf("paddings %v of shape %v", p, in)
		}
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(n.out[0].Shape, func(at []int) int {
		for i, a := range at {
			k := a - p[2*i]
			if k < 0 {
				k = -k - 1 + edge
			}
			if k >= in[i] {
				k = 2*in[i] - 1 - k - edge
			}
			from[i] = k
		}
		return offset(from, in)
	}))
}

func prepareSlice(n *node) (func(), error) {
	begin, err := n.constants(1)
	if err != nil {
		return nil, err
	}
	size, err := n.constants(2)
	if err != nil {
		return nil, err
	}
	in := n.in[0].Shape
	if len(begin) != len(in) || len(size) != len(in) {
		return nil, fmt.Errorf("begin %v and size %v of %d dimensions", begin, size, len(in))
	}
	for i := range in {
		if size[i] == -1 {
			size[i] = in[i] - begin[i]
		}
		if begin[i] < 0 || size[i] < 1 || begin[i]+size[i] > in[i] {
			return nil, fmt.Errorf("begin %v and size %v of shape %v", begin, size, in)
		}
	}
	if err := n.sameShape(n.out[0], size); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(size, func(at []int) int {
		for i, a := range at {
			from[i] = a + begin[i]
		}
		return offset(from, in)
	}))
}

func prepareStridedSlice(n *node) (func(), error) {
	o, err := options[tflite.StridedSliceOptions](n)
	if err != nil {
		return nil, err
	}
	var arg [3][]int
	in := n.in[0].Shape
	for i := range arg {
		if arg[i], err = n.constants(i + 1); err != nil {
			return nil, err
		}
		if len(arg[i]) != len(in) {
			return nil, fmt.Errorf("begin, end and strides %v of %d dimensions", arg[i], len(in))
		}
	}
	if o.EllipsisMask != 0 || o.NewAxisMask != 0 || o.Offset {
		return nil, fmt.Errorf("ellipsis, new-axis masks and offsets are not supported")
	}
	begin, count, step := make([]int, len(in)), make([]int, len(in)), arg[2]
	var want []int
	for i, d := range in {
		lo, hi, s := arg[0][i], arg[1][i], step[i]
		if s == 0 {
			return nil, fmt.Errorf("stride 0 along dimension %d", i)
		}
		bit := func(mask int) bool { return mask>>i&1 == 1 }
		shrink := bit(o.ShrinkAxisMask)
		begin[i] = bound(lo, d, s, bit(o.BeginMask) && !shrink, true)
		if shrink {
			count[i] = 1
			step[i] = 1
			continue
		}
		end := bound(hi, d, s, bit(o.EndMask), false)
		count[i] = (end - begin[i] + s - sign(s)) / s
		if count[i] < 1 {
			return nil, fmt.Errorf("dimension %d becomes empty", i)
		}
		want = append(want, count[i])
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	from := make([]int, len(in))
	return n.gather(n.in[0], n.out[0], table(count, func(at []int) int {
		for i, a := range at {
			from[i] = begin[i] + a*step[i]
		}
		return offset(from, in)
	}))
}

// bound is a begin or end index brought into the dimension (strided_slice_logic.h).
func bound(v, d, s int, masked, begin bool) int {
	if masked {
		if (s > 0) == begin {
			return boolInt(!begin) * d
		}
		if begin {
			return d - 1
		}
		if s > 0 {
			return d
		}
		return -1
	}
	if v < 0 {
		v += d
	}
	if s > 0 {
		return min(max(v, 0), d)
	}
	return min(max(v, -1), d-1)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sign(x int) int {
	if x < 0 {
		return -1
	}
	return 1
}

func prepareSpaceToDepth(n *node) (func(), error) {
	o, err := options[tflite.SpaceToDepthOptions](n)
	if err != nil {
		return nil, err
	}
	return n.blocks(n.in[0], n.out[0], o.BlockSize, func(big, small int32, from []int32) { from[small] = big })
}

func prepareDepthToSpace(n *node) (func(), error) {
	o, err := options[tflite.DepthToSpaceOptions](n)
	if err != nil {
		return nil, err
	}
	return n.blocks(n.out[0], n.in[0], o.BlockSize, func(big, small int32, from []int32) { from[big] = small })
}

// blocks pairs each element of the large image with one of the deep image.
func (n *node) blocks(large, deep *Tensor, b int, set func(big, small int32, from []int32)) (func(), error) {
	if err := rank(large, 4); err != nil {
		return nil, err
	}
	s := large.Shape
	if b < 1 || b > 1<<12 || s[1]%b != 0 || s[2]%b != 0 ||
		!slices.Equal(deep.Shape, []int{s[0], s[1] / b, s[2] / b, s[3] * b * b}) {
		return nil, fmt.Errorf("shapes %v and %v with blocks of %d", large.Shape, deep.Shape, b)
	}
	from := make([]int32, large.Volume())
	i := int32(0)
	table(s, func(at []int) int {
		d := ((at[0]*deep.Shape[1]+at[1]/b)*deep.Shape[2]+at[2]/b)*deep.Shape[3] + (at[1]%b*b+at[2]%b)*s[3] + at[3]
		set(i, int32(d), from)
		i++
		return 0
	})
	return n.gather(n.in[0], n.out[0], from)
}
