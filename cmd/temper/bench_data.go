package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/layers/models"
)

// benchNet is a network to measure: a name of layers/models, with @HxWxC for another input than its usual one.
type benchNet struct {
	name    string // as the user wrote it
	input   layers.Shape
	classes int // 0: the targets are the inputs
	mnist   bool
}

// newBenchNet reads NAME or NAME@HxWxC. Networks for images of one channel train on MNIST unless a shape is given, others on random bytes of
// their own shape.
func newBenchNet(spec string) (benchNet, error) {
	name, shape, given := strings.Cut(spec, "@")
	var o models.Options
	if given {
		for _, s := range strings.Split(shape, "x") {
			d, err := strconv.Atoi(s)
			if err != nil || d < 1 || d > 1<<16 {
				return benchNet{}, usageError{fmt.Errorf("model %s: %q is no shape such as 49x10x1", spec, shape)}
			}
			o.Input = append(o.Input, d)
		}
	}
	m, err := models.ByName(name, o)
	if err != nil {
		return benchNet{}, usageError{err}
	}
	n := benchNet{name: spec, input: m.Input}
	if n.mnist = !given && len(m.Input) == 3 && m.Input[2] == 1; n.mnist {
		n.input, n.classes = layers.Shape{28, 28, 1}, 10
		return n, nil
	}
	g, err := m.Trace()
	if err != nil {
		return benchNet{}, usageError{fmt.Errorf("model %s: %w", spec, err)}
	}
	if out := g.Outputs[0].Shape.Volume(); out != g.Input().Shape.Volume() {
		n.classes = out
	}
	return n, nil
}

// write makes the file that both sides read: x [n,...] uint8, whose value is x/255, and for a classifier y [n] and the number of classes. n is
// at least the largest batch.
func (n benchNet) write(dir string, batch int) (string, error) {
	path := filepath.Join(dir, strings.ReplaceAll(n.name, "/", "_")+".npz")
	var x []byte
	var y []int32
	if n.mnist {
		digits, err := mnist.Load()
		if err != nil {
			return "", err
		}
		x, y = bytesOf(digits.Train)
	} else {
		x, y = noise(n, max(batch, randomExamples))
	}
	arrays := map[string]*npz.Array{"x": {Shape: append([]int{len(y)}, n.input...), Data: x}}
	if n.classes > 0 {
		arrays["y"] = &npz.Array{Shape: []int{len(y)}, Data: y}
		arrays["classes"] = &npz.Array{Data: []int32{int32(n.classes)}}
	}
	return path, npz.Write(path, arrays)
}

// randomExamples is the size of a random data set, more where a batch is larger.
const randomExamples = 4096

// bytesOf turns a set of values in [0, 1] into bytes and classes.
func bytesOf(s *datasets.Set) (x []byte, y []int32) {
	volume := 1
	for _, d := range s.Shape() {
		volume *= d
	}
	x, y = make([]byte, s.Len()*volume), make([]int32, s.Len())
	values, target := make([]float32, volume), make([]float32, s.TargetLen())
	for i := range y {
		s.Example(i, values, target)
		y[i] = int32(s.Label(i))
		for k, v := range values {
			x[i*volume+k] = byte(v*255 + 0.5)
		}
	}
	return x, y
}

// noise is random images and classes, the same in every run.
func noise(n benchNet, examples int) (x []byte, y []int32) {
	r := rand.New(rand.NewPCG(1, 1))
	volume := 1
	for _, d := range n.input {
		volume *= d
	}
	x, y = make([]byte, examples*volume), make([]int32, examples)
	for i := range x {
		x[i] = byte(r.Uint32())
	}
	for i := range y {
		y[i] = int32(r.IntN(max(n.classes, 1)))
	}
	return x, y
}

// readBenchData reads such a file.
func readBenchData(path string) (data *datasets.Set, err error) {
	arrays, err := npz.Read(path)
	if err != nil {
		return nil, err
	}
	x := arrays["x"]
	pixels, ok := []byte(nil), false
	if x != nil {
		pixels, ok = x.Data.([]byte)
	}
	if !ok || len(x.Shape) < 2 || x.Shape[0] == 0 {
		return nil, fmt.Errorf("%s: want an array x [n,...] of uint8", path)
	}
	labels, classes := make([]int32, x.Shape[0]), 1
	y, c := arrays["y"], arrays["classes"]
	if y != nil {
		values := y.Float32s()
		if c == nil || len(c.Float32s()) != 1 || len(values) != len(labels) {
			return nil, fmt.Errorf("%s: y [n] needs the number classes, and as many elements as x", path)
		}
		classes = int(c.Float32s()[0])
		for i, v := range values {
			labels[i] = int32(v)
		}
	}
	names := make([]string, classes)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	data, err = datasets.FromBytes(filepath.Base(path), x.Shape[1:], pixels, 1.0/255, 0, labels, names)
	if err != nil || y != nil {
		return data, err
	}
	return data.AsAutoencoder(), nil
}

// graph is the network for its input.
func (n benchNet) graph() (*graph.Graph, error) {
	name, _, _ := strings.Cut(n.name, "@")
	m, err := models.ByName(name, models.Options{Seed: 1, Input: n.input, Classes: n.classes})
	if err != nil {
		return nil, usageError{err}
	}
	return m.Trace()
}
