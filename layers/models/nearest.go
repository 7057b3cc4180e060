package models

import (
	"slices"
	"strings"
)

// nearest is the known name that takes the fewest edits to write, small and capital letters being the same.
func nearest(name string) string {
	names := Names()
	return slices.MinFunc(names, func(a, b string) int { return edits(name, a) - edits(name, b) })
}

// edits counts the letters to insert, delete or replace (Levenshtein, 1966).
func edits(a, b string) int {
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
	return row[len(t)]
}
