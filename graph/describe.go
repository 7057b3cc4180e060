package graph

import (
	"fmt"
	"strings"
)

// Row tells what a conditioner does to a layer, and why.
type Row struct {
	Layer   string
	Setting string
	Reason  string // why it is taken or left alone, or what the setting costs
}

// Table is rows as text.
func Table(rows []Row) string {
	a, b := 0, 0
	for _, r := range rows {
		a, b = max(a, len(r.Layer)), max(b, len(r.Setting))
	}
	var s strings.Builder
	for _, r := range rows {
		s.WriteString(strings.TrimRight(fmt.Sprintf("%-*s  %-*s  %s", a, r.Layer, b, r.Setting, r.Reason), " ") + "\n")
	}
	return s.String()
}
