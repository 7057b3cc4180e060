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
// GOMAXPROCS threads. The pieces depend on n and grain alone. f must not panic on a worker: a panic is passed on to the caller.
func Parallel(n, grain int, f func(lo, hi int)) {
	chunks := Chunks(n, grain)
	Each(chunks, func(c int) { f(c*n/chunks, (c+1)*n/chunks) })
}

// Each calls f(0) ... f(n-1), on up to GOMAXPROCS threads.
func Each(n int, f func(i int)) {
	threads := min(runtime.GOMAXPROCS(0), n)
	if threads <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	j := jobs.Get().(*job)
	j.f, j.n = f, int32(n)
	j.next.Store(0)
	j.failed.Store(nil)
	for range threads - 1 {
		j.wait.Add(1)
		if !offer(j) {
			j.wait.Done() // all workers are busy: the caller does it
		}
	}
	j.run()
	j.wait.Wait()
	failed := j.failed.Load()
	j.f = nil
	jobs.Put(j)
	if failed != nil {
		panic(*failed)
	}
}

type job struct {
	f      func(int)
	n      int32
	next   atomic.Int32
	wait   sync.WaitGroup
	failed atomic.Pointer[any]
}

var jobs = sync.Pool{New: func() any { return new(job) }}

func (j *job) run() {
	defer func() {
		if r := recover(); r != nil {
			j.failed.Store(&r)
		}
	}()
	for {
		i := j.next.Add(1) - 1
		if i >= j.n {
			return
		}
		j.f(int(i))
	}
}

// The pool of workers: started when first needed, parked on the channel between jobs.
var pool struct {
	sync.Mutex
	started int
	queue   chan *job
}

const maxWorkers = 256

func init() { pool.queue = make(chan *job, maxWorkers) }

func offer(j *job) bool {
	pool.Lock()
	if want := min(runtime.GOMAXPROCS(0)-1, maxWorkers); pool.started < want {
		pool.started++
		go func() {
			for j := range pool.queue {
				j.run()
				j.wait.Done()
			}
		}()
	}
	pool.Unlock()
	select {
	case pool.queue <- j:
		return true
	default:
		return false
	}
}
