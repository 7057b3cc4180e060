// Package models has the reference networks by name: Arm's example, the networks of MLPerf Tiny, and small MobileNets. They end in logits
// unless Options.Softmax is set.
package models

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/layers"
)

// Options adapt a network. Zero fields keep what the network was made for.
type Options struct {
	Seed    uint64
	Input   layers.Shape
	Classes int
	Softmax bool // end in softmax instead of logits
}

// network is an entry: the layers for an input shape and a number of classes.
type network struct {
	input   layers.Shape
	classes int
	layers  func(input layers.Shape, classes int) layers.Sequential
}

var networks = map[string]network{}

// register is called from the init function of each network's file.
func register(name string, n network) { networks[name] = n }

// Names lists the networks.
func Names() []string {
	var names []string
	for n := range networks {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// ByName returns a network. The error for a name that is none of Names suggests the nearest.
func ByName(name string, o Options) (layers.Model, error) {
	n, ok := networks[name]
	if !ok {
		return layers.Model{}, fmt.Errorf("unknown model %q: did you mean %s? Known are %s", name, nearest(name), strings.Join(Names(), ", "))
	}
	if o.Classes < 0 {
		return layers.Model{}, fmt.Errorf("model %s with %d classes", name, o.Classes)
	}
	if o.Input == nil {
		o.Input = n.input
	}
	if o.Classes == 0 {
		o.Classes = n.classes
	}
	l := n.layers(o.Input, o.Classes)
	if o.Softmax {
		l = append(l, layers.Softmax)
	}
	return layers.Model{Name: name, Seed: o.Seed, Input: o.Input, Layer: l}, nil
}

// norm is BatchNorm with ReLU.
var norm = layers.BatchNorm{Activation: layers.ReLU}
