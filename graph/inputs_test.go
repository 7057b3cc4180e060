package graph

import (
	"slices"
	"strings"
	"testing"
)

// TestInputsTogether: a network with two inputs takes one slice in which each example holds both.
func TestInputsTogether(t *testing.T) {
	b := NewBuilder("two", 1)
	x, y := b.Input("x", 2), b.Input("y", 1)
	g, err := b.Graph(b.Op("concat", Concat{Axis: 1}, x, y))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewEval(g)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	together := []float32{1, 2, 10, 3, 4, 20}
	if err := s.Forward(together); err != nil {
		t.Fatal(err)
	}
	if got := s.Output(0); !slices.Equal(got, together) {
		t.Errorf("together: %v, want %v", got, together)
	}
	if err := s.Forward([]float32{1, 2, 3, 4}, []float32{10, 20}); err != nil {
		t.Fatal(err)
	}
	if got := s.Output(0); !slices.Equal(got, together) {
		t.Errorf("one by one: %v, want %v", got, together)
	}
	if err := s.Forward(together[:5]); err == nil || !strings.Contains(err.Error(), "not a multiple of 3") {
		t.Errorf("5 values: %v", err)
	}
}

// TestScopeNames: a number that the builder appends skips names that were given.
func TestScopeNames(t *testing.T) {
	b := NewBuilder("names", 1)
	var got []string
	for _, name := range []string{"dense_1", "dense", "dense", "dense", "dense_1"} {
		b.Scope(name, func() { got = append(got, b.Path()) })
	}
	if want := []string{"dense_1", "dense", "dense_2", "dense_3", "dense_1_1"}; !slices.Equal(got, want) {
		t.Errorf("scopes %v, want %v", got, want)
	}
}
