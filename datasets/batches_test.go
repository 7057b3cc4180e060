package datasets

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// pair is a copy of a batch.
type pair struct{ x, y []float32 }

func collect(s *Set, seed uint64, epoch, size, start int) (all []pair) {
	for x, y := range s.Batches(seed, epoch, size, start) {
		all = append(all, pair{slices.Clone(x), slices.Clone(y)})
	}
	return all
}

func same(a, b []pair) bool {
	return slices.EqualFunc(a, b, func(p, q pair) bool { return slices.Equal(p.x, q.x) && slices.Equal(p.y, q.y) })
}

// noisy is a set with every augmentation.
func noisy(t testing.TB, n int) *Set {
	return numbered(t, n, 4, 4, 2).Augment(Shift{1}, FlipHorizontal{0.5}, Crop{1}, Noise{0.1})
}

func TestStoredOrder(t *testing.T) {
	s := numbered(t, 10, 2)
	var sizes []int
	i := 0
	for x, y := range s.Batches(0, 5, 4, 0) {
		sizes = append(sizes, len(y))
		for k := range y {
			if x[2*k] != float32(i) || int(y[k]) != s.Label(i) {
				t.Errorf("example %d: %v, %v", i, x[2*k], y[k])
			}
			i++
		}
	}
	if !slices.Equal(sizes, []int{4, 4, 2}) {
		t.Errorf("batches of %v", sizes)
	}
}

func TestOrderIsAFunctionOfSeedAndEpoch(t *testing.T) {
	for name, s := range map[string]*Set{"plain": numbered(t, 100, 3), "augmented": noisy(t, 100), "autoencoder": noisy(t, 100).AsAutoencoder()} {
		a := collect(s, 3, 1, 8, 0)
		if !same(a, collect(s, 3, 1, 8, 0)) {
			t.Errorf("%s: the same seed and epoch differ", name)
		}
		if same(a, collect(s, 3, 2, 8, 0)) || same(a, collect(s, 4, 1, 8, 0)) {
			t.Errorf("%s: another seed or epoch does not differ", name)
		}
	}
	seen := make([]bool, 100)
	for x := range numbered(t, 100, 1).Batches(3, 1, 7, 0) {
		for _, v := range x {
			if seen[int(v)] {
				t.Errorf("example %v comes twice", v)
			}
			seen[int(v)] = true
		}
	}
	if slices.Contains(seen, false) {
		t.Error("an example is missing")
	}
}

// TestResume: a run that starts at batch k sees what the whole run saw from there, augmentation included.
func TestResume(t *testing.T) {
	for name, s := range map[string]*Set{"plain": numbered(t, 50, 3), "augmented": noisy(t, 50)} {
		all := collect(s, 9, 4, 8, 0)
		for k := range len(all) + 1 {
			if !same(all[k:], collect(s, 9, 4, 8, k)) {
				t.Errorf("%s: start at %d differs", name, k)
			}
		}
		if !same(all, collect(s, 9, 4, 8, -1)) {
			t.Errorf("%s: a start before 0 is not 0", name)
		}
	}
}

func TestNoBatches(t *testing.T) {
	s := numbered(t, 10, 1)
	huge := int(^uint(0) >> 1)
	for name, got := range map[string][]pair{
		"size 0": collect(s, 1, 0, 0, 0), "size -1": collect(s, 1, 0, -1, 0), "empty": collect(s.Take(0, 0), 1, 0, 4, 0),
		"start at the end": collect(s, 1, 0, 5, 2), "far start": collect(s, 1, 0, 5, huge), "far start, large size": collect(s, 1, 0, huge, 3),
	} {
		if len(got) != 0 {
			t.Errorf("%s: %d batches", name, len(got))
		}
	}
	if got := collect(s, 1, 0, huge, 0); len(got) != 1 || len(got[0].y) != 10 {
		t.Errorf("one batch larger than the set: %d batches", len(got))
	}
}

// TestNoGoroutineLeft: when the loop ends, by its end, a break or a panic, the goroutine that reads ahead has ended.
func TestNoGoroutineLeft(t *testing.T) {
	s := noisy(t, 100)
	before := runtime.NumGoroutine()
	for stop := range 30 {
		i := 0
		func() {
			defer func() { recover() }()
			for range s.Batches(1, 0, 4, 0) {
				if i++; i > stop {
					if stop%2 == 0 {
						break
					}
					panic("a broken step")
				}
			}
		}()
		// The goroutine's last act is to close its channel; the runtime counts it until it has returned from there.
		for wait := time.Duration(1); runtime.NumGoroutine() > before && wait < 4*time.Second; wait *= 2 {
			time.Sleep(wait)
		}
		if n := runtime.NumGoroutine(); n > before {
			t.Fatalf("stopped after %d batches: %d goroutines, %d before", stop, n, before)
		}
	}
}

// TestIteratorTwice: the sequence may be ranged over again, and by several at once.
func TestIteratorTwice(t *testing.T) {
	s := noisy(t, 60)
	batches, want := s.Batches(2, 2, 7, 1), collect(s, 2, 2, 7, 1)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var got []pair
			for x, y := range batches {
				got = append(got, pair{slices.Clone(x), slices.Clone(y)})
			}
			if !same(got, want) {
				t.Error("ranging again differs")
			}
		})
	}
	wg.Wait()
}

// TestNoAllocationPerBatch: an epoch of many batches allocates no more than one of few.
func TestNoAllocationPerBatch(t *testing.T) {
	allocations := func(size int) float64 {
		s := noisy(t, 400)
		return testing.AllocsPerRun(5, func() {
			for range s.Batches(1, 0, size, 0) {
			}
		})
	}
	if few, many := allocations(200), allocations(2); many > few+20 {
		t.Errorf("%g allocations for 2 batches, %g for 200", few, many)
	}
}

func ExampleSet_Batches() {
	s, err := FromFloats("numbers", []int{1}, []float32{10, 11, 12, 13, 14}, []int32{0, 1, 0, 1, 0}, []string{"even", "odd"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for x, y := range s.Batches(0, 0, 2, 1) { // seed 0: the stored order; from the second batch on
		fmt.Println(x, y)
	}
	// Output:
	// [12 13] [0 1]
	// [14] [0]
}

func ExampleSet_Sample() {
	x, labels := make([]float32, 100), make([]int32, 100)
	for i := range 20 { // a fifth of the examples is of class 1
		labels[i] = 1
	}
	s, err := FromFloats("unequal", []int{1}, x, labels, []string{"common", "rare"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var n [2]int
	calibration := s.Sample(10, 1)
	for i := range calibration.Len() {
		n[calibration.Label(i)]++
	}
	fmt.Println(n)
	// Output: [8 2]
}
