package layers

import (
	"fmt"
	"path"
	"strings"
	"text/tabwriter"

	"github.com/temper-ml/temper/graph"
)

// Row is one layer of a summary.
type Row struct {
	Layer      string      // path
	Kinds      []string    // what it computes
	Output     graph.Shape // of its last Op
	Parameters int         // elements of its Vars, states included
	MACs       int         // multiply-accumulates of one example
}

// Table is the summary of a network.
type Table struct {
	Name                    string
	Rows                    []Row
	Trainable, NonTrainable int
	MACs                    int
}

// Summary lists the layers of a graph with shapes, parameters and multiply-accumulates.
func Summary(g *graph.Graph) Table {
	t := Table{Name: g.Name}
	at := map[string]int{}
	counted := map[*graph.Var]bool{}
	for _, o := range g.Ops {
		name := path.Dir(o.Name)
		if name == "." {
			name = o.Name
		}
		i, ok := at[name]
		if !ok {
			i = len(t.Rows)
			at[name] = i
			t.Rows = append(t.Rows, Row{Layer: name})
		}
		r := &t.Rows[i]
		r.Kinds = append(r.Kinds, graph.KindName(o.Kind))
		r.Output = o.Out.Shape
		r.MACs += macs(o)
		for _, v := range o.In {
			if v.Var == nil || counted[v.Var] {
				continue
			}
			counted[v.Var] = true
			r.Parameters += len(v.Var.Data)
			if v.Var.Trainable {
				t.Trainable += len(v.Var.Data)
			} else {
				t.NonTrainable += len(v.Var.Data)
			}
		}
	}
	for _, r := range t.Rows {
		t.MACs += r.MACs
	}
	return t
}

// macs counts the products of a layer with a kernel.
func macs(o *graph.Op) int {
	if !o.IsLinear() {
		return 0
	}
	w, y, x := o.In[1].Shape, o.Out.Shape, o.In[0].Shape
	switch graph.KindName(o.Kind) {
	case "DepthwiseConv2D":
		return y.Volume() * w[0] * w[1]
	case "TransposeConv2D":
		return x.Volume() * w[0] * w[1] * w[3]
	case "Dense":
		return y.Volume() * w[0]
	}
	return y.Volume() * w[0] * w[1] * w[2]
}

// String is the table as text.
func (t Table) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "layer\tkinds\toutput\tparameters\tMACs\n")
	for _, r := range t.Rows {
		fmt.Fprintf(w, "%s\t%s\t%v\t%d\t%d\n", r.Layer, strings.Join(r.Kinds, "+"), r.Output, r.Parameters, r.MACs)
	}
	w.Flush()
	fmt.Fprintf(&b, "%s: %d parameters (%d trainable), %d MACs an example\n", t.Name, t.Trainable+t.NonTrainable, t.Trainable, t.MACs)
	return b.String()
}
