package graph

import (
	"fmt"
	"math"
)

// Affine returns a BatchNorm with its moving statistics as y = scale*x + shift, one pair a channel: scale = gamma/sqrt(variance+epsilon),
// shift = beta - mean*scale, computed in float64.
func Affine(norm *Op) (scale, shift []float32, err error) {
	k, ok := norm.Kind.(BatchNorm)
	if !ok || len(norm.In) != 5 {
		return nil, nil, fmt.Errorf("%s is not a BatchNorm", norm.Name)
	}
	var p [4][]float32 // gamma, beta, mean, variance
	for i := range p {
		if p[i], err = Const(norm.In[i+1]); err != nil {
			return nil, nil, err
		}
	}
	epsilon := float64(k.epsilon())
	scale, shift = make([]float32, len(p[0])), make([]float32, len(p[0]))
	for i := range scale {
		s := float64(p[0][i]) / math.Sqrt(float64(p[3][i])+epsilon)
		scale[i] = float32(s)
		shift[i] = float32(float64(p[1][i]) - float64(p[2][i])*s)
	}
	return scale, shift, nil
}
