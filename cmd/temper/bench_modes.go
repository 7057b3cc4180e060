package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/optim"
)

// benchMode is a way of training that bench measures; peer/peer.py has the same under the same name.
type benchMode struct {
	name string
	// condition changes the graph, and returns what must run around the steps.
	condition func(g *graph.Graph, data *datasets.Set) ([]optim.Hook, error)
}

// benchModes are all of them: one entry each.
var benchModes = []benchMode{
	{"float", func(*graph.Graph, *datasets.Set) ([]optim.Hook, error) { return nil, nil }},
	{"qat", func(g *graph.Graph, data *datasets.Set) ([]optim.Hook, error) {
		return nil, fakequant.QAT{Config: fakequant.Config{Calibration: data.Sample(200, 1)}}.Apply(g)
	}},
}

func benchModeNames() []string {
	var names []string
	for _, m := range benchModes {
		names = append(names, m.name)
	}
	return names
}

func benchModeOf(name string) (benchMode, error) {
	i := slices.IndexFunc(benchModes, func(m benchMode) bool { return m.name == name })
	if i < 0 {
		return benchMode{}, usageError{fmt.Errorf("mode %q is none of %s", name, strings.Join(benchModeNames(), ", "))}
	}
	return benchModes[i], nil
}
