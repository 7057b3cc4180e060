package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
)

// auditTable prints the weights of a file, a line a tensor, and what was promised of them.
func auditTable(out io.Writer, rows []export.AuditRow) {
	if len(rows) == 0 {
		fmt.Fprintln(out, "no weights of 8 or 4 bits")
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "elements\tzeros\tof 4\tcodes\tbits\tbytes\t  weights")
	for _, r := range append(rows, export.Total(rows)) {
		fmt.Fprintf(w, "%d\t%.1f %%\t%s\t%d\t%.2f\t%.0f\t  %s%s\n", r.Elements, 100*r.Sparsity(), inFour(r), r.Codes, r.Entropy, r.EntropyBytes(), tflite.Printable(r.Tensor), promise(r))
	}
	w.Flush()
}

// inFour is the pattern N:4 of a row.
func inFour(r export.AuditRow) string {
	if r.InFour == 0 {
		return "-"
	}
	return fmt.Sprintf("%d:4", r.InFour)
}

// promise is what was promised of a row, if anything was.
func promise(r export.AuditRow) string {
	switch {
	case len(r.Broken) > 0:
		return ": BROKEN: " + strings.Join(r.Broken, "; ")
	case r.Promise != "":
		return ": " + r.Promise + " kept"
	}
	return ""
}

// auditPair is a weight tensor of one file, of the other, or of both.
type auditPair struct {
	Tensor string           `json:"tensor"`
	First  *export.AuditRow `json:"first,omitempty"`
	Second *export.AuditRow `json:"second,omitempty"`
}

// pairAudits puts the weights of two files beside each other: those of one name; where no name is in both, those of one place and shape.
func pairAudits(a, b []export.AuditRow) []auditPair {
	at := map[string]int{}
	for i, r := range b {
		at[r.Tensor] = i
	}
	named := false
	for _, r := range a {
		_, ok := at[r.Tensor]
		named = named || ok
	}
	used := make([]bool, len(b))
	var pairs []auditPair
	for i := range a {
		p := auditPair{Tensor: a[i].Tensor, First: &a[i]}
		j, ok := at[a[i].Tensor]
		if !named {
			j, ok = i, i < len(b) && fmt.Sprint(a[i].Shape) == fmt.Sprint(b[i].Shape)
		}
		if ok && !used[j] {
			p.Second, used[j] = &b[j], true
		}
		pairs = append(pairs, p)
	}
	for j := range b {
		if !used[j] {
			pairs = append(pairs, auditPair{Tensor: b[j].Tensor, Second: &b[j]})
		}
	}
	return pairs
}

// comparisonTable prints two files' weights, the first's number before the second's.
func comparisonTable(out io.Writer, pairs []auditPair, a, b []export.AuditRow) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "elements\tzeros\tof 4\tcodes\tbits\tbytes\t  weights")
	ta, tb := export.Total(a), export.Total(b)
	for _, p := range append(pairs, auditPair{"total", &ta, &tb}) {
		both := func(f func(r export.AuditRow) string) string {
			var side [2]string
			for i, r := range []*export.AuditRow{p.First, p.Second} {
				if side[i] = "none"; r != nil {
					side[i] = f(*r)
				}
			}
			return side[0] + " -> " + side[1]
		}
		elements := 0
		for _, r := range []*export.AuditRow{p.First, p.Second} {
			if r != nil && r.Elements > elements {
				elements = r.Elements
			}
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t  %s\n", elements,
			both(func(r export.AuditRow) string { return fmt.Sprintf("%.1f", 100*r.Sparsity()) })+" %",
			both(inFour),
			both(func(r export.AuditRow) string { return fmt.Sprint(r.Codes) }),
			both(func(r export.AuditRow) string { return fmt.Sprintf("%.2f", r.Entropy) }),
			both(func(r export.AuditRow) string { return fmt.Sprintf("%.0f", r.EntropyBytes()) }),
			tflite.Printable(p.Tensor))
	}
	w.Flush()
}
