package temper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/sparsity"
)

// Ladder says how Sensitivity goes through the layers of a network. Zero fields have the defaults named; an empty list that is not nil leaves a way out.
type Ladder struct {
	Sparsities  []float64 // default 0.5, 0.6, 0.7, 0.8, 0.9
	Codes       []int     // default 64, 32, 16, 8, 4
	Bits        []int     // default 6, 5, 4, 3, 2
	Examples    int       // training examples that accuracy is measured on, default 2000
	Calibration int       // other training examples, that ranges are found on, default 100
	Tolerance   float64   // accuracy that a layer may cost, default 0.005

	Progress io.Writer // nil: silent
}

// Sensitivities are what each layer costs on its own.
type Sensitivities struct {
	Network   string             `json:"network"`
	Data      string             `json:"data"`
	Examples  int                `json:"examples"`
	Tolerance float64            `json:"tolerance"`
	Accuracy  float64            `json:"accuracy"` // of the int8 file with all layers as they are
	Layers    []LayerSensitivity `json:"layers"`
	Together  []Together         `json:"together"` // all layers at once
}

// LayerSensitivity is one layer: the accuracy of int8 files in which it alone is conditioned, without training.
type LayerSensitivity struct {
	Layer    string  `json:"layer"`
	Kind     string  `json:"kind"`
	Weights  int     `json:"weights"`
	Part     float64 `json:"part"` // of all weights
	Sparsity []Rung  `json:"sparsity"`
	Codes    []Rung  `json:"codes"`
	Bits     []Rung  `json:"bits"`
	Advice   Advice  `json:"advice"`

	match string // the rule pattern that is this layer alone
}

// Rung is a setting and what it leaves.
type Rung struct {
	Setting  float64 `json:"setting"`
	Accuracy float64 `json:"accuracy"`
	Loss     float64 `json:"loss"`                // of accuracy against all layers as they are; negative: a gain
	Possible bool    `json:"possible"`            // false: the layer has fewer weights than codes
	Why      string  `json:"impossible,omitzero"` // the reason
}

// Over tells whether the setting costs more than a part of the accuracy; a difference of sums of examples is not exact.
func (r Rung) Over(tolerance float64) bool { return r.Loss > tolerance+1e-9 }

func (l *Ladder) defaults() {
	if l.Sparsities == nil {
		l.Sparsities = []float64{0.5, 0.6, 0.7, 0.8, 0.9}
	}
	if l.Codes == nil {
		l.Codes = []int{64, 32, 16, 8, 4}
	}
	if l.Bits == nil {
		l.Bits = []int{6, 5, 4, 3, 2}
	}
	set(&l.Examples, 2000)
	set(&l.Calibration, 100)
	set(&l.Tolerance, 0.005)
}

// Check refuses settings that cannot be.
func (l Ladder) Check() error {
	l.defaults()
	for _, s := range l.Sparsities {
		if !(s > 0 && s < 1) {
			return fmt.Errorf("sparsity %g must be in (0, 1)", s)
		}
	}
	for _, n := range l.Codes {
		if n < 3 || n > 255 {
			return fmt.Errorf("%d codes: want 3 to 255, zero included", n)
		}
	}
	for _, b := range l.Bits {
		if b < 2 || b > 8 {
			return fmt.Errorf("%d bits: an int8 file holds 2 to 8", b)
		}
	}
	switch {
	case len(l.Sparsities)+len(l.Codes)+len(l.Bits) == 0:
		return errors.New("nothing to try: want sparsities, codes or bits")
	case l.Examples < 1 || l.Calibration < 1:
		return fmt.Errorf("examples %d and calibration %d must be positive", l.Examples, l.Calibration)
	case !(l.Tolerance >= 0 && l.Tolerance < 1):
		return fmt.Errorf("tolerance %g must be a part of the accuracy in [0, 1), such as 0.005", l.Tolerance)
	}
	return nil
}

// sensitivitySeed draws the split; a constant, so that two networks are measured on the same examples.
const sensitivitySeed = 1

// Sensitivity measures what each layer of a trained float network costs when it alone is pruned, clustered on the int8 grid or quantized to fewer bits, and
// nothing is trained after. Each setting is exported, and the file executed on examples drawn from the training data, so that the test data stays
// unseen; ranges are found on others of them. (The network was trained on both, unless some of it was held back.) g is not changed.
func (l Ladder) Sensitivity(ctx context.Context, g *graph.Graph, train *datasets.Set) (*Sensitivities, error) {
	l.defaults()
	if err := l.Check(); err != nil {
		return nil, fmt.Errorf("sensitivity: %w", err)
	}
	w, err := l.newSweep(ctx, g, train)
	if err != nil {
		return nil, fmt.Errorf("sensitivity of %s: %w", g.Name, err)
	}
	s := &Sensitivities{Network: g.Name, Data: train.Name, Examples: w.held.Len(), Tolerance: l.Tolerance, Layers: layersOf(g)}
	if s.Accuracy, err = w.accuracy(nil, nil); err != nil {
		return nil, fmt.Errorf("sensitivity of %s: %w", g.Name, err)
	}
	w.base = s.Accuracy
	for i := range s.Layers {
		if err := w.layer(&s.Layers[i]); err != nil {
			return nil, fmt.Errorf("sensitivity of %s, layer %s: %w", g.Name, s.Layers[i].Layer, err)
		}
		s.Layers[i].advise(l.Tolerance)
	}
	if s.Together, err = w.together(s.Layers); err != nil {
		return nil, fmt.Errorf("sensitivity of %s, all advice together: %w", g.Name, err)
	}
	return s, nil
}

// layersOf are the layers with a kernel of their own.
func layersOf(g *graph.Graph) []LayerSensitivity {
	var ops []*graph.Op
	total := 0
	for _, o := range g.Heads() {
		if o.IsLinear() && o.In[1].Var != nil {
			ops = append(ops, o)
			total += o.In[1].Shape.Volume()
		}
	}
	var all []LayerSensitivity
	for _, o := range ops {
		name := o.Layer()
		for _, other := range ops {
			if other != o && graph.MatchLayer(escape(name), other) {
				name = o.Name // the layer has several kernels, or is called like a Kind
			}
		}
		n := o.In[1].Shape.Volume()
		all = append(all, LayerSensitivity{Layer: name, Kind: graph.KindName(o.Kind), Weights: n, Part: float64(n) / float64(total), match: escape(name)})
	}
	return all
}

// escape is a pattern that matches a name and no other.
func escape(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

// sweep is one Sensitivity.
type sweep struct {
	Ladder
	ctx         context.Context
	g           *graph.Graph
	calibration fakequant.Data
	held        *datasets.Set
	base        float64
	begin, said time.Time
	done, runs  int
}

func (l Ladder) newSweep(ctx context.Context, g *graph.Graph, train *datasets.Set) (*sweep, error) {
	for _, o := range g.Ops {
		switch k := graph.KindName(o.Kind); k {
		case "Mask", "Cluster", "FakeQuant":
			return nil, fmt.Errorf("%s: %s: the network is conditioned already; start from the float checkpoint", o.Name, k)
		}
	}
	if err := Classifies(g, train); err != nil {
		return nil, err
	}
	if train.Len() < 2 {
		return nil, fmt.Errorf("%s has %d training examples: want some to measure on and others to calibrate on", train.Name, train.Len())
	}
	n := min(l.Examples, train.Len()/2)
	rest, held := train.Split(1-float64(n)/float64(train.Len()), sensitivitySeed)
	if rest.Len() == 0 || held.Len() == 0 {
		return nil, fmt.Errorf("%s: %d training examples do not split", train.Name, train.Len())
	}
	w := &sweep{Ladder: l, ctx: ctx, g: g, held: held, calibration: rest.Sample(min(l.Calibration, rest.Len()), calibrationSeed), begin: time.Now(), said: time.Now()}
	w.runs = 1 + 4 /* of all advice together */ + len(layersOf(g))*(len(l.Sparsities)+len(l.Codes)+len(l.Bits))
	return w, nil
}

// accuracy is that of the file after a chain, and quantization by rules.
func (w *sweep) accuracy(chain Chain, bits []fakequant.Rule) (float64, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	work := w.g.Clone()
	chain = append(slices.Clip(chain), fakequant.PTQ{Config: fakequant.Config{Calibration: w.calibration, Rules: bits}})
	if err := chain.AtOnce(work); err != nil {
		return 0, err
	}
	m, err := export.TFLite(work, export.Options{})
	if err != nil {
		return 0, err
	}
	a, err := interp.Accuracy(w.ctx, m, interp.TFLM, w.held, nil)
	w.done++
	if w.Progress != nil && time.Since(w.said) > 5*time.Second {
		w.said = time.Now()
		left := time.Since(w.begin) * time.Duration(max(w.runs-w.done, 0)) / time.Duration(w.done)
		fmt.Fprintf(w.Progress, "sensitivity  %d/%d  %s left\n", w.done, w.runs, left.Round(time.Second))
	}
	return a, err
}

// layer goes down the ladder with one layer.
func (w *sweep) layer(l *LayerSensitivity) error {
	for _, s := range w.Sparsities {
		p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: s}, Rules: []sparsity.Rule{{Match: l.match}, {Match: "*", Skip: true}}}
		if err := w.rung(&l.Sparsity, s, "", Chain{p}, nil); err != nil {
			return fmt.Errorf("sparsity %g: %w", s, err)
		}
	}
	for _, n := range w.Codes {
		why := ""
		if n > l.Weights {
			why = fmt.Sprintf("%d codes for %d weights", n, l.Weights)
		}
		c := clustering.Cluster{Codes: n, Seed: clusterSeed, Rules: []clustering.Rule{{Match: l.match}, {Match: "*", Skip: true}}}
		if err := w.rung(&l.Codes, float64(n), why, Chain{c}, nil); err != nil {
			return fmt.Errorf("%d codes: %w", n, err)
		}
	}
	for _, b := range w.Bits {
		if err := w.rung(&l.Bits, float64(b), "", nil, []fakequant.Rule{{Match: l.match, WeightBits: b}}); err != nil {
			return fmt.Errorf("%d bits: %w", b, err)
		}
	}
	return nil
}

func (w *sweep) rung(to *[]Rung, setting float64, impossible string, chain Chain, bits []fakequant.Rule) error {
	if impossible != "" {
		w.runs--
		*to = append(*to, Rung{Setting: setting, Why: impossible})
		return nil
	}
	a, err := w.accuracy(chain, bits)
	*to = append(*to, Rung{Setting: setting, Accuracy: a, Loss: w.base - a, Possible: true})
	return err
}
