// Package cifar reads the binary version of CIFAR-10 (A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009): records of a
// class byte and 3072 bytes, the red, green and blue planes of a 32x32 image.
package cifar

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/temper-ml/temper/datasets"
)

// Classes are the names of CIFAR-10's classes.
var Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

const (
	size   = 32
	plane  = size * size
	record = 1 + 3*plane
	// maxFile bounds a file, whose records are 10,000 in CIFAR-10.
	maxFile = 1 << 30
)

// Open reads data_batch_1.bin to data_batch_5.bin and test_batch.bin of a folder; pixels are divided by 255.
func Open(dir string) (train, test *datasets.Set, err error) {
	var batches []string
	for i := range 5 {
		batches = append(batches, filepath.Join(dir, fmt.Sprintf("data_batch_%d.bin", i+1)))
	}
	if train, err = Read("cifar-10 train", batches...); err != nil {
		return nil, nil, err
	}
	if test, err = Read("cifar-10 test", filepath.Join(dir, "test_batch.bin")); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// Read makes a set of the records of some files, one after the other.
func Read(name string, files ...string) (*datasets.Set, error) {
	var r records
	for _, path := range files {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		if err := r.add(data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return r.set(name)
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s has more than %d bytes", path, maxFile)
	}
	return data, nil
}

// Parse makes a set of records.
func Parse(name string, data []byte) (*datasets.Set, error) {
	var r records
	if err := r.add(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r.set(name)
}

// records are classes and pixels, the latter [n,height,width,channel].
type records struct {
	labels []int32
	pixels []byte
}

func (r *records) add(data []byte) error {
	if len(data) == 0 || len(data)%record != 0 {
		return fmt.Errorf("%d bytes are no multiple of %d: not a batch of CIFAR-10, or cut short", len(data), record)
	}
	for i := range len(data) / record {
		one := data[i*record : (i+1)*record]
		if int(one[0]) >= len(Classes) {
			return fmt.Errorf("record %d has class %d of %d", i, one[0], len(Classes))
		}
		r.labels = append(r.labels, int32(one[0]))
		red, green, blue := one[1:1+plane], one[1+plane:1+2*plane], one[1+2*plane:]
		for p := range plane {
			r.pixels = append(r.pixels, red[p], green[p], blue[p])
		}
	}
	return nil
}

func (r *records) set(name string) (*datasets.Set, error) {
	return datasets.FromBytes(name, []int{size, size, 3}, r.pixels, 1.0/255, 0, r.labels, Classes)
}
