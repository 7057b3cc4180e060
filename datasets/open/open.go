// Package open finds the data set that a name or a path means.
package open

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/cifar"
	"github.com/temper-ml/temper/datasets/idx"
	"github.com/temper-ml/temper/datasets/imagefolder"
	"github.com/temper-ml/temper/datasets/mnist"
	"github.com/temper-ml/temper/datasets/npz"
)

// testPart is the fraction that is held back for testing where the data has no test part of its own.
const testPart = 0.2

// Open returns the training and the test part of:
//
//	mnist          the embedded digits
//	a .npz file    x_train, y_train, x_test, y_test as Keras saves data sets, or x and y
//	a .zip file    images in a folder for each class
//	a folder       MNIST's IDX files, CIFAR-10's binary batches, train/ and test/ with images by class, or images by class
//
// Data without a test part is split, a fifth of each class for testing.
func Open(spec string) (train, test *datasets.Set, err error) {
	if spec == "mnist" {
		d, err := mnist.Load()
		if err != nil {
			return nil, nil, err
		}
		return d.Train, d.Test, nil
	}
	info, err := os.Stat(spec)
	if err != nil {
		return nil, nil, fmt.Errorf("data %q is neither mnist nor a path: %w", spec, err)
	}
	switch {
	case !info.IsDir() && strings.HasSuffix(spec, ".npz"):
		return fromNPZ(spec)
	case !info.IsDir() && strings.HasSuffix(spec, ".zip"):
		return split(imagefolder.OpenZip(spec, imagefolder.Options{}))
	case !info.IsDir():
		return nil, nil, fmt.Errorf("data %s: want a folder, a .npz or a .zip file", spec)
	}
	if names, ok := idxFiles(spec); ok {
		if train, err = idx.Open("train", names[0], names[1]); err != nil {
			return nil, nil, err
		}
		test, err = idx.Open("test", names[2], names[3])
		return train, test, err
	}
	if exists(filepath.Join(spec, "data_batch_1.bin")) {
		return cifar.Open(spec)
	}
	if exists(filepath.Join(spec, "train")) && exists(filepath.Join(spec, "test")) {
		if train, err = imagefolder.Open(filepath.Join(spec, "train"), imagefolder.Options{}); err != nil {
			return nil, nil, err
		}
		o := imagefolder.Options{Height: train.Shape()[0], Width: train.Shape()[1], Gray: train.Shape()[2] == 1}
		test, err = imagefolder.Open(filepath.Join(spec, "test"), o)
		return train, test, err
	}
	return split(imagefolder.Open(spec, imagefolder.Options{}))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func split(s *datasets.Set, err error) (train, test *datasets.Set, _ error) {
	if err != nil {
		return nil, nil, err
	}
	test, train = s.Split(testPart, 1)
	if test.Len() == 0 || train.Len() == 0 {
		return nil, nil, fmt.Errorf("data set %s: %d examples are too few to split", s.Name, s.Len())
	}
	return train, test, nil
}

// idxFiles are MNIST's four files, plain or gzip, in a folder.
func idxFiles(dir string) (names [4]string, ok bool) {
	for i, n := range []string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"} {
		for _, name := range []string{n, n + ".gz"} {
			if p := filepath.Join(dir, name); exists(p) {
				names[i] = p
			}
		}
		if names[i] == "" {
			return names, false
		}
	}
	return names, true
}

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

// npzSet makes a set of inputs [n,...] and classes [n] or [n,1]. uint8 images are divided by 255, and get a channel if they have none.
func npzSet(name string, x, y *npz.Array) (*datasets.Set, error) {
	if x == nil || y == nil {
		return nil, fmt.Errorf("an array is missing: want x_train, y_train, x_test, y_test, or x and y")
	}
	if len(x.Shape) < 2 || len(y.Shape) < 1 || y.Shape[0] != x.Shape[0] || x.Shape[0] == 0 {
		return nil, fmt.Errorf("shapes %v and %v: want [n,...] and [n]", x.Shape, y.Shape)
	}
	classes, labels := []string{}, make([]int32, x.Shape[0])
	values := y.Float32s()
	if len(values) != len(labels) {
		return nil, fmt.Errorf("classes of shape %v: want one number an example", y.Shape)
	}
	for i, v := range values {
		if v != float32(int32(v)) || v < 0 || v > 1<<16 {
			return nil, fmt.Errorf("class %g of example %d is not a small whole number", v, i)
		}
		labels[i] = int32(v)
		for int(v) >= len(classes) {
			classes = append(classes, fmt.Sprint(len(classes)))
		}
	}
	shape := x.Shape[1:]
	if len(shape) == 2 {
		shape = append(append([]int{}, shape...), 1)
	}
	if bytes, ok := x.Data.([]uint8); ok {
		return datasets.FromBytes(name, shape, bytes, 1.0/255, 0, labels, classes)
	}
	return datasets.FromFloats(name, shape, x.Float32s(), labels, classes)
}
