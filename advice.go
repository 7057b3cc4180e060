package temper

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/temper-ml/temper/clustering"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/sparsity"
)

// Advice is the furthest that a layer goes without losing more than the tolerance, every milder setting included. It is careful: training afterwards wins
// back much of what is lost.
type Advice struct {
	Sparsity float64 `json:"sparsity,omitempty"` // 0: do not prune
	Codes    int     `json:"codes,omitempty"`    // 0: do not cluster
	Bits     int     `json:"bits"`               // 8: as they are
	Reason   string  `json:"reason,omitempty"`   // why it is left alone
}

// LeaveAlone tells whether the layer is neither to be pruned nor to be clustered.
func (a Advice) LeaveAlone() bool { return a.Sparsity == 0 && a.Codes == 0 }

// Together is the accuracy of the file with the advice for all layers at once, without training: losses add up.
type Together struct {
	What     string  `json:"what"`
	Accuracy float64 `json:"accuracy"`
}

// littleToGain is the part of a network's weights below which a layer is left alone, whatever it would cost.
const littleToGain = 0.01

func (l *LayerSensitivity) advise(tolerance float64) {
	a := Advice{Bits: 8}
	mildFirst := func(x, y Rung) int { return cmp.Compare(x.Setting, y.Setting) }
	a.Sparsity = furthest(l.Sparsity, tolerance, mildFirst)
	a.Codes = int(furthest(l.Codes, tolerance, func(x, y Rung) int { return mildFirst(y, x) }))
	if b := furthest(l.Bits, tolerance, func(x, y Rung) int { return mildFirst(y, x) }); b > 0 {
		a.Bits = int(b)
	}
	switch {
	case l.Part < littleToGain:
		a = Advice{Bits: 8, Reason: fmt.Sprintf("%.1f %% of the weights: little to gain", 100*l.Part)}
	case a.LeaveAlone() && len(l.Sparsity)+len(l.Codes) > 0:
		a.Reason = fmt.Sprintf("every setting costs more than %.4g points", 100*tolerance)
	}
	l.Advice = a
}

// furthest is the last rung, from the mildest on, before the first that costs too much; 0 when that is the first.
func furthest(rungs []Rung, tolerance float64, mildFirst func(a, b Rung) int) float64 {
	best := 0.0
	for _, r := range slices.SortedFunc(slices.Values(rungs), mildFirst) {
		if !r.Possible {
			continue
		}
		if r.Over(tolerance) {
			break
		}
		best = r.Setting
	}
	return best
}

// together measures the advice for all layers at once.
func (w *sweep) together(layers []LayerSensitivity) ([]Together, error) {
	last := []sparsity.Rule{{Match: "*", Skip: true}}
	prune := sparsity.Prune{}
	cluster := clustering.Cluster{Seed: clusterSeed}
	var bits []fakequant.Rule
	for _, l := range layers {
		if s := l.Advice.Sparsity; s > 0 {
			prune.Rules = append(prune.Rules, sparsity.Rule{Match: l.match, Sparsity: s})
		}
		if n := l.Advice.Codes; n > 0 {
			cluster.Rules = append(cluster.Rules, clustering.Rule{Match: l.match, Codes: n})
		}
		if l.Advice.Bits < 8 {
			bits = append(bits, fakequant.Rule{Match: l.match, WeightBits: l.Advice.Bits})
		}
	}
	var all []Together
	try := func(what string, chain Chain, bits []fakequant.Rule) error {
		a, err := w.accuracy(chain, bits)
		all = append(all, Together{what, a})
		return err
	}
	var both Chain
	if len(prune.Rules) > 0 {
		prune.Rules = append(prune.Rules, last...)
		both = append(both, prune)
		if err := try("pruned", Chain{prune}, nil); err != nil {
			return nil, err
		}
	}
	if len(cluster.Rules) > 0 {
		cluster.Rules = append(cluster.Rules, clustering.Rule{Match: "*", Skip: true})
		both = append(both, cluster)
		if err := try("clustered", Chain{cluster}, nil); err != nil {
			return nil, err
		}
	}
	if len(both) == 2 {
		if err := try("pruned and clustered", both, nil); err != nil {
			return nil, err
		}
	}
	if len(bits) > 0 {
		return all, try("fewer bits", nil, bits)
	}
	return all, nil
}

// Recipe is the advice as a recipe's text (see ReadRecipe): the network of a checkpoint, pruned and clustered layer by layer as advised and then trained with
// quantization, and beside it with fewer bits in place of clusters.
func (s *Sensitivities) Recipe(checkpoint, data string) (string, error) {
	var t strings.Builder
	fmt.Fprintf(&t, "# What temper sensitivity advises for %s: each layer as far as it goes alone, without training,\n", oneLine(s.Network))
	fmt.Fprintf(&t, "# for at most %.4g points of accuracy (of %.2f %% on %d training examples).\n", 100*s.Tolerance, 100*s.Accuracy, s.Examples)
	for _, l := range s.Layers {
		if l.Advice.Reason != "" {
			fmt.Fprintf(&t, "# %s is left alone: %s.\n", oneLine(l.Layer), l.Advice.Reason)
		}
	}
	fmt.Fprintf(&t, "model: %s\ndata: %s\ntrain: {epochs: 0} # it is trained\nresults:\n", quoted(checkpoint), quoted(data))
	prune := s.step("prune", func(l LayerSensitivity) string {
		if l.Advice.Sparsity == 0 {
			return ""
		}
		return fmt.Sprintf("sparsity: %g", l.Advice.Sparsity)
	})
	cluster := s.step("cluster", func(l LayerSensitivity) string {
		if l.Advice.Codes == 0 {
			return ""
		}
		return fmt.Sprintf("codes: %d", l.Advice.Codes)
	})
	bits := s.bitsStep()
	t.WriteString("  advised:\n" + prune + cluster + "    - qat\n")
	if bits != "" {
		t.WriteString("  advised-bits:\n" + prune + bits)
	}
	if _, err := ParseRecipe([]byte(t.String())); err != nil {
		return "", fmt.Errorf("the advice as a recipe: %w", err)
	}
	return t.String(), nil
}

// step is a step of the recipe with a rule for each layer; "" when no layer has a setting.
func (s *Sensitivities) step(name string, setting func(LayerSensitivity) string) string {
	text, some := "    - "+name+":\n        layers:\n", false
	for _, l := range s.Layers {
		x := setting(l)
		if some = some || x != ""; x == "" {
			x = "skip: true"
		}
		text += fmt.Sprintf("          - {match: %s, %s}\n", quoted(l.match), x)
	}
	if !some {
		return ""
	}
	return text
}

func (s *Sensitivities) bitsStep() string {
	text := ""
	for _, l := range s.Layers {
		if l.Advice.Bits < 8 {
			text += fmt.Sprintf("          - {match: %s, weight-bits: %d}\n", quoted(l.match), l.Advice.Bits)
		}
	}
	if text == "" {
		return ""
	}
	return "    - qat:\n        layers:\n" + text
}

// quoted is a text as YAML has it, whatever is in it.
func quoted(s string) string {
	js, err := json.Marshal(s)
	if err != nil {
		return `""` // a string always has a form
	}
	return string(js)
}

// oneLine is a name in a comment.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
