package datasets

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestShift compares with the definition, pixel by pixel; the shift in place once could have overwritten a row before reading it.
func TestShift(t *testing.T) {
	const h, w, c = 4, 3, 2
	for dy := -5; dy <= 5; dy++ {
		for dx := -5; dx <= 5; dx++ {
			x, want := make([]float32, h*w*c), make([]float32, h*w*c)
			for i := range x {
				x[i] = float32(i + 1)
			}
			for y := range h {
				for k := range w {
					if y-dy >= 0 && y-dy < h && k-dx >= 0 && k-dx < w {
						copy(want[(y*w+k)*c:(y*w+k+1)*c], x[((y-dy)*w+k-dx)*c:])
					}
				}
			}
			shift(x, []int{h, w, c}, dy, dx)
			if !slices.Equal(x, want) {
				t.Errorf("by %d, %d: %v, want %v", dy, dx, x, want)
			}
		}
	}
}

func TestFlipHorizontal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	FlipHorizontal{1}.apply(x, []int{2, 3, 2}, r)
	if want := []float32{5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8}; !slices.Equal(x, want) {
		t.Errorf("%v, want %v", x, want)
	}
	old := slices.Clone(x)
	FlipHorizontal{0}.apply(x, []int{2, 3, 2}, r)
	if !slices.Equal(x, old) {
		t.Error("flipped with probability 0")
	}
}

func TestNoise(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 10000)
	Noise{0.5}.apply(x, []int{len(x)}, r)
	var sum, squares float64
	for _, v := range x {
		sum += float64(v)
		squares += float64(v) * float64(v)
	}
	if mean, dev := sum/1e4, math.Sqrt(squares/1e4); math.Abs(mean) > 0.02 || math.Abs(dev-0.5) > 0.02 {
		t.Errorf("mean %g, deviation %g, want 0, 0.5", mean, dev)
	}
}

// TestAugmentationIsSpread: neighbouring examples and epochs have neighbouring seeds; their shifts must not follow from that.
func TestAugmentationIsSpread(t *testing.T) {
	const n = 250
	pixels := make([]byte, n*9)
	for i := range n {
		pixels[i*9+4] = 1 // the middle pixel
	}
	s, err := FromBytes("dots", []int{3, 3, 1}, pixels, 1, 0, make([]int32, n), []string{"dot"})
	if err != nil {
		t.Fatal(err)
	}
	var places [9]float64
	for epoch := range 4 {
		for x := range s.Augment(Shift{1}).Batches(1, epoch, 50, 0) {
			for i, v := range x {
				places[i%9] += float64(v)
			}
		}
	}
	chi := 0.0
	for _, c := range places {
		chi += (c - 4*n/9.0) * (c - 4*n/9.0) / (4 * n / 9.0)
	}
	if chi > 26 { // 8 degrees of freedom: one in a thousand
		t.Errorf("the pixel went to %v", places)
	}
}

// TestAugmentationFollowsTheExample: where an example stands in the epoch, in which view and in what batches, does not matter.
func TestAugmentationFollowsTheExample(t *testing.T) {
	s := noisy(t, 40)
	whole := collect(s, 6, 2, 40, 0)[0]
	part := collect(s.Take(30, 40), 6, 2, 3, 0)
	var x []float32
	for _, b := range part {
		x = append(x, b.x...)
	}
	for i := range 10 {
		one := x[i*32 : (i+1)*32]
		found := false
		for k := range 40 {
			found = found || slices.Equal(one, whole.x[k*32:(k+1)*32])
		}
		if !found {
			t.Errorf("example %d of the part is not in the whole", i)
		}
	}
}

func TestExampleIsNotAugmented(t *testing.T) {
	plain, augmented := numbered(t, 5, 4, 4, 2), noisy(t, 5)
	x, z, y := make([]float32, 32), make([]float32, 32), make([]float32, 1)
	plain.Example(2, x, y)
	augmented.Example(2, z, y)
	if !slices.Equal(x, z) {
		t.Error("Example is augmented")
	}
	if len(plain.Augment(Shift{1}).augment) != 1 || plain.augment != nil {
		t.Error("Augment changed the set it views")
	}
}

// TestAutoencoderTargets: the target is the input that the autoencoder's view was made of, augmented or not.
func TestAutoencoderTargets(t *testing.T) {
	s := numbered(t, 6, 4, 4, 2)
	for _, b := range collect(s.Augment(Shift{2}, Noise{0.1}).AsAutoencoder(), 1, 0, 3, 0) {
		if !slices.Equal(b.x, b.y) {
			t.Error("the target of an augmented input is not that input")
		}
	}
	shifted := collect(s.Augment(Shift{2}), 1, 0, 6, 0)[0]
	denoising := collect(s.Augment(Shift{2}).AsAutoencoder().Augment(Noise{0.1}), 1, 0, 6, 0)[0]
	if !slices.Equal(denoising.y, shifted.x) || slices.Equal(denoising.x, denoising.y) {
		t.Error("the target of a denoising autoencoder has the noise")
	}
}

// TestOddAugmentations: numbers without sense and examples that are no images once were a panic in the reading goroutine, which nobody can recover.
func TestOddAugmentations(t *testing.T) {
	odd := []Augmentation{Shift{-1}, Shift{0}, Crop{-7}, Shift{math.MaxInt}, FlipHorizontal{math.NaN()}, FlipHorizontal{-1}, Noise{0}}
	for _, s := range []*Set{numbered(t, 4, 5), numbered(t, 4, 3, 2), numbered(t, 4, 3, 3, 1), numbered(t, 4, 2, 2, 2, 2)} {
		if got := collect(s.Augment(odd...), 1, 0, 2, 0); len(got) != 2 {
			t.Errorf("shape %v: %d batches", s.Shape(), len(got))
		}
	}
}
