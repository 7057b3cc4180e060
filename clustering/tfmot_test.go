package clustering

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/temper-ml/temper/graph"
)

// frozenTable is testdata/tfmot.json, written by tfmot.py.
type frozenTable struct {
	Weights map[string][]float32
	Starts  []struct {
		Weights, Init string
		Codes         int
		Sparse        bool
		Centroids     []float32
	}
	Associations []struct {
		Shape                                      []int
		Channel                                    bool
		Weights, Centroids, D, Clustered, Sum, Avg []float32
	}
}

func readFrozen(t *testing.T) frozenTable {
	t.Helper()
	data, err := os.ReadFile("testdata/tfmot.json")
	must(t, err)
	var f frozenTable
	must(t, json.Unmarshal(data, &f))
	if len(f.Weights) != 8 || len(f.Starts) != 160 || len(f.Associations) != 4 {
		t.Fatalf("%d weights, %d starts, %d associations: the file is cut", len(f.Weights), len(f.Starts), len(f.Associations))
	}
	return f
}

// TestStartsAreTFMOTs: the initial centroids on the float grid, to the bit.
func TestStartsAreTFMOTs(t *testing.T) {
	inits := map[string]Init{"LINEAR": Linear, "DENSITY_BASED": Density}
	f := readFrozen(t)
	for _, s := range f.Starts {
		n, want := s.Codes, s.Centroids
		if s.Sparse {
			n-- // 0 is not a Var of ours
			zero := slices.Index(want, 0)
			want = slices.Delete(slices.Clone(want), zero, zero+1)
		}
		got := inits[s.Init].centroids(f.Weights[s.Weights], n, s.Sparse, nil)
		if !slices.Equal(got, want) {
			t.Errorf("%s, %s, %d codes, sparse %v:\n%v, want\n%v", s.Weights, s.Init, s.Codes, s.Sparse, got, want)
		}
	}
}

// TestAssociationsAreTFMOTs: clustered weights to the bit, gradients of the centroids up to the order of summation.
func TestAssociationsAreTFMOTs(t *testing.T) {
	for _, a := range readFrozen(t).Associations {
		n := len(a.Centroids)
		centroids := graph.Shape{n}
		if a.Channel {
			c := a.Shape[len(a.Shape)-1]
			centroids = graph.Shape{c, n / c}
		}
		for _, mean := range []bool{false, true} {
			kind := graph.Cluster{PerChannel: a.Channel, Mean: mean}
			k, err := kind.Kernel(graph.Context{In: []graph.Shape{a.Shape, centroids}, Out: a.Shape, Train: true})
			must(t, err)
			in, y := [][]float32{a.Weights, a.Centroids}, make([]float32, len(a.Weights))
			k.Forward(y, in)
			if !slices.Equal(y, a.Clustered) {
				t.Fatalf("%v: clustered weights differ", a.Shape)
			}
			dx := [][]float32{make([]float32, len(y)), make([]float32, n)}
			k.Backward(dx, in, y, a.D)
			want := a.Sum
			if mean {
				want = a.Avg
			}
			for i, w := range want {
				if math.Abs(float64(dx[1][i]-w)) > 1e-5*(1+math.Abs(float64(w))) {
					t.Errorf("%v, mean %v: gradient of centroid %d is %g, want %g", a.Shape, mean, i, dx[1][i], w)
				}
			}
		}
	}
}
