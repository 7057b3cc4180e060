package tflite

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/temper-ml/temper/fakequant/quant"
)

// Dump writes a model as text: one line an operator, one a tensor.
func Dump(w io.Writer, m *Model) error {
	p := &printer{w: w}
	p.line("model %q, schema %d", m.Description, m.Version)
	for _, md := range m.Metadata {
		p.line("metadata %s: %d bytes", Printable(md.Name), len(md.Data))
	}
	for _, s := range m.Signatures {
		p.line("signature %s: subgraph %d, inputs %v, outputs %v", Printable(s.Key), s.Subgraph, named(s.Inputs), named(s.Outputs))
	}
	for i, g := range m.Subgraphs {
		p.line("subgraph %d %q: inputs %v, outputs %v", i, g.Name, g.Inputs, g.Outputs)
		for j, o := range g.Operators {
			p.line("  %d: %s", j, o.text())
		}
		for j, t := range g.Tensors {
			p.line("  t%d: %s", j, t.text())
		}
	}
	return p.err
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// Printable quotes a name from a file that would not print as it is: it may hold what drives a terminal.
func Printable(s string) string {
	if q := strconv.QuoteToGraphic(s); q != `"`+s+`"` {
		return q
	}
	return s
}

func named(list []Named) []string {
	var s []string
	for _, n := range list {
		s = append(s, fmt.Sprintf("%s=t%d", Printable(n.Name), n.Tensor))
	}
	return s
}

func (o *Operator) text() string {
	code := o.Code.String()
	if o.Code == CUSTOM {
		code += " " + Printable(o.Custom)
	}
	s := fmt.Sprintf("%s v%d %v -> %v", code, o.Version, o.Inputs, o.Outputs)
	if o.Options != nil {
		js, err := json.Marshal(o.Options)
		if err == nil {
			s += " " + string(js)
		}
	}
	if len(o.Payload) > 0 {
		s += fmt.Sprintf(" payload of %d bytes", len(o.Payload))
	}
	return s
}

func (t *Tensor) text() string {
	s := fmt.Sprintf("%s %s %v", Printable(t.Name), t.Type, t.Shape)
	if t.IsConst() {
		s += fmt.Sprintf(" constant, %d bytes", len(t.Data))
	}
	if t.Quant != nil {
		s += ", " + quantText(t.Quant)
	}
	return s
}

func quantText(q *quant.Params) string {
	if !q.IsPerAxis() {
		return fmt.Sprintf("scale %g zero %d", q.Scale[0], q.ZeroPoint[0])
	}
	lo, hi := q.Scale[0], q.Scale[0]
	for _, s := range q.Scale {
		lo, hi = min(lo, s), max(hi, s)
	}
	return strings.TrimSpace(fmt.Sprintf("%d scales %g to %g along %d", len(q.Scale), lo, hi, q.Axis))
}
