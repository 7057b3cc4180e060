package interp

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
)

// counting are examples whose class stands in the input.
type counting struct {
	n, width int
}

func (c counting) Len() int     { return c.n }
func (c counting) Shape() []int { return []int{c.width} }

func (c counting) Example(i int, x, y []float32) {
	clear(x)
	x[i%c.width] = 5
	y[0] = float32(i % c.width)
	if i%10 == 9 {
		y[0] = float32((i + 1) % c.width) // a wrong label
	}
}

func TestAccuracy(t *testing.T) {
	m := one(tflite.RELU, nil, act("x", 1, 4), act("y", 1, 4))
	last := 0
	got, err := Accuracy(context.Background(), m, TFLM, counting{100, 4}, func(done int) {
		if done <= last {
			t.Errorf("progress goes from %d to %d", last, done)
		}
		last = done
	})
	if err != nil || got != 0.9 || last != 100 {
		t.Errorf("accuracy %g after %d examples: %v", got, last, err)
	}
	// Among equal outputs the first counts.
	equal := one(tflite.MUL, &tflite.MulOptions{}, act("x", 1, 4), filter(1), act("y", 1, 4))
	equal.Subgraphs[0].Tensors[1].Data[0] = 0
	classes, err := Classify(context.Background(), equal, LiteRTRef, counting{10, 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range classes {
		if c != 0 {
			t.Errorf("example %d has class %d", i, c)
		}
	}
}

func TestAccuracyErrors(t *testing.T) {
	good := one(tflite.RELU, nil, act("x", 1, 4), act("y", 1, 4))
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Accuracy(stopped, good, TFLM, counting{100, 4}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, c := range []struct {
		m    *tflite.Model
		data counting
		want string
	}{
		{good, counting{10, 5}, "input x of shape [1 4] does not take the examples of shape [5]"},
		{good, counting{0, 4}, "no examples"},
		{one(tflite.ADD, &tflite.AddOptions{}, act("x", 4), act("z", 4), act("y", 4)), counting{10, 4}, "2 inputs and 1 outputs"},
		{one(tflite.RESHAPE, nil, &tflite.Tensor{Name: "x", Type: tflite.INT32, Shape: []int{4}}, &tflite.Tensor{Name: "y", Type: tflite.INT32, Shape: []int{4}}), counting{10, 4}, "output y has type int32"},
		{one(tflite.RESHAPE, nil, &tflite.Tensor{Name: "x", Type: tflite.UINT8, Shape: []int{4}}, &tflite.Tensor{Name: "y", Type: tflite.UINT8, Shape: []int{4}}), counting{10, 4}, "output y has type uint8"},
	} {
		if _, err := Accuracy(context.Background(), c.m, TFLM, c.data, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("the error is %v, want %q", err, c.want)
		}
	}
}

func TestParseProfile(t *testing.T) {
	for s, want := range map[string]Profile{"": TFLM, "tflm": TFLM, "litert-ref": LiteRTRef} {
		if p, err := ParseProfile(s); err != nil || p != want {
			t.Errorf("%q: %d, %v", s, p, err)
		}
	}
	if _, err := ParseProfile("xnnpack"); err == nil {
		t.Error("xnnpack is a profile")
	}
}
