package interp

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/temper-ml/temper/export/tflite"
)

// Samples is a data set: Example writes input and target (a class index) of example i; Shape is an input's, without the batch.
type Samples interface {
	Len() int
	Shape() []int
	Example(i int, x, y []float32)
}

// Classify executes the model on every example and returns the index of the largest output of each (the first among equals). Inputs are quantized
// as TFLite's QUANTIZE does. It uses as many goroutines as GOMAXPROCS; progress, if not nil, is called with the number of examples done.
func Classify(ctx context.Context, m *tflite.Model, p Profile, s Samples, progress func(done int)) ([]int, error) {
	return ClassifyWith(ctx, func() (*Interpreter, error) { return New(m, p) }, s, progress)
}

// ClassifyWith is Classify with interpreters that open makes, one for each goroutine.
func ClassifyWith(ctx context.Context, open func() (*Interpreter, error), s Samples, progress func(done int)) ([]int, error) {
	classes := make([]int, s.Len())
	err := each(ctx, open, s, progress, func(i int, it *Interpreter, _ []float32) {
		out := it.Outputs()[0]
		y := make([]float32, out.Volume())
		if out.Type == tflite.INT8 {
			for j, v := range out.Int8() {
				y[j] = float32(v)
			}
		} else {
			copy(y, out.Float32())
		}
		for j, v := range y {
			if v > y[classes[i]] {
				classes[i] = j
			}
		}
	})
	return classes, err
}

// Accuracy is the part of examples that the file classifies right, by executing it.
func Accuracy(ctx context.Context, m *tflite.Model, p Profile, s Samples, progress func(done int)) (float64, error) {
	classes, err := Classify(ctx, m, p, s, progress)
	if err != nil {
		return 0, err
	}
	if len(classes) == 0 {
		return 0, fmt.Errorf("accuracy over no examples")
	}
	right := 0
	it, err := New(m, p)
	if err != nil {
		return 0, err
	}
	x, y := make([]float32, it.Inputs()[0].Volume()), []float32{0}
	for i, c := range classes {
		s.Example(i, x, y)
		if int(y[0]) == c {
			right++
		}
	}
	return float64(right) / float64(len(classes)), nil
}

// Takes compares the model's input and output with a data set for classification.
func (it *Interpreter) Takes(s Samples) error {
	if len(it.Inputs()) != 1 || len(it.Outputs()) < 1 {
		return fmt.Errorf("the model has %d inputs and %d outputs, a data set feeds 1", len(it.Inputs()), len(it.Outputs()))
	}
	n := 1
	for _, d := range s.Shape() {
		n *= d
	}
	if t := it.Inputs()[0]; t.Volume() != n {
		return fmt.Errorf("input %s of shape %v does not take the examples of shape %v", t.Name, t.Shape, s.Shape())
	}
	if t := it.Outputs()[0]; t.Type != tflite.INT8 && t.Type != tflite.FLOAT32 {
		return fmt.Errorf("output %s has type %s, want int8 or float32", t.Name, t.Type)
	}
	return nil
}

// each runs the model on every example, on several goroutines with an interpreter each.
func each(ctx context.Context, open func() (*Interpreter, error), s Samples, progress func(int), f func(i int, it *Interpreter, y []float32)) error {
	probe, err := open()
	if err != nil {
		return err
	}
	if err := probe.Takes(s); err != nil {
		return err
	}
	var mu sync.Mutex
	var first error
	next, done := 0, 0
	const chunk = 16
	take := func(finished int) (lo, hi int) {
		mu.Lock()
		defer mu.Unlock()
		if done += finished; finished > 0 && progress != nil {
			progress(done)
		}
		if first == nil {
			first = ctx.Err()
		}
		if first != nil {
			return 0, 0
		}
		lo, hi = next, min(next+chunk, s.Len())
		next = hi
		return lo, hi
	}
	var wait sync.WaitGroup
	for range max(1, min(runtime.GOMAXPROCS(0), s.Len())) {
		wait.Add(1)
		go func() {
			defer wait.Done()
			err := work(open, s, take, f)
			if err != nil {
				mu.Lock()
				first = err
				mu.Unlock()
			}
		}()
	}
	wait.Wait()
	return first
}

func work(open func() (*Interpreter, error), s Samples, take func(int) (int, int), f func(int, *Interpreter, []float32)) error {
	it, err := open()
	if err != nil {
		return err
	}
	in := it.Inputs()[0]
	x, y := make([]float32, in.Volume()), make([]float32, max(in.Volume(), 1))
	for lo, hi := take(0); lo < hi; lo, hi = take(hi - lo) {
		for i := lo; i < hi; i++ {
			s.Example(i, x, y)
			if err := in.SetFloats(x); err != nil {
				return fmt.Errorf("example %d: %w", i, err)
			}
			if it.Invoke(); it.Err() != nil {
				return fmt.Errorf("example %d: %w", i, it.Err())
			}
			f(i, it, y)
		}
	}
	return nil
}
