package models

import (
	"cmp"
	"slices"
	"strings"
)

// nearest is the known name whose beginning takes the fewest edits to write, then the one that takes the fewest as a whole. Small and capital
// letters are the same.
func nearest(name string) string {
	return slices.MinFunc(Names(), func(a, b string) int {
		beginA, wholeA := edits(name, a)
		beginB, wholeB := edits(name, b)
		return cmp.Or(beginA-beginB, wholeA-wholeB)
	})
}

// edits counts the letters to insert, delete or replace (Levenshtein, 1966) to make of a the best beginning of b, and all of b.
func edits(a, b string) (begin, whole int) {
	s, t := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	row := make([]int, len(t)+1) // edits from s[:i] to t[:j]
	for j := range row {
		row[j] = j
	}
	for i, x := range s {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range t {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return slices.Min(row), row[len(t)]
}
