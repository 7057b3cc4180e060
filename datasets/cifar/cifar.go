// Package cifar reads the binary version of CIFAR-10 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009): records of a
// class byte and 3072 bytes, the red, green and blue planes of a 32x32 image.
package cifar

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/temper-ml/temper/datasets"
)

// Classes are the names of CIFAR-10's classes.
var Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

const (
	size   = 32
	record = 1 + 3*size*size
)

// Open reads data_batch_1.bin to data_batch_5.bin and test_batch.bin of a folder; pixels are divided by 255.
func Open(dir string) (train, test *datasets.Set, err error) {
	var all []byte
	for i := range 5 {
		data, err := readFile(filepath.Join(dir, fmt.Sprintf("data_batch_%d.bin", i+1)))
		if err != nil {
			return nil, nil, err
		}
		all = append(all, data...)
	}
	if train, err = Parse("cifar-10 train", all); err != nil {
		return nil, nil, err
	}
	path := filepath.Join(dir, "test_batch.bin")
	data, err := readFile(path)
	if err != nil {
		return nil, nil, err
	}
	test, err = Parse("cifar-10 test", data)
	return train, test, err
}

// readFile reads a batch; CIFAR-10's have 10,000 records.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 || info.Size()%record != 0 || info.Size() > 1<<30 {
		return nil, fmt.Errorf("%s has %d bytes, not a multiple of %d: not a CIFAR-10 batch, or truncated", path, info.Size(), record)
	}
	return os.ReadFile(path)
}

// Parse makes a set of records.
func Parse(name string, data []byte) (*datasets.Set, error) {
	if len(data) == 0 || len(data)%record != 0 {
		return nil, fmt.Errorf("%s: %d bytes are not a multiple of %d", name, len(data), record)
	}
	n := len(data) / record
	labels, pixels := make([]int32, n), make([]byte, 0, n*(record-1))
	for i := range n {
		r := data[i*record : (i+1)*record]
		if int(r[0]) >= len(Classes) {
			return nil, fmt.Errorf("%s: record %d has class %d of %d", name, i, r[0], len(Classes))
		}
		labels[i] = int32(r[0])
		for p := 1; p <= size*size; p++ {
			pixels = append(pixels, r[p], r[p+size*size], r[p+2*size*size])
		}
	}
	return datasets.FromBytes(name, []int{size, size, 3}, pixels, 1.0/255, 0, labels, Classes)
}
