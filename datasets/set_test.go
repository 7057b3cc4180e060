package datasets

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// numbered makes n examples of shape, whose first byte is their number; classes are unequal: of ten examples 5 have class 0, 3 class 1, 2 class 2.
func numbered(t testing.TB, n int, shape ...int) *Set {
	t.Helper()
	volume := 1
	for _, d := range shape {
		volume *= d
	}
	pixels, labels := make([]byte, n*volume), make([]int32, n)
	for i := range n {
		for j := range volume {
			pixels[i*volume+j] = byte(i + j)
		}
		labels[i] = []int32{0, 0, 0, 0, 0, 1, 1, 1, 2, 2}[i%10]
	}
	s, err := FromBytes("numbered", shape, pixels, 1, 0, labels, []string{"a", "b", "c"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// stored lists the stored examples of a view.
func stored(s *Set) []int {
	index := make([]int, s.Len())
	for i := range index {
		index[i] = s.at(i)
	}
	return index
}

func counts(s *Set) (c [3]int) {
	for i := range s.Len() {
		c[s.Label(i)]++
	}
	return c
}

func TestExample(t *testing.T) {
	s, err := FromBytes("b", []int{1, 2, 1}, []byte{0, 255, 10, 20}, 0.5, -1, []int32{1, 0}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 2), make([]float32, 1)
	s.Example(0, x, y)
	if !slices.Equal(x, []float32{-1, 126.5}) || y[0] != 1 || s.Label(0) != 1 {
		t.Errorf("bytes: %v, %v", x, y)
	}
	if s, err = FromTargets("t", []int{2}, []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8, 9, 10}, 3); err != nil {
		t.Fatal(err)
	}
	y = make([]float32, s.TargetLen())
	s.Take(1, 2).Example(0, x, y)
	if !slices.Equal(x, []float32{3, 4}) || !slices.Equal(y, []float32{8, 9, 10}) || s.Len() != 2 || s.Classes != nil {
		t.Errorf("targets: %v, %v", x, y)
	}
	shape := s.Shape()
	shape[0] = 99
	if s.Shape()[0] != 2 {
		t.Error("Shape hands out the set's own slice")
	}
}

func TestRefused(t *testing.T) {
	x := make([]float32, 6)
	for _, c := range []struct {
		says string
		make func() (*Set, error)
	}{
		{"6 values for 2 examples", func() (*Set, error) { return FromFloats("s", []int{2}, x, make([]int32, 2), []string{"a"}) }},
		{"5 values for 2 examples", func() (*Set, error) {
			return FromBytes("s", []int{2}, make([]byte, 5), 1, 0, make([]int32, 2), []string{"a"})
		}},
		{"class 1", func() (*Set, error) { return FromFloats("s", []int{3}, x, []int32{0, 1}, []string{"a"}) }},
		{"class -1", func() (*Set, error) { return FromFloats("s", []int{3}, x, []int32{0, -1}, []string{"a"}) }},
		{"shape [0]", func() (*Set, error) { return FromFloats("s", []int{0}, nil, []int32{0}, []string{"a"}) }},
		{"shape [-1 -6]", func() (*Set, error) { return FromFloats("s", []int{-1, -6}, x, []int32{0}, []string{"a"}) }},
		{"shape [4294967296 4294967296]", func() (*Set, error) { return FromFloats("s", []int{1 << 32, 1 << 32}, nil, []int32{0}, []string{"a"}) }},
		{"not a multiple of 4", func() (*Set, error) { return FromTargets("s", []int{3}, x, x, 4) }},
		{"not a multiple of 0", func() (*Set, error) { return FromTargets("s", []int{3}, x, x, 0) }},
		{"example 7 of 5", func() (*Set, error) { return numbered(t, 10, 1).Take(0, 5).Subset([]int{7}) }},
		{"example -1 of 10", func() (*Set, error) { return numbered(t, 10, 1).Subset([]int{-1}) }},
	} {
		s, err := c.make()
		if err == nil || s != nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "data set") {
			t.Errorf("want an error that says %q, got %v", c.says, err)
		}
	}
}

func TestViews(t *testing.T) {
	s := numbered(t, 20, 1)
	sub, err := s.Subset([]int{9, 3, 3, 0})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		view *Set
		want []int
	}{
		"take":           {s.Take(3, 6), []int{3, 4, 5}},
		"take cut":       {s.Take(-5, 2), []int{0, 1}},
		"take end":       {s.Take(18, 100), []int{18, 19}},
		"take nothing":   {s.Take(6, 3), []int{}},
		"subset":         {sub, []int{9, 3, 3, 0}},
		"take of subset": {sub.Take(1, 4), []int{3, 3, 0}},
	} {
		if d := cmp.Diff(c.want, stored(c.view)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestSample(t *testing.T) {
	s := numbered(t, 200, 1)
	for n, want := range map[int][3]int{10: {5, 3, 2}, 100: {50, 30, 20}, 200: {100, 60, 40}, 1000: {100, 60, 40}} {
		if got := counts(s.Sample(n, 1)); got != want {
			t.Errorf("%d examples: classes %v, want %v", n, got, want)
		}
	}
	// Asked for nothing there is still something to calibrate with.
	for _, n := range []int{0, -3, 1} {
		if got := s.Sample(n, 1).Len(); got != 1 {
			t.Errorf("Sample(%d) has %d examples", n, got)
		}
	}
	if got := s.Take(0, 0).Sample(5, 1).Len(); got != 0 {
		t.Errorf("a sample of nothing has %d examples", got)
	}
	a, b, c := stored(s.Sample(50, 1)), stored(s.Sample(50, 1)), stored(s.Sample(50, 2))
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("a sample is not a function of its seed")
	}
	slices.Sort(a)
	if len(slices.Compact(a)) != 50 {
		t.Error("an example was drawn twice")
	}
	if got := counts(s.Sample(100, 3).Take(0, 10)); got != [3]int{5, 3, 2} {
		t.Errorf("the first ten of a sample have classes %v", got)
	}
}

// TestSampleWithoutClasses: neither targets nor an autoencoder's view have classes to draw from, and the latter's were once a panic.
func TestSampleWithoutClasses(t *testing.T) {
	x := make([]float32, 40)
	s, err := FromTargets("t", []int{2}, x, x, 2)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Sample(7, 1).Len(); got != 7 {
		t.Errorf("%d of 7 examples", got)
	}
	if got := counts(numbered(t, 100, 1).AsAutoencoder().Sample(10, 1)); got != [3]int{5, 3, 2} {
		t.Errorf("classes %v", got)
	}
}

func TestSplit(t *testing.T) {
	s := numbered(t, 200, 1)
	a, b := s.Split(0.2, 7)
	if counts(a) != [3]int{20, 12, 8} || counts(b) != [3]int{80, 48, 32} {
		t.Errorf("classes %v and %v", counts(a), counts(b))
	}
	if !slices.IsSorted(stored(a)) || !slices.IsSorted(stored(b)) {
		t.Error("the parts do not keep the order of the set")
	}
	all := append(stored(a), stored(b)...)
	slices.Sort(all)
	if !slices.Equal(all, stored(s)) {
		t.Error("the parts are not the set")
	}
	again, _ := s.Split(0.2, 7)
	other, _ := s.Split(0.2, 8)
	if !slices.Equal(stored(a), stored(again)) || slices.Equal(stored(a), stored(other)) {
		t.Error("a split is not a function of its seed")
	}
	for f, want := range map[float64]int{-1: 0, 0: 0, 1: 200, 1.5: 200, math.Inf(1): 200, math.NaN(): 0} {
		if a, b := s.Split(f, 1); a.Len() != want || b.Len() != 200-want {
			t.Errorf("Split(%g): %d and %d", f, a.Len(), b.Len())
		}
	}
}

func TestAsAutoencoder(t *testing.T) {
	s := numbered(t, 10, 2, 2, 1).AsAutoencoder()
	x, y := make([]float32, 4), make([]float32, s.TargetLen())
	s.Example(3, x, y)
	if !slices.Equal(x, []float32{3, 4, 5, 6}) || !slices.Equal(x, y) || s.Classes != nil || s.Label(9) != 2 {
		t.Errorf("%v, %v, classes %v, label %d", x, y, s.Classes, s.Label(9))
	}
}
