package compute

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// maxChunks bounds the pieces that Parallel cuts, whatever the number of threads.
const maxChunks = 16

// Chunks is the number of pieces that Parallel makes of n items of at least grain each.
func Chunks(n, grain int) int {
	return max(1, min(maxChunks, n/max(grain, 1)))
}

// Parallel calls f on consecutive pieces [lo, hi) of [0, n), at most 16 of them and none (but the only one) shorter than grain, on up to
// GOMAXPROCS threads. The pieces depend on n and grain alone. A panic of f is passed on to the caller.
func Parallel(n, grain int, f func(lo, hi int)) {
	chunks := Chunks(n, grain)
	helpers := min(runtime.GOMAXPROCS(0), chunks) - 1
	if helpers <= 0 {
		for c := range chunks {
			f(c*n/chunks, (c+1)*n/chunks)
		}
		return
	}
	j := jobs.Get().(*job)
	j.part, j.items = f, n
	j.do(chunks, helpers)
}

// Each calls f(0) ... f(n-1), on up to GOMAXPROCS threads.
func Each(n int, f func(i int)) {
	helpers := min(runtime.GOMAXPROCS(0), n) - 1
	if helpers <= 0 {
		for i := range n {
			f(i)
		}
		return
	}
	j := jobs.Get().(*job)
	j.each = f
	j.do(n, helpers)
}

// Work calls Parallel without a closure of its own for each call: f, which captures nothing, gets its arguments from memory that is used again. The
// zero value is ready; it is safe for concurrent use.
type Work[A any] struct{ calls sync.Pool }

type workCall[A any] struct {
	args A
	f    func(a *A, lo, hi int)
	run  func(lo, hi int)
}

// Parallel is the function Parallel with arguments for f.
func (w *Work[A]) Parallel(n, grain int, args A, f func(a *A, lo, hi int)) {
	c, _ := w.calls.Get().(*workCall[A])
	if c == nil {
		c = new(workCall[A])
		c.run = func(lo, hi int) { c.f(&c.args, lo, hi) }
	}
	c.args, c.f = args, f
	Parallel(n, grain, c.run)
	*c = workCall[A]{run: c.run}
	w.calls.Put(c)
}

// do hands the job out, works on it too, and returns when it is done.
func (j *job) do(n, helpers int) {
	j.n = int32(n)
	j.next.Store(0)
	j.failed.Store(nil)
	ws := workers(helpers)
	j.taken = j.taken[:0]
	for _, w := range ws {
		if w.offer(j) {
			j.taken = append(j.taken, w)
		}
	}
	j.run()
	for _, w := range j.taken {
		w.release(j)
	}
	failed := j.failed.Load()
	j.each, j.part = nil, nil
	jobs.Put(j)
	if failed != nil {
		panic(*failed)
	}
}

// job is one call of Each or Parallel. Whoever works on it takes the next index until none is left.
type job struct {
	each   func(int)
	part   func(lo, hi int) // or this, of items cut into n pieces
	items  int
	n      int32
	next   atomic.Int32
	taken  []*worker // that it was offered to
	failed atomic.Pointer[any]
}

var jobs = sync.Pool{New: func() any { return new(job) }}

func (j *job) run() {
	defer func() {
		if r := recover(); r != nil {
			failed := r // allocated in this case alone
			j.failed.Store(&failed)
		}
	}()
	for {
		i := int(j.next.Add(1) - 1)
		n := int(j.n)
		if i >= n {
			return
		}
		if j.each != nil {
			j.each(i)
		} else {
			j.part(i*j.items/n, (i+1)*j.items/n)
		}
	}
}

// worker is a goroutine that works on jobs. Between jobs it spins, so that the many short passes of a training step need no wake-up (tens of
// microseconds each): between Begin and End across whatever runs on one thread, else for some microseconds. Then it parks.
type worker struct {
	box     atomic.Pointer[job] // the job offered or worked on
	working atomic.Bool         // the worker has begun with it
	parked  atomic.Bool
	wake    chan struct{}
}

// An idle worker looks so often before it parks: some microseconds, and within a step some milliseconds, in case that the step hangs or its thread
// is not running.
const (
	spins     = 500
	stepSpins = 200_000
)

// steps is the number of steps in progress.
var steps atomic.Int32

// Begin says that a step of many short passes begins, and wakes the workers; End says that it is over.
func Begin() {
	steps.Add(1)
	helpers := runtime.GOMAXPROCS(0) - 1
	if helpers == 0 {
		return
	}
	for _, w := range workers(helpers) {
		if w.parked.CompareAndSwap(true, false) {
			w.wake <- struct{}{}
		}
	}
}

// End ends a step.
func End() { steps.Add(-1) }

// maxWorkers bounds the pool.
const maxWorkers = 256

// pool holds the workers: started when first needed.
var pool struct {
	sync.Mutex
	all atomic.Pointer[[]*worker]
}

// workers returns the first n workers.
func workers(n int) []*worker {
	n = min(n, maxWorkers)
	if all := pool.all.Load(); all != nil && len(*all) >= n {
		return (*all)[:n]
	}
	pool.Lock()
	defer pool.Unlock()
	var all []*worker
	if old := pool.all.Load(); old != nil {
		all = append(all, *old...)
	}
	for len(all) < n {
		w := &worker{wake: make(chan struct{}, 1)}
		go w.loop()
		all = append(all, w)
	}
	pool.all.Store(&all)
	return all[:n]
}

// offer gives a job to an idle worker.
func (w *worker) offer(j *job) bool {
	if !w.box.CompareAndSwap(nil, j) {
		return false
	}
	if w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
	return true
}

// release takes an offer back that the worker has not begun with, or waits until it has finished.
func (w *worker) release(j *job) {
	for i := 0; w.box.Load() == j; i++ {
		if !w.working.Load() && w.working.CompareAndSwap(false, true) {
			// The worker had not begun: now it will not.
			w.box.Store(nil)
			w.working.Store(false)
			return
		}
		if i%1000 == 999 {
			runtime.Gosched()
		}
	}
}

func (w *worker) loop() {
	for {
		for i := 0; w.box.Load() == nil; i++ {
			if i < spins || i < stepSpins && steps.Load() > 0 {
				pause()
				continue
			}
			w.parked.Store(true)
			if w.box.Load() == nil || !w.parked.CompareAndSwap(true, false) {
				<-w.wake
			}
			i = 0
		}
		w.serve()
	}
}

// serve works on the job in the box, unless its owner took it back.
func (w *worker) serve() {
	if !w.working.CompareAndSwap(false, true) {
		return
	}
	if j := w.box.Load(); j != nil {
		j.run()
		w.box.Store(nil)
	}
	w.working.Store(false)
}
