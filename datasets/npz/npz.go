// Package npz reads and writes NumPy's .npy and .npz files: arrays in C order of bool, integers and floats. The format is that of NumPy Enhancement
// Proposal 1 (numpy/lib/format.py); an .npz file is a zip file of .npy files.
package npz

import (
	"archive/zip"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/temper-ml/temper/internal/atomicfile"
)

// maxBytes bounds the arrays of a file together.
const maxBytes = 1<<31 - 1

// Read reads a .npz file: arrays by name.
func Read(path string) (map[string]*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	m, err := ReadFrom(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// ReadFrom reads a .npz file of that size. Its arrays have at most 2 GiB together.
func ReadFrom(r io.ReaderAt, size int64) (map[string]*Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	arrays, left := map[string]*Array{}, maxBytes
	for _, f := range z.File {
		name := strings.TrimSuffix(f.Name, ".npy")
		if arrays[name] != nil {
			return nil, fmt.Errorf("two arrays are called %q", name)
		}
		a, n, err := readEntry(f, left)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", name, err)
		}
		arrays[name] = a
		left -= n
	}
	return arrays, nil
}

// readEntry reads an array of at most limit bytes, and says how many it has.
func readEntry(f *zip.File, limit int) (*Array, int, error) {
	r, err := f.Open()
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	a, n, err := readArray(r, limit)
	if err != nil {
		return nil, 0, err
	}
	// The end is read too: the checksum is compared there.
	if _, err := io.ReadFull(r, make([]byte, 1)); err == nil {
		return nil, 0, fmt.Errorf("the file goes on after an array of shape %v", a.Shape)
	} else if err != io.EOF {
		return nil, 0, err
	}
	return a, n, nil
}

// Write writes a .npz file that numpy.load opens: completely or not at all. The arrays stand in the order of their names.
func Write(path string, arrays map[string]*Array) error {
	return atomicfile.Write(path, func(w io.Writer) error { return WriteTo(w, arrays) })
}

// WriteTo is Write to a writer.
func WriteTo(to io.Writer, arrays map[string]*Array) error {
	z := zip.NewWriter(to)
	for _, n := range slices.Sorted(maps.Keys(arrays)) {
		w, err := z.Create(n + ".npy")
		if err != nil {
			return fmt.Errorf("array %q: %w", n, err)
		}
		if err := WriteArray(w, arrays[n]); err != nil {
			return fmt.Errorf("array %q: %w", n, err)
		}
	}
	return z.Close()
}
