package clustering

import (
	"math"

	"github.com/temper-ml/temper/graph"
)

// positiveNorm keeps the factor of a BatchNorm that follows head from being negative: in the file it would become a sign of the channel's codes, and
// a codebook with both signs has twice the codes. Channels with a negative factor change the sign of kernel, bias, moving mean and gamma, which changes no
// bit of the function; and the BatchNorm reads |gamma| from then on, as a PReLU of slope -1, so that training cannot make it negative.
// Where others read one of these Vars nothing is done.
func positiveNorm(g *graph.Graph, head *graph.Op) error {
	gr := g.Group(head)
	if gr.Norm == nil {
		return nil
	}
	gamma, mean, kernel := gr.Norm.In[1].Var, gr.Norm.In[3].Var, root(head.In[1]).Var
	vars := []*graph.Var{kernel, gamma, mean}
	if gr.Bias != nil {
		vars = append(vars, gr.Bias.In[1].Var)
	}
	for _, v := range vars {
		if v == nil || len(g.Readers(v.Value)) != 1 {
			return nil
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
	slope := make([]float32, channels)
	for i := range slope {
		slope[i] = -1
	}
	minus, err := g.AddVar(gamma.Name+"/positive/slope", graph.Scale, false, gamma.Shape, slope)
	if err != nil {
		return err
	}
	positive, err := g.NewOp(gamma.Name+"/positive", graph.PReLU{}, gamma.Value, minus.Value)
	if err != nil {
		return err
	}
	gr.Norm.In[1] = positive.Out
	return nil
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
