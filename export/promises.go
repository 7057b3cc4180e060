package export

import (
	"fmt"
	"strings"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/graph"
)

// BrokenPromises is the error of a file whose weights are not what pruning or clustering promised of them.
type BrokenPromises struct {
	Network string
	Rows    []AuditRow // those with something broken
}

func (e *BrokenPromises) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "export %s: the file does not have what was promised of its weights:\n", e.Network)
	codes, zeros := false, false
	for _, r := range e.Rows {
		for _, b := range r.Broken {
			fmt.Fprintf(&s, "  %s (%s): %s\n", r.Tensor, r.Operator, b)
			codes = codes || strings.Contains(b, "codes")
			zeros = zeros || strings.Contains(b, "zeros")
		}
	}
	if codes {
		s.WriteString("Clusters on the float grid are spread to more codes by a scale for each channel, and training without clusters moves weights off them: cluster on the int8 grid, and train what cluster left.\n")
	}
	if zeros {
		s.WriteString("Zeros are let go by training without masks, and patterns are not there before a schedule ends: train what prune left, masks in place, to the end.\n")
	}
	s.WriteString("To look at the file as it is, allow broken promises (--allow-broken-promises)")
	return s.String()
}

// audit counts the file's weights and compares them with what the graph promised of each kernel.
func (l *lowering) audit(m *tflite.Model) ([]AuditRow, error) {
	promises := map[*tflite.Tensor]graph.Promise{}
	for t, kernel := range l.kernels {
		p, err := graph.PromiseOf(kernel)
		if err != nil {
			return nil, err
		}
		if p != (graph.Promise{}) {
			promises[l.out.Tensors[t]] = p
		}
	}
	rows := []AuditRow{}
	for _, w := range allWeights(m) {
		r := w.row()
		if p, ok := promises[w.tensor]; ok {
			r.Promise, r.Broken = p.String(), w.broken(p, r)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// broken says what of a promise the weights do not keep.
func (w *fileWeights) broken(p graph.Promise, r AuditRow) []string {
	var all []string
	if r.Zeros < p.Zeros {
		all = append(all, fmt.Sprintf("promised are %d zeros of %d weights (%.1f %%), the file has %d (%.1f %%)",
			p.Zeros, r.Elements, 100*float64(p.Zeros)/float64(r.Elements), r.Zeros, 100*r.Sparsity()))
	}
	if p.Codes > 0 && r.Codes > p.Codes {
		all = append(all, fmt.Sprintf("promised are at most %d codes, the file has %d", p.Codes, r.Codes))
	}
	if p.M > 0 && !w.keeps(p.N, p.M) {
		all = append(all, fmt.Sprintf("promised are %d zeros of every %d weights along the input channels, the file has groups with fewer", p.N, p.M))
	}
	if p.Block != [2]int{} {
		if n := w.blockZeros(p.Block); n < p.Zeros {
			all = append(all, fmt.Sprintf("promised are %d zeros in whole blocks of %dx%d, the file has %d", p.Zeros, p.Block[0], p.Block[1], n))
		}
	}
	return all
}
