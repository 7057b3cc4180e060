package graph

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/temper-ml/temper/internal/atomicfile"
)

// Checkpoint is everything that a training run needs to go on: the graph with its numbers, and the state of the trainer. As a file it is a
// safetensors file (github.com/huggingface/safetensors, format.md): Vars are F32 tensors under their names, the trainer's arrays have the prefix
// "state:", and the graph's text form, the trainer's settings and a checksum are in the metadata.
type Checkpoint struct {
	Graph *Graph
	State map[string][]float32 // of the trainer: moments of the solver, ...
	Meta  map[string]string    // of the trainer: step, seed, ...
}

const (
	graphKey    = "temper.graph"
	versionKey  = "temper.version"
	version     = "1"
	metaPrefix  = "meta:"
	statePrefix = "state:"
)

// Save writes the checkpoint to a file: completely or not at all.
func (c *Checkpoint) Save(path string) error {
	data, err := c.Marshal()
	if err != nil {
		return fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return atomicfile.WriteBytes(path, data)
}

// Load reads a checkpoint file.
func Load(path string) (*Checkpoint, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	c, err := Unmarshal(data)
	if err != nil {
		return nil, fmt.Errorf("checkpoint %s: %w", path, err)
	}
	return c, nil
}

// Marshal is the checkpoint as the bytes of a safetensors file; equal checkpoints give equal bytes.
func (c *Checkpoint) Marshal() ([]byte, error) {
	if err := c.Graph.Check(); err != nil {
		return nil, err
	}
	meta := map[string]string{graphKey: c.Graph.String(), versionKey: version}
	for k, v := range c.Meta {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return nil, fmt.Errorf("metadata %q is not UTF-8", k)
		}
		meta[metaPrefix+k] = v
	}
	var tensors []namedTensor
	for _, v := range c.Graph.Vars {
		tensors = append(tensors, namedTensor{v.Name, v.Shape, v.Data})
	}
	for k, x := range c.State {
		if !utf8.ValidString(k) {
			return nil, fmt.Errorf("the name %q of a state is not UTF-8", k)
		}
		tensors = append(tensors, namedTensor{statePrefix + k, Shape{len(x)}, x})
	}
	slices.SortFunc(tensors, func(a, b namedTensor) int { return strings.Compare(a.name, b.name) })
	return writeSafetensors(meta, tensors)
}

// Unmarshal reads the bytes of a checkpoint, which may come from anywhere.
func Unmarshal(data []byte) (*Checkpoint, error) {
	meta, tensors, err := readSafetensors(data)
	if err != nil {
		return nil, err
	}
	text, ok := meta[graphKey]
	if !ok {
		return nil, fmt.Errorf("a safetensors file without a Temper graph (metadata %q is missing)", graphKey)
	}
	if v := meta[versionKey]; v != version {
		return nil, fmt.Errorf("checkpoint version %q, this program reads %q", v, version)
	}
	// The numbers are in the file: a graph whose Vars hold more cannot be right, and is refused before memory is taken.
	g, err := parse(text, len(data)/4)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{Graph: g, State: map[string][]float32{}, Meta: map[string]string{}}
	for k, v := range meta {
		if name, ok := strings.CutPrefix(k, metaPrefix); ok {
			c.Meta[name] = v
		}
	}
	found := map[string]bool{}
	for _, t := range tensors {
		if name, ok := strings.CutPrefix(t.name, statePrefix); ok {
			c.State[name] = t.data
			continue
		}
		v := g.Var(t.name)
		if v == nil {
			return nil, fmt.Errorf("tensor %s is not a var of the graph", t.name)
		}
		if !v.Shape.Equal(t.shape) {
			return nil, fmt.Errorf("tensor %s has shape %v, the graph says %v", t.name, t.shape, v.Shape)
		}
		v.Data, found[t.name] = t.data, true
	}
	for _, v := range g.Vars {
		if !found[v.Name] {
			return nil, fmt.Errorf("var %s has no tensor", v.Name)
		}
	}
	return c, nil
}
