package open

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/npz"
)

// maxClasses bounds the classes of a file, whose numbers are names without a check otherwise.
const maxClasses = 1 << 16

func fromNPZ(path string) (train, test *datasets.Set, err error) {
	arrays, err := npz.Read(path)
	if err != nil {
		return nil, nil, err
	}
	get := func(x, y string) (*datasets.Set, error) {
		s, err := npzSet(strings.TrimSuffix(filepath.Base(path), ".npz"), arrays[x], arrays[y])
		if err != nil {
			return nil, fmt.Errorf("%s: %s and %s: %w", path, x, y, err)
		}
		return s, nil
	}
	if arrays["x_train"] == nil {
		return split(get("x", "y"))
	}
	if train, err = get("x_train", "y_train"); err != nil {
		return nil, nil, err
	}
	test, err = get("x_test", "y_test")
	return train, test, err
}

// npzSet makes a set of inputs [n,...], and classes [n] or [n,1] or targets [n,k]. uint8 inputs are divided by 255, and images [n,h,w] get a channel.
func npzSet(name string, x, y *npz.Array) (*datasets.Set, error) {
	if x == nil || y == nil {
		return nil, fmt.Errorf("an array is missing: want x_train, y_train, x_test, y_test, or x and y")
	}
	if len(x.Shape) < 2 || len(y.Shape) < 1 || y.Shape[0] != x.Shape[0] || x.Shape[0] == 0 {
		return nil, fmt.Errorf("shapes %v and %v: want [n,...] and [n] or [n,k]", x.Shape, y.Shape)
	}
	n, shape, targets := x.Shape[0], x.Shape[1:], y.Float32s()
	if len(shape) == 2 {
		shape = []int{shape[0], shape[1], 1}
	}
	if err := finite(x, n); err != nil {
		return nil, err
	}
	if k := len(targets) / n; k > 1 {
		inputs := x.Float32s()
		if _, ok := x.Data.([]uint8); ok {
			for i := range inputs {
				inputs[i] *= 1.0 / 255
			}
		}
		return datasets.FromTargets(name, shape, inputs, targets, k)
	}
	labels, classes, err := classNumbers(targets)
	if err != nil {
		return nil, err
	}
	if bytes, ok := x.Data.([]uint8); ok {
		return datasets.FromBytes(name, shape, bytes, 1.0/255, 0, labels, classes)
	}
	return datasets.FromFloats(name, shape, x.Float32s(), labels, classes)
}

// finite refuses inputs that would make a training useless some epochs later.
func finite(x *npz.Array, n int) error {
	switch x.Data.(type) {
	case []float32, []float64:
	default:
		return nil
	}
	values := x.Float32s()
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("an input of example %d is %g", i/(len(values)/n), v)
		}
	}
	return nil
}

func classNumbers(values []float32) (labels []int32, classes []string, err error) {
	labels = make([]int32, len(values))
	for i, v := range values {
		if !(v >= 0 && v < maxClasses) || v != float32(int32(v)) {
			return nil, nil, fmt.Errorf("class %g of example %d is no whole number from 0 to %d", v, i, maxClasses-1)
		}
		labels[i] = int32(v)
		for int(v) >= len(classes) {
			classes = append(classes, strconv.Itoa(len(classes)))
		}
	}
	return labels, classes, nil
}
