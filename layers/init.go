package layers

import (
	"math"
	"math/rand/v2"

	"github.com/temper-ml/temper/graph"
)

// Initialisers fill a kernel with its first values. fanIn and fanOut are those of Keras: the receptive field (all dimensions but the last two)
// times the last dimension but one, and times the last. A depthwise kernel [kh,kw,c*m] counts as its Keras shape [kh,kw,c,m]; a transposed one as
// what it is here, [kh,kw,in,out], where Keras has the last two the other way round.

// GlorotUniform draws from [-l, l], l = sqrt(6/(fanIn+fanOut)). (Glorot and Bengio, 2010.)
func GlorotUniform(x []float32, s graph.Shape, r *rand.Rand) {
	in, out := fans(s)
	uniform(x, math.Sqrt(6/(in+out)), r)
}

// GlorotNormal draws from a normal distribution truncated at two deviations, of variance 2/(fanIn+fanOut).
func GlorotNormal(x []float32, s graph.Shape, r *rand.Rand) {
	in, out := fans(s)
	truncated(x, math.Sqrt(2/(in+out)), r)
}

// HeUniform draws from [-l, l], l = sqrt(6/fanIn). (He et al., 2015.)
func HeUniform(x []float32, s graph.Shape, r *rand.Rand) {
	in, _ := fans(s)
	uniform(x, math.Sqrt(6/in), r)
}

// HeNormal draws from a normal distribution truncated at two deviations, of variance 2/fanIn.
func HeNormal(x []float32, s graph.Shape, r *rand.Rand) {
	in, _ := fans(s)
	truncated(x, math.Sqrt(2/in), r)
}

// Orthogonal makes the kernel, seen as a matrix of all dimensions but the last by the last, orthogonal. (Saxe et al., 2014.)
func Orthogonal(x []float32, s graph.Shape, r *rand.Rand) {
	cols := s.Channels()
	rows := len(x) / cols
	// Gram-Schmidt on the shorter side: long vectors of the longer side's length.
	n, length := min(rows, cols), max(rows, cols)
	v := make([][]float64, n)
	for i := range v {
		v[i] = make([]float64, length)
		for norm := 0.0; norm < 1e-6; {
			for j := range v[i] {
				v[i][j] = r.NormFloat64()
			}
			for range 2 { // twice is enough (Kahan)
				for _, u := range v[:i] {
					dot := 0.0
					for j := range u {
						dot += u[j] * v[i][j]
					}
					for j := range u {
						v[i][j] -= dot * u[j]
					}
				}
			}
			norm = 0
			for _, a := range v[i] {
				norm += a * a
			}
			norm = math.Sqrt(norm)
			for j := range v[i] {
				v[i][j] /= norm
			}
		}
	}
	for i := range rows {
		for j := range cols {
			if rows >= cols {
				x[i*cols+j] = float32(v[j][i])
			} else {
				x[i*cols+j] = float32(v[i][j])
			}
		}
	}
}

// Zeros leaves zeros.
func Zeros([]float32, graph.Shape, *rand.Rand) {}

// Ones fills with ones.
func Ones(x []float32, _ graph.Shape, _ *rand.Rand) {
	for i := range x {
		x[i] = 1
	}
}

// Constant fills with v.
func Constant(v float32) graph.Init {
	return func(x []float32, _ graph.Shape, _ *rand.Rand) {
		for i := range x {
			x[i] = v
		}
	}
}

// RandomNormal draws from a normal distribution.
func RandomNormal(deviation float64) graph.Init {
	return func(x []float32, _ graph.Shape, r *rand.Rand) {
		for i := range x {
			x[i] = float32(r.NormFloat64() * deviation)
		}
	}
}

func fans(s graph.Shape) (in, out float64) {
	n := len(s)
	if n < 2 {
		return float64(s.Volume()), float64(s.Volume())
	}
	field := 1.0
	for _, d := range s[:n-2] {
		field *= float64(d)
	}
	return field * float64(s[n-2]), field * float64(s[n-1])
}

func uniform(x []float32, limit float64, r *rand.Rand) {
	for i := range x {
		x[i] = float32((2*r.Float64() - 1) * limit)
	}
}

// truncated draws within two deviations; the factor restores the deviation that truncation takes (Keras VarianceScaling).
func truncated(x []float32, deviation float64, r *rand.Rand) {
	for i := range x {
		v := 3.0
		for math.Abs(v) > 2 {
			v = r.NormFloat64()
		}
		x[i] = float32(v * deviation / 0.87962566103423978)
	}
}

// or is f, or standard where f is left out.
func or(f, standard graph.Init) graph.Init {
	if f == nil {
		return standard
	}
	return f
}
