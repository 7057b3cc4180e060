package interp

import (
	"fmt"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/compute"
)

// broadcastTable maps each element of the output to an element of an input whose sizes are the output's or 1; nil when they run in step.
func broadcastTable(in, out []int) ([]int32, error) {
	if len(in) > len(out) {
		return nil, fmt.Errorf("shape %v does not broadcast to %v", in, out)
	}
	stride := make([]int, len(out))
	n := 1
	for i := len(out) - 1; i >= 0; i-- {
		j := i - (len(out) - len(in))
		if j < 0 || in[j] == 1 {
			continue
		}
		if in[j] != out[i] {
			return nil, fmt.Errorf("shape %v does not broadcast to %v", in, out)
		}
		stride[i] = n
		n *= in[j]
	}
	if n == volume(out) {
		return nil, nil
	}
	return table(out, func(at []int) int {
		k := 0
		for i, a := range at {
			k += a * stride[i]
		}
		return k
	}), nil
}

// table evaluates f at every index of a shape, in row-major order.
func table(shape []int, f func(at []int) int) []int32 {
	t := make([]int32, volume(shape))
	at := make([]int, len(shape))
	for i := range t {
		t[i] = int32(f(at))
		for d := len(at) - 1; d >= 0; d-- {
			if at[d]++; at[d] < shape[d] {
				break
			}
			at[d] = 0
		}
	}
	return t
}

// pairs is an element-wise operator of two inputs: the tables map output elements to input elements.
type pairs struct {
	a, b []int32
	kind tflite.Type
}

func newPairs(n *node) (*pairs, error) {
	kind, err := n.kind(n.in[0], n.in[1], n.out[0])
	if err != nil {
		return nil, err
	}
	// The output has the larger of the two sizes in each dimension.
	a, b := n.in[0].Shape, n.in[1].Shape
	want := make([]int, max(len(a), len(b)))
	for i := range want {
		want[i] = 1
		for _, s := range [][]int{a, b} {
			if j := i - (len(want) - len(s)); j >= 0 {
				want[i] = max(want[i], s[j])
			}
		}
	}
	if err := n.sameShape(n.out[0], want); err != nil {
		return nil, err
	}
	p := &pairs{kind: kind}
	if p.a, err = broadcastTable(a, want); err != nil {
		return nil, err
	}
	p.b, err = broadcastTable(b, want)
	return p, err
}

// each calls f with output and input elements.
func (p *pairs) each(n int, f func(i, a, b int)) {
	for i := range n {
		a, b := i, i
		if p.a != nil {
			a = int(p.a[i])
		}
		if p.b != nil {
			b = int(p.b[i])
		}
		f(i, a, b)
	}
}

// runFloat is the float32 kernel of a function of two values.
func (p *pairs) runFloat(n *node, act tflite.Activation, f func(a, b float32) float32) (func(), error) {
	lo, hi, err := activationFloat(act)
	x, z, y := n.in[0].Float32(), n.in[1].Float32(), n.out[0].Float32()
	return func() {
		p.each(len(y), func(i, a, b int) { y[i] = min(max(f(x[a], z[b]), lo), hi) })
	}, err
}

// runInt8 is the int8 kernel of a function of two codes less their zero points; the result is clamped.
func (p *pairs) runInt8(n *node, act tflite.Activation, f func(a, b int32) int32) (func(), error) {
	lo, hi, err := activationRange(act, n.out[0])
	x, z, y := n.in[0].Int8(), n.in[1].Int8(), n.out[0].Int8()
	zx, zz, zy := zeroOf(n.in[0]), zeroOf(n.in[1]), zeroOf(n.out[0])
	return func() {
		p.each(len(y), func(i, a, b int) { y[i] = clamp8(f(int32(x[a])-zx, int32(z[b])-zz)+zy, lo, hi) })
	}, err
}

// rescaled brings both operands to a common fine scale and the result of f back to the output's (add_common.cc). shift is the number of extra bits;
// power is 1 for results in the scale of the operands, 2 for their product.
func (p *pairs) rescaled(n *node, act tflite.Activation, shift, power int, f func(a, b int32) int32) (func(), error) {
	sa, sb, sy := scaleOf(n.in[0]), scaleOf(n.in[1]), scaleOf(n.out[0])
	twice := 2 * max(sa, sb)
	ma, mb := newMultiplier(sa/twice), newMultiplier(sb/twice)
	fine := twice / float64(int64(1)<<shift)
	back := fine / sy
	if power == 2 {
		back = twice * twice / (float64(int64(1)<<(2*shift)) * sy)
	}
	my := newMultiplier(back)
	if run, err := p.tabled(n, act, my, f, codeTable(n.in[0], ma, shift), codeTable(n.in[1], mb, shift)); run != nil && power == 1 || err != nil {
		return run, err
	}
	return p.runInt8(n, act, func(a, b int32) int32 {
		return my.times(f(ma.times(a<<shift), mb.times(b<<shift)))
	})
}

// codeTable is what an operand's code becomes in the fine scale.
func codeTable(t *Tensor, m multiplier, shift int) *[256]int32 {
	table, zero := new([256]int32), zeroOf(t)
	for i := range table {
		table[i] = m.times((int32(int8(i)) - zero) << shift)
	}
	return table
}

// tabled is rescaled for operands in step, by tables and a vector pass; nil where sums may leave 30 bits.
func (p *pairs) tabled(n *node, act tflite.Activation, back multiplier, f func(a, b int32) int32, ta, tb *[256]int32) (func(), error) {
	if n.plain || p.a != nil || p.b != nil || back.shift > 0 || largest(ta) >= 1<<28 || largest(tb) >= 1<<28 {
		return nil, nil
	}
	lo, hi, err := activationRange(act, n.out[0])
	if err != nil {
		return nil, err
	}
	r := compute.NewRescaler(back.m, int32(back.shift), zeroOf(n.out[0]), lo, hi)
	x, z, y := n.in[0].Int8(), n.in[1].Int8(), n.out[0].Int8()
	sums := make([]int32, min(len(y), 1<<12))
	return func() {
		for at := 0; at < len(y); at += len(sums) {
			to := y[at:min(at+len(sums), len(y))]
			a, b := x[at:at+len(to)], z[at:at+len(to)]
			for i := range to {
				sums[i] = f(ta[uint8(a[i])], tb[uint8(b[i])])
			}
			r.Run(to, sums)
		}
	}, nil
}

func largest(t *[256]int32) int32 {
	m := int32(0)
	for _, v := range t {
		m = max(m, v, -v)
	}
	return m
}
