package temper

import (
	"fmt"
	"slices"
	"strings"
)

// rows is the recipe table. A row is a way of conditioning, or several.
var rows = []struct{ name, doc, steps string }{
	{"ptq", "quantized after training", "[ptq]"},
	{"qat", "quantization-aware training", "[qat]"},
	{"prune", "four of five weights zero", "[prune]"},
	{"cluster", "16 codes a layer, on the int8 grid", "[cluster]"},
	{"prune-cluster", "both", "[prune, cluster]"},
	{"pqat", "pruned, then quantization-aware training", "[prune, qat]"},
	{"cqat", "clustered, then quantization-aware training", "[cluster, qat]"},
	{"pcqat", "pruned, clustered, then quantization-aware training", "[prune, cluster, qat]"},

	{"arm-ptq", "Arm's example of quantization after training", "[ptq]"},
	{"arm-qat", "Arm's example of quantization-aware training", "[qat: {epochs: 1}]"},
	{"arm-prune", "Arm's example of pruning: three of four weights zero, in every layer and at once", `[prune: {sparsity: 0.75, schedule: constant, end: -1, epochs: 1, learning-rate: 0.004, layers: [{match: "*"}]}]`},
	{"arm-cluster", "Arm's example of clustering: 16 codes in every layer, at first evenly spaced", `[cluster: {codes: 16, init: linear, epochs: 1, layers: [{match: "*"}]}]`},
}

// groups are names of several rows.
var groups = []struct {
	name, doc string
	rows      []string
}{
	{"all", "the default: all ways of Temper", []string{"ptq", "qat", "prune", "cluster", "prune-cluster", "pqat", "cqat", "pcqat"}},
	{"arm", "Arm's four examples", []string{"arm-ptq", "arm-qat", "arm-prune", "arm-cluster"}},
}

// head is what the rows have in common: Arm's network on MNIST, five epochs.
const head = "model: arm-example\ndata: mnist\n"

// Default is the recipe all.
func Default() (Recipe, error) { return NamedRecipe("all") }

// NamedRecipe is Arm's example network on MNIST, conditioned in the ways of rows or groups of the recipe table (see RecipeTable).
func NamedRecipe(names ...string) (Recipe, error) {
	text, known := head+"results:\n", []string{}
	steps := map[string]string{}
	for _, r := range rows {
		steps[r.name] = r.steps
		known = append(known, r.name)
	}
	var wanted []string
	for _, name := range names {
		members := []string{name}
		for _, g := range groups {
			if g.name == name {
				members = g.rows
			}
		}
		wanted = append(wanted, members...)
	}
	for i, name := range wanted {
		if steps[name] == "" {
			for _, g := range groups {
				known = append(known, g.name)
			}
			return Recipe{}, unknown("recipe", name, known)
		}
		if !slices.Contains(wanted[:i], name) {
			text += fmt.Sprintf("  %s: %s\n", name, steps[name])
		}
	}
	return ParseRecipe([]byte(text))
}

// RecipeTable is the table of named recipes as text: name, what it does, its steps.
func RecipeTable() string {
	var s strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&s, "  %-14s %s\n                 steps: %s\n", r.name, r.doc, r.steps)
	}
	for _, g := range groups {
		fmt.Fprintf(&s, "  %-14s %s: %s\n", g.name, g.doc, strings.Join(g.rows, ", "))
	}
	return s.String()
}
