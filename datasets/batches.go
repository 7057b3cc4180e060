package datasets

import (
	"iter"
	"math/rand/v2"
)

// Batches yields the inputs and targets of one epoch, size examples at a time (the last batch may be shorter), from batch number start on. seed and
// epoch alone decide order and augmentation, whatever start is; seed 0 is the stored order. The slices are valid until the next batch. A
// goroutine fills the next batch while the caller works on one; it has ended when the loop has, however the loop ends.
func (s *Set) Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		start := max(start, 0)
		if size <= 0 || s.Len() == 0 || start > (s.Len()-1)/size {
			return
		}
		size := min(size, s.Len())
		f := newFiller(s, seed, epoch)
		free, full, stop := make(chan batch, 2), make(chan batch, 2), make(chan struct{})
		for range cap(free) {
			free <- batch{make([]float32, size*s.volume), make([]float32, size*s.TargetLen())}
		}
		go func() {
			defer close(full)
			for at := start * size; at < len(f.order); at += size {
				select {
				case b := <-free:
					full <- f.fill(b, f.order[at:min(at+size, len(f.order))])
				case <-stop:
					return
				}
			}
		}()
		defer func() {
			close(stop)
			for range full {
			}
		}()
		for b := range full {
			if !yield(b.x, b.y) {
				return
			}
			free <- b
		}
	}
}

// batch is the inputs and the targets of some examples.
type batch struct{ x, y []float32 }

// filler draws the examples of an epoch. It is for one goroutine.
type filler struct {
	*Set
	seed   uint64
	epoch  int
	order  []int32
	source *rand.PCG
	random *rand.Rand // reads source
}

func newFiller(s *Set, seed uint64, epoch int) *filler {
	f := &filler{Set: s, seed: seed, epoch: epoch, order: make([]int32, s.Len()), source: rand.NewPCG(seed, uint64(epoch))}
	f.random = rand.New(f.source)
	for i := range f.order {
		f.order[i] = int32(i)
	}
	if seed != 0 {
		f.random.Shuffle(len(f.order), func(i, j int) { f.order[i], f.order[j] = f.order[j], f.order[i] })
	}
	return f
}

// fill writes these examples to b, cut to their number.
func (f *filler) fill(b batch, examples []int32) batch {
	per := f.TargetLen()
	b.x, b.y = b.x[:len(examples)*f.volume], b.y[:len(examples)*per]
	for i, k := range examples {
		f.draw(int(k), b.x[i*f.volume:(i+1)*f.volume], b.y[i*per:(i+1)*per])
	}
	return b
}

// draw writes example i as this epoch sees it.
func (f *filler) draw(i int, x, y []float32) {
	f.Example(i, x, y)
	if len(f.augment) == 0 {
		return
	}
	f.source.Seed(f.seed^augmentStream, uint64(f.epoch)<<32|uint64(f.at(i)))
	for k, a := range f.augment {
		a.apply(x, f.shape, f.random)
		if f.self && k+1 == f.after {
			copy(y, x)
		}
	}
}

// augmentStream separates the random numbers of augmentation from those of the order.
const augmentStream = 0x9e3779b97f4a7c15
