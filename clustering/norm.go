package clustering

import (
	"math"

	"github.com/temper-ml/temper/graph"
)

// positiveNorms turns the sign of channels whose BatchNorm multiplies by a negative factor: kernel, bias, moving mean and gamma change sign, the
// function stays, to the bit. A negative factor becomes a sign of the codes in the file, and a codebook with both signs has twice the codes.
// Vars that others read are left.
func positiveNorms(g *graph.Graph, head *graph.Op) {
	gr := g.Group(head)
	if gr.Norm == nil {
		return
	}
	gamma, mean, kernel := gr.Norm.In[1].Var, gr.Norm.In[3].Var, root(head.In[1]).Var
	vars := []*graph.Var{kernel, gamma, mean}
	if gr.Bias != nil {
		vars = append(vars, gr.Bias.In[1].Var)
	}
	for _, v := range vars {
		if v == nil || len(g.Readers(v.Value)) != 1 {
			return
		}
	}
	channels := len(gamma.Data)
	for c, factor := range gamma.Data {
		if factor >= 0 {
			continue
		}
		for _, v := range vars {
			for i := c; i < len(v.Data); i += channels {
				v.Data[i] = -v.Data[i]
			}
		}
	}
}

// importance is how much an error of a channel's weights counts: the square of the factor that a BatchNorm multiplies it by.
func importance(g *graph.Graph, head *graph.Op, channels int) []float64 {
	gr := g.Group(head)
	if gr.Norm == nil {
		return nil
	}
	scale, _, err := graph.Affine(gr.Norm)
	if err != nil || len(scale) != channels {
		return nil
	}
	sum := 0.0
	squares := make([]float64, channels)
	for i, s := range scale {
		squares[i] = float64(s) * float64(s)
		sum += squares[i]
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil
	}
	for i := range squares {
		squares[i] = max(squares[i]/sum*float64(channels), 1e-6)
	}
	return squares
}
