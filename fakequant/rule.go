package fakequant

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/temper-ml/temper/graph"
)

// Rule overrides the configuration for layers by name.
type Rule struct {
	Match           string // a path.Match pattern of the layer path, such as "conv2d_1" or "block*/conv2d"; or of the kind, such as "Dense"
	Skip            bool   // leave the layer's kernel and output in float; such a network cannot be exported as int8
	WeightBits      int    // 0: as in the Config
	PerChannelDense bool
}

// rule returns what holds for one Op.
func (c Config) rule(o *graph.Op) Rule {
	found := Rule{}
	for _, r := range c.Rules {
		if r.matches(o) {
			found = r
			break
		}
	}
	if found.WeightBits == 0 {
		found.WeightBits = c.WeightBits
	}
	if found.WeightBits == 0 {
		found.WeightBits = 8
	}
	found.PerChannelDense = found.PerChannelDense || c.PerChannelDense
	return found
}

// matches compares the pattern with the Kind, the Op's name and the path of its layer (the name without its last element).
func (r Rule) matches(o *graph.Op) bool {
	for _, name := range []string{graph.KindName(o.Kind), o.Name, layer(o)} {
		if ok, _ := path.Match(r.Match, name); ok {
			return true
		}
	}
	return false
}

// layer is the path of the layer that wrote o; an Op outside of any layer is its own.
func layer(o *graph.Op) string {
	if dir := path.Dir(o.Name); dir != "." {
		return dir
	}
	return o.Name
}

// check refuses a pattern that has no effect on g, and names the layers that were perhaps meant.
func (r Rule) check(g *graph.Graph) error {
	if _, err := path.Match(r.Match, "x"); err != nil || r.Match == "" {
		return fmt.Errorf("rule pattern %q: want a layer path with * and ?, or a Kind", r.Match)
	}
	var names []string
	for _, o := range heads(g) {
		if r.matches(o) {
			return nil
		}
		names = append(names, layer(o), graph.KindName(o.Kind))
	}
	return fmt.Errorf("rule pattern %q matches no layer of %s; nearest are %s", r.Match, g.Name, strings.Join(nearest(r.Match, names), ", "))
}

// heads are the Ops that rules speak of: those that are not fused into the one before them.
func heads(g *graph.Graph) []*graph.Op {
	fused := map[*graph.Op]bool{}
	var found []*graph.Op
	for _, o := range g.Ops {
		if fused[o] || graph.IsConst(o.Out) {
			continue
		}
		for _, m := range g.Group(o).Members() {
			fused[m] = true
		}
		found = append(found, o)
	}
	return found
}

// nearest returns up to three of the names, by edit distance.
func nearest(to string, names []string) []string {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(distance(to, a), distance(to, b)) })
	return names[:min(3, len(names))]
}

// distance is the number of letters to insert, drop or replace (Levenshtein), without regard to case.
func distance(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
