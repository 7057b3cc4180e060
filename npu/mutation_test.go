package npu

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/golden"
	"github.com/temper-ml/temper/npu/isa"
)

// mutation changes a program at one of its sites; it returns nil where there is nothing to change at the i-th command.
type mutation struct {
	name   string
	mutate func(list []isa.Command, i int) []isa.Command
}

// drop leaves out commands.
func drop(op isa.Op) func([]isa.Command, int) []isa.Command {
	return func(list []isa.Command, i int) []isa.Command {
		if list[i].Op != op {
			return nil
		}
		return slices.Delete(slices.Clone(list), i, i+1)
	}
}

// change replaces a command; f returns false where it has nothing to change.
func change(f func(c *isa.Command) bool, ops ...isa.Op) func([]isa.Command, int) []isa.Command {
	return func(list []isa.Command, i int) []isa.Command {
		if !slices.Contains(ops, list[i].Op) {
			return nil
		}
		list = slices.Clone(list)
		if !f(&list[i]) {
			return nil
		}
		return list
	}
}

func move(by int64) func(c *isa.Command) bool {
	return func(c *isa.Command) bool { *c = isa.WithAddress(c.Op, int64(c.Address())+by); return true }
}

func param(f func(p uint16) uint16) func(c *isa.Command) bool {
	return func(c *isa.Command) bool {
		before := c.Param
		c.Param = f(c.Param)
		return c.Param != before
	}
}

// swapTiles exchanges the bases of the upper and the lower tile of an operation that has both.
func swapTiles(list []isa.Command, i int) []isa.Command {
	o := operationAt(list, i)
	if o == nil || o.Kernel == nil || o.Kernel.IFM.Height0 >= o.Kernel.IFM.Height {
		return nil
	}
	b := o.Kernel.IFM.Base
	return slices.Insert(slices.Clone(list), i, isa.WithAddress(isa.SET_IFM_BASE0, int64(b[2])), isa.WithAddress(isa.SET_IFM_BASE2, int64(b[0])))
}

// operationAt is the operation that the i-th command starts.
func operationAt(list []isa.Command, i int) *isa.Operation {
	for _, o := range isa.Operations(list[:i+1]) {
		if o.Command == i {
			return &o
		}
	}
	return nil
}

var mutations = []mutation{
	{"a dropped DMA wait", drop(isa.OP_DMA_WAIT)},
	{"a dropped kernel wait", drop(isa.OP_KERNEL_WAIT)},
	{"a dropped transfer", drop(isa.OP_DMA_START)},
	{"a dropped kernel", func(l []isa.Command, i int) []isa.Command {
		if o := l[i].Op; o != isa.OP_CONV && o != isa.OP_DEPTHWISE && o != isa.OP_POOL && o != isa.OP_ELEMENTWISE {
			return nil
		}
		return slices.Delete(slices.Clone(l), i, i+1)
	}},
	{"BLOCKDEP one more", change(param(func(p uint16) uint16 { return min(p+1, 3) }), isa.SET_BLOCKDEP)},
	{"an input's base moved by 16", change(move(16), isa.SET_IFM_BASE0, isa.SET_IFM2_BASE0)},
	{"an output's base moved by 16", change(move(16), isa.SET_OFM_BASE0)},
	{"the base of weights moved by 16", change(move(16), isa.SET_WEIGHT_BASE)},
	{"the base of scales moved by 16", change(move(16), isa.SET_SCALE_BASE)},
	{"a transfer's source moved by 16", change(move(16), isa.SET_DMA0_SRC)},
	{"a transfer's length less 16", change(move(-16), isa.SET_DMA0_LEN)},
	{"swapped tiles", swapTiles},
	{"a row stride of 16 more", change(move(16), isa.SET_IFM_STRIDE_Y, isa.SET_OFM_STRIDE_Y)},
	{"another rounding", change(param(func(p uint16) uint16 { return p ^ 1<<15 }), isa.SET_OFM_PRECISION)},
	{"rounding towards zero", change(param(func(p uint16) uint16 { return p&0x3fff | 1<<14 }), isa.SET_OFM_PRECISION)},
	{"another layout", change(param(func(p uint16) uint16 { return p ^ 1<<6 }), isa.SET_IFM_PRECISION, isa.SET_OFM_PRECISION)},
	{"a zero point of one more", change(param(func(p uint16) uint16 { return p + 1 }), isa.SET_IFM_ZERO_POINT, isa.SET_OFM_ZERO_POINT, isa.SET_IFM2_ZERO_POINT)},
	{"an activation limit of 5 less", change(param(func(p uint16) uint16 { return p - 5 }), isa.SET_ACTIVATION_MAX)},
	{"another weight order", change(param(func(p uint16) uint16 { return p ^ 4 }), isa.SET_KERNEL_STRIDE)},
	{"half a block's depth", change(param(func(p uint16) uint16 { return (p+1)/2 - 1 }), isa.SET_OFM_BLK_DEPTH)},
	{"one padding less", change(param(func(p uint16) uint16 { return max(p, 1) - 1 }), isa.SET_IFM_PAD_TOP, isa.SET_IFM_PAD_LEFT)},
	{"a shift of one more", change(param(func(p uint16) uint16 { return p + 1 }), isa.SET_OFM_SCALE, isa.SET_OPA_SCALE)},
	{"the next table", change(param(func(p uint16) uint16 {
		if p&0x1f < 16 {
			return p
		}
		return p + 1
	}), isa.SET_ACTIVATION)},
	{"a misaligned base", change(move(8), isa.SET_WEIGHT_BASE, isa.SET_SCALE_BASE)},
	{"an input buffer of 2 banks less", change(param(func(p uint16) uint16 { return p - 2 }), isa.SET_IFM_IB_END)},
	{"accumulators 2 banks later", change(param(func(p uint16) uint16 { return p + 2 }), isa.SET_AB_START)},
}

// setup is a file whose program is changed.
type setup struct {
	name string
	m    *tflite.Model
	at   int // the operator
	p    *Program
	v    vectors
}

func setups(t *testing.T) []setup {
	files, err := filepath.Glob("testdata/*.tflite")
	if err != nil || len(files) == 0 {
		t.Fatal("no files in testdata", err)
	}
	var list []setup
	for _, path := range files {
		name, _, _ := strings.Cut(filepath.Base(path), "__")
		m, all := programs(t, path)
		for i, p := range all {
			v := readVectors(t, filepath.Join("testdata", name+".npz"), false)
			list = append(list, setup{filepath.Base(path), m, i, p, more(t, m, v)})
		}
	}
	return list
}

// more adds random inputs, with what the file itself makes of them: softmax nets have few different outputs.
func more(t *testing.T, m *tflite.Model, v vectors) vectors {
	it, err := NewSimulator(m)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 8 {
		for i, in := range it.Inputs() {
			b := in.Bytes()
			for j := range b {
				b[j] = byte(r.IntN(256) >> (n % 4 * 2))
			}
			v.in[i] = append(v.in[i], b...)
		}
		if it.Invoke(); it.Err() != nil {
			t.Fatal(it.Err())
		}
		for i, out := range it.Outputs() {
			v.out[i] = append(v.out[i], out.Bytes()...)
		}
	}
	v.n += 8
	return v
}

// with is the model with another command stream.
func (s setup) with(list []isa.Command) (*tflite.Model, error) {
	q := *s.p.Payload
	q.Stream = isa.Encode(list)
	b, err := q.Marshal()
	if err != nil {
		return nil, err
	}
	m := *s.m
	g := *m.Subgraphs[0]
	m.Subgraphs = []*tflite.Graph{&g}
	g.Tensors = slices.Clone(g.Tensors)
	at := g.Operators[s.at].Inputs[0]
	x := *g.Tensors[at]
	x.Data, x.Shape = b, []int{len(b)}
	g.Tensors[at] = &x
	return &m, nil
}

// TestMutations: what each change of a good program is found by. The table is a golden file; the changes that hurt on any hardware must all be found.
func TestMutations(t *testing.T) {
	all := setups(t)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%-34s %6s %10s %8s %6s %10s\n", "change", "sites", "simulator", "hazards", "lint", "not found")
	for _, mu := range mutations {
		var sites, bySim, byHazard, byLint, missed int
		for _, s := range all {
			for i := range s.p.Commands {
				list := mu.mutate(s.p.Commands, i)
				if list == nil {
					continue
				}
				sites++
				sim, hazard, lint := s.detect(t, list)
				if sim {
					bySim++
				}
				if hazard {
					byHazard++
				}
				if lint {
					byLint++
				}
				if !sim && !hazard && !lint {
					missed++
					if testing.Verbose() {
						t.Logf("%s: %s at command %d (%s) is not found", mu.name, s.name, i, s.p.Commands[i])
					}
				}
			}
		}
		fmt.Fprintf(&out, "%-34s %6d %10d %8d %6d %10d\n", mu.name, sites, bySim, byHazard, byLint, missed)
	}
	golden.Equal(t, "testdata/mutations.txt", out.Bytes())
}

// detect runs a changed program and checks it.
func (s setup) detect(t *testing.T, list []isa.Command) (sim, hazard, lint bool) {
	m, err := s.with(list)
	if err != nil {
		t.Fatal(err)
	}
	programs, err := ReadPrograms(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range programs[s.at].Check() {
		switch f.Rule {
		case "dma-wait", "kernel-wait", "blockdep", "in-place", "table", "uninitialized", "overwritten", "constant", "output", "bounds", "memory":
			hazard = true
		default:
			lint = true
		}
	}
	it, err := NewSimulator(m)
	if err != nil {
		t.Fatal(err)
	}
	differ, _, err := s.v.compare(it)
	return err != nil || differ > 0, hazard, lint
}

// TestWeightMutations: a flipped bit in weights or scales changes the result, or the stream is refused.
func TestWeightMutations(t *testing.T) {
	for _, s := range setups(t) {
		found, sites := 0, 0
		n := len(s.p.Constants)
		for i := 0; i < n; i += max(1, n/24) {
			m, err := s.with(s.p.Commands)
			if err != nil {
				t.Fatal(err)
			}
			g := m.Subgraphs[0]
			x := *g.Tensors[g.Operators[s.at].Inputs[1]]
			x.Data = slices.Clone(x.Data)
			x.Data[i] ^= 1 << (i % 8)
			g.Tensors[g.Operators[s.at].Inputs[1]] = &x
			it, err := NewSimulator(m)
			if err != nil {
				t.Fatal(err)
			}
			sites++
			if differ, _, err := s.v.compare(it); err != nil || differ > 0 {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s: none of %d flipped bits of its constants changes anything", s.name, sites)
		}
	}
}

// TestFrozen is TestCorpus and TestNoFindings on the files in testdata.
func TestFrozen(t *testing.T) {
	for _, s := range setups(t) {
		for _, f := range s.p.Check() {
			t.Errorf("%s: %v", s.name, f)
		}
		it, err := NewSimulator(s.m)
		if err != nil {
			t.Fatal(err)
		}
		if differ, total, err := s.v.compare(it); err != nil || differ > 0 {
			t.Errorf("%s: %d of %d bytes differ, %v", s.name, differ, total, err)
		}
	}
}
