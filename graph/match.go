package graph

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Rules of conditioners select layers by a pattern: a path.Match pattern of the layer path, such as "conv2d_1" or "block*/conv2d"; of an Op's name; or
// of the Kind, such as "Dense".

// MatchLayer compares a pattern with the Kind of o, its name and the path of its layer.
func MatchLayer(pattern string, o *Op) bool {
	for _, name := range []string{KindName(o.Kind), o.Name, o.Layer()} {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

// Layer is the path of the layer that wrote o: its name without the last element. An Op outside of any layer is its own.
func (o *Op) Layer() string {
	if dir := path.Dir(o.Name); dir != "." {
		return dir
	}
	return o.Name
}

// Heads are the Ops that rules speak of: those that are neither constant nor fused into the one before them.
func (g *Graph) Heads() []*Op {
	fused := map[*Op]bool{}
	var found []*Op
	for _, o := range g.Ops {
		if fused[o] || IsConst(o.Out) {
			continue
		}
		for _, m := range g.Group(o).Members() {
			fused[m] = true
		}
		found = append(found, o)
	}
	return found
}

// CheckPattern refuses a pattern that matches none of the Ops that a conditioner can act on (Heads, or some of them), and names the layers that were
// perhaps meant.
func (g *Graph) CheckPattern(pattern string, ops []*Op) error {
	if _, err := path.Match(pattern, "x"); err != nil || pattern == "" {
		return fmt.Errorf("rule pattern %q: want a layer path with * and ?, or a Kind", pattern)
	}
	var names []string
	for _, o := range ops {
		if MatchLayer(pattern, o) {
			return nil
		}
		names = append(names, o.Layer(), KindName(o.Kind))
	}
	return fmt.Errorf("rule pattern %q matches no layer of %s; nearest are %s", pattern, g.Name, strings.Join(nearest(pattern, names), ", "))
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
