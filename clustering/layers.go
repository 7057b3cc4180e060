package clustering

import (
	"fmt"
	"strings"

	"github.com/temper-ml/temper/graph"
)

// layer is an Op with a kernel, and what clustering does with it.
type layer struct {
	head       *graph.Op
	readers    []*graph.Op  // head, and the layers behind it that share the kernel and are clustered
	kernel     *graph.Value // the end of what other conditioners put behind the Var
	codes      int
	perChannel bool   // codebooks
	scales     bool   // int8 grid: a scale for each channel
	zero       bool   // zeros are kept
	masked     bool   // by a Mask
	shares     string // the layer before whose kernel, and clusters, it has
	reason     string // why it is left alone
}

// little is the part of a network's weights below which its first and its last layer are left alone.
const little = 0.01

// layers decides for every layer with a kernel.
func (c Cluster) layers(g *graph.Graph) ([]layer, error) {
	var heads []*graph.Op
	total := 0
	for _, o := range g.Heads() {
		if !o.IsLinear() {
			continue
		}
		heads = append(heads, o)
		if graph.KindName(o.Kind) != "DepthwiseConv2D" {
			total += o.In[1].Shape.Volume()
		}
	}
	if err := c.check(g, heads); err != nil {
		return nil, err
	}
	var all []layer
	taken := map[*graph.Value]int{} // by which layer
	for i, o := range heads {
		l, err := c.layer(g, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Layer(), err)
		}
		rule, ruled := c.rule(o)
		edge := i == 0 || i == len(heads)-1
		volume := o.In[1].Shape.Volume()
		switch {
		case !graph.IsConst(l.kernel):
			l.reason = "the kernel is computed from the input"
		case rule.Skip:
			l.reason = fmt.Sprintf("rule %q skips it", rule.Match)
		case ruled:
		case graph.KindName(o.Kind) == "DepthwiseConv2D":
			l.reason = "depthwise kernels have few weights and lose much accuracy"
		case edge && float64(volume) < little*float64(total):
			l.reason = fmt.Sprintf("first or last layer with %.1f %% of the weights: little to gain", 100*float64(volume)/float64(total))
		}
		if l.reason == "" {
			if err := c.possible(l); err != nil {
				return nil, fmt.Errorf("%s: %w", o.Layer(), err)
			}
			if at, shared := taken[l.kernel]; shared {
				all[at].readers = append(all[at].readers, o)
				l.shares = all[at].head.Layer()
			} else {
				taken[l.kernel] = len(all)
			}
		}
		all = append(all, l)
	}
	return all, nil
}

func (c Cluster) rule(o *graph.Op) (Rule, bool) {
	for _, r := range c.Rules {
		if graph.MatchLayer(r.Match, o) {
			return r, true
		}
	}
	return Rule{}, false
}

// layer reads what stands behind the kernel.
func (c Cluster) layer(g *graph.Graph, o *graph.Op) (layer, error) {
	rule, _ := c.rule(o)
	l := layer{head: o, readers: []*graph.Op{o}, kernel: o.In[1], codes: c.Codes, perChannel: c.PerChannel || rule.PerChannel}
	if rule.Codes != 0 {
		l.codes = rule.Codes
	}
	l.scales = l.perChannel || graph.KindName(o.Kind) != "Dense" || c.PerChannelDense || g.Group(o).Norm != nil
	for v := l.kernel; v.Op != nil; v = v.Op.In[0] {
		l.masked = l.masked || graph.KindName(v.Op.Kind) == "Mask"
	}
	p, err := graph.PromiseOf(l.kernel)
	l.zero = l.masked || p.Zeros > 0
	if c.PreserveSparsity != nil {
		l.zero = *c.PreserveSparsity
	}
	return l, err
}

// checkOrder refuses a kernel behind which stands what must come later.
func checkOrder(kernel *graph.Value) error {
	for v := kernel; v.Op != nil; v = v.Op.In[0] {
		switch graph.KindName(v.Op.Kind) {
		case "Cluster":
			return fmt.Errorf("%s is clustered already (%s): a kernel has one codebook; graph.Strip makes it a plain kernel again", root(v).Name, v.Op.Name)
		case "FakeQuant":
			return fmt.Errorf("%s is quantized already (%s): the order is prune, cluster, quantize, "+
				"for a quantizer must take over the scales of the clusters. Start from the float checkpoint", root(v).Name, v.Op.Name)
		}
	}
	return nil
}

// possible refuses what cannot be.
func (c Cluster) possible(l layer) error {
	if err := checkOrder(l.kernel); err != nil {
		return err
	}
	least := 2
	if l.zero || c.Grid == Int8 {
		least = 3 // 0 is one of them, and there are two signs
	}
	if l.codes < least || l.codes > 255 {
		return fmt.Errorf("%d codes: want %d to 255, zero included", l.codes, least)
	}
	weights, where := l.kernel.Shape.Volume(), ""
	if l.perChannel {
		weights, where = weights/l.kernel.Shape.Channels(), " a channel"
	}
	if weights < l.codes {
		return fmt.Errorf("%d codes for %d weights%s: ask for fewer, or leave the layer alone with a rule (skip)", l.codes, weights, where)
	}
	return nil
}

// Describe says which layers of g Apply takes, with what, and which it leaves alone and why. g is the graph before Apply.
func (c Cluster) Describe(g *graph.Graph) ([]graph.Row, error) {
	c.defaults()
	layers, err := c.layers(g)
	if err != nil {
		return nil, fmt.Errorf("cluster: %w", err)
	}
	var rows []graph.Row
	for _, l := range layers {
		row := graph.Row{Layer: l.head.Layer(), Setting: "left alone", Reason: l.reason}
		if l.reason == "" {
			row.Setting, row.Reason = c.setting(l), c.warning(l)
			if l.shares != "" {
				row.Reason = "shares the kernel of " + l.shares
			}
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (c Cluster) setting(l layer) string {
	words := []string{fmt.Sprintf("%d codes", l.codes), string(c.Grid) + " grid"}
	if l.perChannel {
		words = append(words, "a codebook a channel")
	}
	if c.Grid == Int8 && l.scales {
		words = append(words, "a scale a channel")
	}
	if l.zero {
		words = append(words, "zeros kept")
	}
	return strings.Join(append(words, string(c.Init)), ", ")
}

// warning says what a setting costs on an NPU.
func (c Cluster) warning(l layer) string {
	switch {
	case l.perChannel:
		return "codebooks a channel fill the int8 file with nearly all codes: an NPU's weight decoder saves nothing by them (Vela: up to 6 % more bytes than without clusters)"
	case c.Grid == Float && graph.KindName(l.head.Kind) != "Dense":
		return "clusters of float weights are spread to more codes by a scale a channel; the int8 grid keeps them"
	}
	return ""
}
