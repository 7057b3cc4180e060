package datasets

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Set is a set of examples of one shape, each with a class or with a vector of targets. Views (Take, Subset, Sample, Split, Augment) share the
// examples. A Set is not changed after it was made, and is safe for concurrent use.
type Set struct {
	Name    string
	Classes []string // names of the classes; nil for vectors of targets

	shape   []int
	volume  int
	store   store
	labels  []int32   // class of each stored example
	targets []float32 // or targetLen values for each
	length  int       // targets of an example
	self    bool      // the target is the input, after that many augmentations
	after   int
	index   []int32 // the stored examples of this view; nil: all
	augment []Augmentation
}

// store holds inputs: bytes with their real values, or float32.
type store struct {
	bytes  []byte
	floats []float32
	values *[256]float32 // of the bytes
}

// FromBytes makes a classified set of n = len(labels) examples: real value = byte*scale + offset. shape is that of one example, height, width,
// channels. The slices are kept.
func FromBytes(name string, shape []int, pixels []byte, scale, offset float32, labels []int32, classes []string) (*Set, error) {
	s := &Set{Name: name, shape: slices.Clone(shape), labels: labels, Classes: classes, store: store{bytes: pixels, values: new([256]float32)}, length: 1}
	for b := range s.store.values {
		s.store.values[b] = float32(float32(b)*scale) + offset
	}
	return s.checked(len(pixels), len(labels))
}

// FromFloats makes a classified set of float32 examples.
func FromFloats(name string, shape []int, x []float32, labels []int32, classes []string) (*Set, error) {
	s := &Set{Name: name, shape: slices.Clone(shape), labels: labels, Classes: classes, store: store{floats: x}, length: 1}
	return s.checked(len(x), len(labels))
}

// FromTargets makes a set of float32 examples with vectors of length target values.
func FromTargets(name string, shape []int, x, targets []float32, length int) (*Set, error) {
	s := &Set{Name: name, shape: slices.Clone(shape), targets: targets, length: length, store: store{floats: x}}
	if length <= 0 || len(targets)%length != 0 {
		return nil, fmt.Errorf("data set %s: %d target values are not a multiple of %d", name, len(targets), length)
	}
	return s.checked(len(x), len(targets)/length)
}

// maxVolume bounds the values of one example.
const maxVolume = 1 << 28

func (s *Set) checked(values, n int) (*Set, error) {
	s.volume = 1
	for _, d := range s.shape {
		if d <= 0 || s.volume > maxVolume/d {
			return nil, fmt.Errorf("data set %s: shape %v of an example: want sizes of at least 1, and at most %d values", s.Name, s.shape, maxVolume)
		}
		s.volume *= d
	}
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("data set %s: %d examples, the limit is %d", s.Name, n, math.MaxInt32)
	}
	if values != n*s.volume {
		return nil, fmt.Errorf("data set %s: %d values for %d examples of shape %v, want %d", s.Name, values, n, s.shape, n*s.volume)
	}
	for i, l := range s.labels {
		if l < 0 || int(l) >= len(s.Classes) {
			return nil, fmt.Errorf("data set %s: example %d has class %d, there are %d classes", s.Name, i, l, len(s.Classes))
		}
	}
	return s, nil
}

// Len is the number of examples.
func (s *Set) Len() int {
	if s.index != nil {
		return len(s.index)
	}
	if s.labels != nil {
		return len(s.labels)
	}
	return len(s.targets) / s.length
}

// Shape is the shape of one example.
func (s *Set) Shape() []int { return slices.Clone(s.shape) }

// TargetLen is the number of target values of an example: 1 for a class index.
func (s *Set) TargetLen() int {
	if s.self {
		return s.volume
	}
	return s.length
}

// at is the stored example behind example i.
func (s *Set) at(i int) int {
	if s.index != nil {
		return int(s.index[i])
	}
	return i
}

// Example writes the input (the volume of Shape) and the target (TargetLen values, a class index as a number) of example i, 0 <= i < Len, without
// augmentation.
func (s *Set) Example(i int, x, y []float32) {
	k := s.at(i)
	x = x[:s.volume]
	if s.store.floats != nil {
		copy(x, s.store.floats[k*s.volume:])
	} else {
		values := s.store.values
		for j, b := range s.store.bytes[k*s.volume : (k+1)*s.volume] {
			x[j] = values[b]
		}
	}
	switch {
	case s.self:
		copy(y, x)
	case s.labels != nil:
		y[0] = float32(s.labels[k])
	default:
		copy(y[:s.length], s.targets[k*s.length:])
	}
}

// Label is the class of example i, 0 for a set without classes. An autoencoder's view still knows the classes.
func (s *Set) Label(i int) int {
	if s.labels == nil {
		return 0
	}
	return int(s.labels[s.at(i)])
}

// Subset is a view of the examples of these indices, in this order.
func (s *Set) Subset(index []int) (*Set, error) {
	for _, i := range index {
		if i < 0 || i >= s.Len() {
			return nil, fmt.Errorf("data set %s: example %d of %d", s.Name, i, s.Len())
		}
	}
	return s.view(index), nil
}

func (s *Set) view(index []int) *Set {
	v := *s
	v.index = make([]int32, len(index))
	for i, k := range index {
		v.index[i] = int32(s.at(k))
	}
	return &v
}

// Take is a view of examples lo to hi-1, cut to what is there.
func (s *Set) Take(lo, hi int) *Set {
	hi = min(hi, s.Len())
	var index []int
	for i := max(lo, 0); i < hi; i++ {
		index = append(index, i)
	}
	return s.view(index)
}

// AsAutoencoder is a view whose targets are the inputs as this set gives them: with the augmentations that it has. Those that the view is given later
// change the input only, so that s.AsAutoencoder().Augment(Noise{...}) trains a denoising autoencoder (Vincent et al., 2008).
func (s *Set) AsAutoencoder() *Set {
	v := *s
	v.Classes = nil
	v.self, v.after = true, len(s.augment)
	return &v
}

// Sample is a view of n representative examples, at least one and at most all: each class gives its share, drawn with seed. Classes take turns, so
// that the first examples of the view are representative too.
func (s *Set) Sample(n int, seed uint64) *Set {
	return s.view(share(s.byClass(seed), max(n, 1)))
}

// Split divides the set into two views, the first with that fraction (0 to 1) of each class, drawn with seed. Both keep the order of the set.
func (s *Set) Split(fraction float64, seed uint64) (a, b *Set) {
	n := 0
	if fraction > 0 { // not so for NaN
		n = int(min(fraction, 1)*float64(s.Len()) + 0.5)
	}
	first := share(s.byClass(seed), n)
	in := make([]bool, s.Len())
	for _, i := range first {
		in[i] = true
	}
	var second []int
	for i, taken := range in {
		if !taken {
			second = append(second, i)
		}
	}
	slices.Sort(first)
	return s.view(first), s.view(second)
}

// byClass lists the examples of each class in a random order.
func (s *Set) byClass(seed uint64) [][]int {
	var groups [][]int
	for i := range s.Len() {
		k := s.Label(i)
		for k >= len(groups) {
			groups = append(groups, nil)
		}
		groups[k] = append(groups[k], i)
	}
	r := rand.New(rand.NewPCG(seed, 0x5a))
	for _, g := range groups {
		r.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
	}
	return groups
}

// share takes n members of the groups, or all, in proportion to their sizes: the i-th of m members stands at (i+1/2)/m, and the first n in that
// order go.
func share(groups [][]int, n int) []int {
	type member struct {
		at float64
		i  int
	}
	var all []member
	for _, g := range groups {
		for i, k := range g {
			all = append(all, member{(float64(i) + 0.5) / float64(len(g)), k})
		}
	}
	slices.SortStableFunc(all, func(a, b member) int { return cmp.Compare(a.at, b.at) })
	n = min(n, len(all))
	index := make([]int, 0, n)
	for _, m := range all[:n] {
		index = append(index, m.i)
	}
	return index
}
