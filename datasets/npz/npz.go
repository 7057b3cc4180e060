// Package npz reads and writes NumPy's .npy and .npz files (numpy/lib/format.py): arrays in C order of bool, integers and floats.
package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/temper-ml/temper/internal/atomicfile"
)

// Array is an array of a file.
type Array struct {
	Shape []int
	Data  any // []int8, []uint8, []int16, []uint16, []int32, []uint32, []int64, []uint64, []float32, []float64 or []bool
}

// maxBytes bounds an array's data.
const maxBytes = 2 << 30

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

// ReadFrom reads a .npz file of that size.
func ReadFrom(r io.ReaderAt, size int64) (map[string]*Array, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("not an .npz file: %w", err)
	}
	arrays := map[string]*Array{}
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		a, err := ReadArray(rc)
		rc.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		arrays[strings.TrimSuffix(f.Name, ".npy")] = a
	}
	return arrays, nil
}

var header = regexp.MustCompile(`^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*$`)

// ReadArray reads a .npy file.
func ReadArray(r io.Reader) (*Array, error) {
	var magic [8]byte
	if _, err := io.ReadFull(r, magic[:]); err != nil || string(magic[:6]) != "\x93NUMPY" {
		return nil, fmt.Errorf("not a .npy file")
	}
	n := 0
	switch magic[6] {
	case 1:
		var v uint16
		if err := binary.Read(r, binary.LittleEndian, &v); err != nil {
			return nil, fmt.Errorf("npy header: %w", err)
		}
		n = int(v)
	case 2, 3:
		var v uint32
		if err := binary.Read(r, binary.LittleEndian, &v); err != nil {
			return nil, fmt.Errorf("npy header: %w", err)
		}
		n = int(v)
	default:
		return nil, fmt.Errorf("npy version %d.%d", magic[6], magic[7])
	}
	if n > 1<<16 {
		return nil, fmt.Errorf("npy header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("npy header: %w", err)
	}
	m := header.FindStringSubmatch(string(text))
	if m == nil {
		return nil, fmt.Errorf("npy header %q is not understood", text)
	}
	if m[2] == "True" {
		return nil, fmt.Errorf("an array in Fortran order: save it with numpy.ascontiguousarray")
	}
	shape, count, err := parseShape(m[3])
	if err != nil {
		return nil, err
	}
	data, err := readData(r, m[1], count)
	if err != nil {
		return nil, err
	}
	return &Array{shape, data}, nil
}

func parseShape(s string) (shape []int, count int, err error) {
	count = 1
	shape = []int{}
	for _, part := range strings.Split(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		d, err := strconv.Atoi(part)
		if err != nil || d > 0 && count > maxBytes/d {
			return nil, 0, fmt.Errorf("npy shape (%s) is too large", s)
		}
		shape = append(shape, d)
		count *= d
	}
	return shape, count, nil
}

func readData(r io.Reader, descr string, n int) (any, error) {
	switch strings.TrimLeft(descr, "<|=") {
	case "b1":
		return decode[bool](r, n, 1)
	case "i1":
		return decode[int8](r, n, 1)
	case "u1":
		return decode[uint8](r, n, 1)
	case "i2":
		return decode[int16](r, n, 2)
	case "u2":
		return decode[uint16](r, n, 2)
	case "i4":
		return decode[int32](r, n, 4)
	case "u4":
		return decode[uint32](r, n, 4)
	case "i8":
		return decode[int64](r, n, 8)
	case "u8":
		return decode[uint64](r, n, 8)
	case "f4":
		return decode[float32](r, n, 4)
	case "f8":
		return decode[float64](r, n, 8)
	}
	return nil, fmt.Errorf("element type %q: want bool, integers or floats in little-endian order", descr)
}

func decode[T any](r io.Reader, n, size int) (any, error) {
	if n > maxBytes/size {
		return nil, fmt.Errorf("an array of %d elements is too large", n)
	}
	// Memory grows with what is really there, not with what the header says.
	var buf bytes.Buffer
	got, err := io.CopyN(&buf, r, int64(n*size))
	if err != nil {
		return nil, fmt.Errorf("npy data: %d of %d bytes: %w", got, n*size, err)
	}
	x := make([]T, n)
	if _, err := binary.Decode(buf.Bytes(), binary.LittleEndian, x); err != nil {
		return nil, err
	}
	return x, nil
}

// Float32s are the elements as float32.
func (a *Array) Float32s() []float32 {
	switch x := a.Data.(type) {
	case []float32:
		return x
	case []float64:
		return floats(x)
	case []int8:
		return floats(x)
	case []uint8:
		return floats(x)
	case []int16:
		return floats(x)
	case []uint16:
		return floats(x)
	case []int32:
		return floats(x)
	case []uint32:
		return floats(x)
	case []int64:
		return floats(x)
	case []uint64:
		return floats(x)
	case []bool:
		y := make([]float32, len(x))
		for i, b := range x {
			if b {
				y[i] = 1
			}
		}
		return y
	}
	return nil
}

func floats[T int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64 | float64](x []T) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// Write writes a .npz file that numpy.load opens: completely or not at all.
func Write(path string, arrays map[string]*Array) error {
	return atomicfile.Write(path, func(w io.Writer) error { return writeAll(w, arrays) })
}

func writeAll(to io.Writer, arrays map[string]*Array) error {
	z := zip.NewWriter(to)
	for _, n := range slices.Sorted(maps.Keys(arrays)) {
		w, err := z.Create(n + ".npy")
		if err != nil {
			return err
		}
		if err := WriteArray(w, arrays[n]); err != nil {
			return fmt.Errorf("array %s: %w", n, err)
		}
	}
	return z.Close()
}

// WriteArray writes a .npy file.
func WriteArray(w io.Writer, a *Array) error {
	types := map[string]string{"[]bool": "|b1", "[]int8": "|i1", "[]uint8": "|u1", "[]int16": "<i2", "[]uint16": "<u2", "[]int32": "<i4",
		"[]uint32": "<u4", "[]int64": "<i8", "[]uint64": "<u8", "[]float32": "<f4", "[]float64": "<f8"}
	descr, ok := types[fmt.Sprintf("%T", a.Data)]
	if !ok {
		return fmt.Errorf("elements of type %T", a.Data)
	}
	dims := ""
	for _, d := range a.Shape {
		dims += strconv.Itoa(d) + ", "
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(dims, " "))
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	if _, err := fmt.Fprintf(w, "\x93NUMPY\x01\x00%c%c%s", len(text)&255, len(text)>>8, text); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, a.Data)
}
