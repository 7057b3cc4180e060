package datasets

import (
	"iter"
	"math/rand/v2"
)

// Batches yields the inputs and targets of one epoch, size examples at a time (the last batch may be shorter), from batch number start on. seed and
// epoch decide order and augmentation; seed 0 is the stored order. The slices are valid until the next batch. A goroutine fills the next
// batch while the caller works on one; it ends with the loop.
func (s *Set) Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		if size <= 0 || s.Len() == 0 {
			return
		}
		type batch struct{ x, y []float32 }
		order := s.order(seed, epoch)
		per := s.TargetLen()
		free, full, stop := make(chan batch, 2), make(chan batch, 2), make(chan struct{})
		for range 2 {
			n := min(size, s.Len())
			free <- batch{make([]float32, n*s.volume), make([]float32, n*per)}
		}
		go func() {
			defer close(full)
			for at := start * size; at < len(order); at += size {
				var b batch
				select {
				case b = <-free:
				case <-stop:
					return
				}
				n := min(size, len(order)-at)
				b.x, b.y = b.x[:n*s.volume], b.y[:n*per]
				for i, k := range order[at : at+n] {
					s.draw(int(k), seed, epoch, b.x[i*s.volume:(i+1)*s.volume], b.y[i*per:(i+1)*per])
				}
				full <- b
			}
		}()
		defer close(stop)
		for b := range full {
			if !yield(b.x, b.y) {
				return
			}
			free <- b
		}
	}
}

// order is the order of an epoch.
func (s *Set) order(seed uint64, epoch int) []int32 {
	order := make([]int32, s.Len())
	for i := range order {
		order[i] = int32(i)
	}
	if seed != 0 {
		r := rand.New(rand.NewPCG(seed, uint64(epoch)))
		r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return order
}

// draw writes example i as this epoch sees it.
func (s *Set) draw(i int, seed uint64, epoch int, x, y []float32) {
	s.Example(i, x, y)
	if len(s.augment) == 0 {
		return
	}
	r := rand.New(rand.NewPCG(seed^0x9e3779b97f4a7c15, uint64(epoch)<<32|uint64(s.at(i))))
	for _, a := range s.augment {
		a.apply(x, s.shape, r)
	}
}
