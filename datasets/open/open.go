// Package open finds the data set that a name, a path or an address means.
package open

import (
	"archive/zip"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/temper-ml/temper/datasets"
	"github.com/temper-ml/temper/datasets/cifar"
	"github.com/temper-ml/temper/datasets/download"
	"github.com/temper-ml/temper/datasets/idx"
	"github.com/temper-ml/temper/datasets/imagefolder"
	"github.com/temper-ml/temper/datasets/mnist"
)

// testPart is the fraction that is held back for testing where the data has no test part of its own.
const testPart = 0.2

// Open returns the training and the test part of:
//
//	mnist          the embedded digits
//	a .npz file    x_train, y_train, x_test, y_test as Keras saves data sets, or x and y; y is classes [n] or targets [n,k]
//	a .zip file    images in a folder for each class, or that in train/ and test/
//	a folder       MNIST's IDX files, CIFAR-10's binary batches, train/ and test/ with images by class, or images by class
//	an address     https://.../file.npz#sha256=..., or .zip: fetched once, into the cache folder of package download
//
// Data without a test part is split, a fifth of each class for testing.
func Open(spec string) (train, test *datasets.Set, err error) {
	return OpenContext(context.Background(), spec, download.Options{})
}

// OpenContext is Open with a context and options for a download.
func OpenContext(ctx context.Context, spec string, o download.Options) (train, test *datasets.Set, err error) {
	switch {
	case spec == "mnist":
		d, err := mnist.Load()
		if err != nil {
			return nil, nil, err
		}
		return d.Train, d.Test, nil
	case strings.Contains(spec, "://"):
		if spec, err = fetch(ctx, spec, o); err != nil {
			return nil, nil, err
		}
	}
	if train, test, err = fromPath(spec); err != nil {
		return nil, nil, err
	}
	if err := agree(train, test); err != nil {
		return nil, nil, fmt.Errorf("data %s: %w", spec, err)
	}
	return train, test, nil
}

// fetch returns the path of the file at an address with its sum.
func fetch(ctx context.Context, spec string, o download.Options) (string, error) {
	u, err := url.Parse(spec)
	if err != nil {
		return "", fmt.Errorf("data: %w", err)
	}
	sum, ok := strings.CutPrefix(u.Fragment, "sha256=")
	if !ok {
		return "", fmt.Errorf("data %s: end the address with #sha256= and the SHA-256 sum of the file", u.Redacted())
	}
	if e := path.Ext(u.Path); e != ".npz" && e != ".zip" {
		return "", fmt.Errorf("data %s: want the address of a .npz or a .zip file", u.Redacted())
	}
	return download.Get(ctx, spec, sum, o)
}

func fromPath(path string) (train, test *datasets.Set, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("data %q is neither mnist nor a path nor an address: %w", path, err)
	}
	switch {
	case info.IsDir():
		return fromFolder(path)
	case filepath.Ext(path) == ".npz":
		return fromNPZ(path)
	case filepath.Ext(path) == ".zip":
		z, err := zip.OpenReader(path)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		defer z.Close()
		return fromImages(z, path)
	}
	return nil, nil, fmt.Errorf("data %s: want a folder, a .npz or a .zip file", path)
}

func fromFolder(dir string) (train, test *datasets.Set, err error) {
	if names, ok := idxFiles(dir); ok {
		if train, err = idx.Open("train", names[0], names[1]); err != nil {
			return nil, nil, err
		}
		test, err = idx.Open("test", names[2], names[3])
		return train, test, err
	}
	if exists(filepath.Join(dir, "data_batch_1.bin")) {
		return cifar.Open(dir)
	}
	return fromImages(os.DirFS(dir), dir)
}

// fromImages reads images by class, with a test part or without.
func fromImages(f fs.FS, name string) (train, test *datasets.Set, err error) {
	f, wrap, err := imagefolder.Unwrap(f)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	name = filepath.Join(name, filepath.FromSlash(wrap))
	if !isFolder(f, "train") || !isFolder(f, "test") {
		return split(imagefolder.OpenFS(f, name, imagefolder.Options{}))
	}
	if train, err = openPart(f, name, "train", imagefolder.Options{}); err != nil {
		return nil, nil, err
	}
	shape := train.Shape()
	test, err = openPart(f, name, "test", imagefolder.Options{Height: shape[0], Width: shape[1], Classes: train.Classes})
	return train, test, err
}

func openPart(f fs.FS, name, part string, o imagefolder.Options) (*datasets.Set, error) {
	sub, err := fs.Sub(f, part)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return imagefolder.OpenFS(sub, filepath.Join(name, part), o)
}

func isFolder(f fs.FS, path string) bool {
	info, err := fs.Stat(f, path)
	return err == nil && info.IsDir()
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
		return nil, nil, fmt.Errorf("data set %s: %d examples are too few to split into a training and a test part", s.Name, s.Len())
	}
	return train, test, nil
}

// agree makes sure that a network for one part fits the other. Classes are called by their numbers where the parts may have found different ones.
func agree(train, test *datasets.Set) error {
	if a, b := fmt.Sprint(train.Shape()), fmt.Sprint(test.Shape()); a != b {
		return fmt.Errorf("training examples have shape %s, test examples %s", a, b)
	}
	if (train.Classes == nil) != (test.Classes == nil) || train.TargetLen() != test.TargetLen() {
		return fmt.Errorf("one part has classes and the other targets, or they have %d and %d targets", train.TargetLen(), test.TargetLen())
	}
	if len(train.Classes) < len(test.Classes) {
		train.Classes = test.Classes
	} else {
		test.Classes = train.Classes
	}
	return nil
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
