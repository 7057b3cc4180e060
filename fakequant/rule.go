package fakequant

import "github.com/temper-ml/temper/graph"

// Rule overrides the configuration for layers by name.
type Rule struct {
	Match           string // a layer path, such as "conv2d_1" or "block*/conv2d", or a Kind: see graph.MatchLayer
	Skip            bool   // leave the layer's kernel and output in float; such a network cannot be exported as int8
	WeightBits      int    // 0: as in the Config
	PerChannelDense bool
}

// rule returns what holds for one Op.
func (c Config) rule(o *graph.Op) Rule {
	found := Rule{}
	for _, r := range c.Rules {
		if graph.MatchLayer(r.Match, o) {
			found = r
			break
		}
	}
	if found.WeightBits == 0 {
		found.WeightBits = c.WeightBits
	}
	if found.WeightBits == 0 {
		found.WeightBits = 8
	}
	found.PerChannelDense = found.PerChannelDense || c.PerChannelDense
	return found
}
