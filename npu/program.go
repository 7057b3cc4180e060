package npu

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
)

// Custom is the custom_code of operators that run on the NPU.
const Custom = "ethos-u"

// The regions by which a program addresses memory, after the operator's inputs.
const (
	RegionConstants = 0 // weights, scales, tables, constants: read-only
	RegionArena     = 1 // the tensor arena, which holds inputs and outputs
	RegionFast      = 2 // fast memory, or the arena again
)

// Program is one operator of a compiled file: what the NPU executes, and where its tensors lie.
type Program struct {
	Target    arch.Target
	Payload   *isa.Payload1
	Commands  []isa.Command
	Constants []byte
	Arena     int // bytes
	Fast      int // bytes of the fast memory; 0 if region 2 is the arena
	Inputs    []Place
	Outputs   []Place
}

// Place is a tensor in the arena.
type Place struct {
	Tensor int // index in the file
	Offset int // in the arena
	Size   int // bytes
}

// Compiled tells whether a model has an operator for the NPU.
func Compiled(m *tflite.Model) bool {
	for _, g := range m.Subgraphs {
		for _, o := range g.Operators {
			if isNPU(o) {
				return true
			}
		}
	}
	return false
}

func isNPU(o *tflite.Operator) bool { return o.Code == tflite.CUSTOM && o.Custom == Custom }

// ReadPrograms reads all NPU operators of a compiled file, by the index of the operator in the entry subgraph. Errors name operator and rule.
func ReadPrograms(m *tflite.Model) (map[int]*Program, error) {
	if len(m.Subgraphs) == 0 {
		return nil, fmt.Errorf("the model has no subgraph")
	}
	g := m.Subgraphs[0]
	offsets, err := arenaOffsets(m)
	if err != nil {
		return nil, err
	}
	programs := map[int]*Program{}
	for i, o := range g.Operators {
		if !isNPU(o) {
			continue
		}
		p, err := readProgram(g, o, offsets)
		if err != nil {
			return nil, fmt.Errorf("operator %d (%s): %w", i, Custom, err)
		}
		programs[i] = p
	}
	if len(programs) == 0 {
		return nil, fmt.Errorf("the model has no operator %s: it is not compiled for the NPU", Custom)
	}
	return programs, nil
}

// arenaOffsets decodes the metadata OfflineMemoryAllocation: version, number of subgraphs, number of tensors, an offset each; -1 is a tensor that the
// runtime places. It is nil where the file has none.
func arenaOffsets(m *tflite.Model) ([]int, error) {
	for _, md := range m.Metadata {
		if md.Name != "OfflineMemoryAllocation" {
			continue
		}
		n := len(m.Subgraphs[0].Tensors)
		word := func(i int) int { return int(int32(binary.LittleEndian.Uint32(md.Data[4*i:]))) }
		if len(md.Data)%4 != 0 || len(md.Data) < 12 || word(0) != 0 || word(2) != n || len(md.Data) < 4*(3+n) {
			return nil, fmt.Errorf("metadata OfflineMemoryAllocation of %d bytes is not version 0 with an offset for each of %d tensors", len(md.Data), n)
		}
		offsets := make([]int, n)
		for i := range offsets {
			offsets[i] = word(3 + i)
		}
		return offsets, nil
	}
	return nil, nil
}

func readProgram(g *tflite.Graph, o *tflite.Operator, offsets []int) (*Program, error) {
	if len(o.Inputs) < 4 {
		return nil, fmt.Errorf("%d inputs, want command stream, constants, arena, fast memory, and the network's inputs", len(o.Inputs))
	}
	for i, t := range o.Inputs {
		if t < 0 {
			return nil, fmt.Errorf("input %d is missing", i)
		}
	}
	stream, constants := g.Tensors[o.Inputs[0]], g.Tensors[o.Inputs[1]]
	if stream.Data == nil {
		return nil, fmt.Errorf("the command stream %s has no contents", stream.Name)
	}
	p := &Program{}
	var err error
	if p.Payload, err = isa.ReadPayload(stream.Data); err != nil {
		return nil, err
	}
	if p.Target, err = arch.FromConfig(p.Payload.Config); err != nil {
		return nil, err
	}
	if p.Commands, err = isa.Decode(p.Payload.Stream); err != nil {
		return nil, err
	}
	if p.Constants = constants.Data; p.Constants == nil && constants.Volume() > 0 {
		return nil, fmt.Errorf("the constants %s have no contents", constants.Name)
	}
	if p.Arena, err = sizeOf(g.Tensors[o.Inputs[2]]); err != nil {
		return nil, err
	}
	if o.Inputs[3] != o.Inputs[2] {
		if p.Fast, err = sizeOf(g.Tensors[o.Inputs[3]]); err != nil {
			return nil, err
		}
	}
	if p.Inputs, err = places(g, o.Inputs[4:], offsets, p.Arena); err != nil {
		return nil, err
	}
	p.Outputs, err = places(g, o.Outputs, offsets, p.Arena)
	return p, err
}

// maxArena bounds memory that a file may ask for.
const maxArena = 1 << 30

func sizeOf(t *tflite.Tensor) (int, error) {
	if n := t.Volume() * t.Type.Size(); n <= maxArena && t.Type.Size() > 0 {
		return n, nil
	}
	return 0, fmt.Errorf("tensor %s, %s of shape %v, is no memory of at most %d bytes", t.Name, t.Type, t.Shape, maxArena)
}

// places finds tensors in the arena.
func places(g *tflite.Graph, tensors []int, offsets []int, arena int) ([]Place, error) {
	var list []Place
	for _, i := range tensors {
		t := g.Tensors[i]
		size, err := sizeOf(t)
		if err != nil {
			return nil, err
		}
		if offsets == nil || offsets[i] < 0 {
			return nil, fmt.Errorf("tensor %s has no place in the arena (metadata OfflineMemoryAllocation); "+
				"files with separate input and output regions are not supported", t.Name)
		}
		if offsets[i] > arena-size {
			return nil, fmt.Errorf("tensor %s, %d bytes at offset %d, is outside the arena of %d bytes", t.Name, size, offsets[i], arena)
		}
		list = append(list, Place{i, offsets[i], size})
	}
	return list, nil
}

// String is a program in words: target, memory, tensors, and the command stream as text.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "program for %s (configuration 0x%08x, architecture 0x%08x, optimizer %d.%d)\n",
		p.Target.Name, p.Payload.Config, p.Payload.ID, p.Payload.Release, p.Payload.Patch)
	fmt.Fprintf(&b, "region 0: %d bytes of constants; region 1: arena of %d bytes", len(p.Constants), p.Arena)
	if p.Fast > 0 {
		fmt.Fprintf(&b, "; region 2: fast memory of %d bytes", p.Fast)
	}
	b.WriteString("\n")
	for _, x := range p.Inputs {
		fmt.Fprintf(&b, "input t%d: %d bytes at %d\n", x.Tensor, x.Size, x.Offset)
	}
	for _, x := range p.Outputs {
		fmt.Fprintf(&b, "output t%d: %d bytes at %d\n", x.Tensor, x.Size, x.Offset)
	}
	fmt.Fprintf(&b, "%d commands, %d bytes\n", len(p.Commands), len(p.Payload.Stream))
	_ = isa.Disassemble(&b, p.Commands) // a strings.Builder takes everything
	return b.String()
}
