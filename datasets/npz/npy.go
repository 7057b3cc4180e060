package npz

import (
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	magic     = "\x93NUMPY"
	maxRank   = 64      // NumPy's own
	maxHeader = 1 << 16 // bytes
)

// header is the dictionary that NumPy writes, its keys in this order.
var header = regexp.MustCompile(`^\{\s*'descr':\s*'([^']*)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([0-9, ]*)\),?\s*\}\s*$`)

// ReadArray reads an array of at most 2 GiB from a .npy file, and nothing behind it.
func ReadArray(r io.Reader) (*Array, error) {
	a, _, err := readArray(r, maxBytes)
	return a, err
}

// readArray reads an array of at most limit bytes, and says how many it has.
func readArray(r io.Reader, limit int) (*Array, int, error) {
	text, err := readHeader(r)
	if err != nil {
		return nil, 0, err
	}
	m := header.FindStringSubmatch(text)
	if m == nil {
		return nil, 0, fmt.Errorf("npy header %q is not understood", text)
	}
	if m[2] == "True" {
		return nil, 0, fmt.Errorf("an array in Fortran order: save it with numpy.ascontiguousarray")
	}
	shape, n, err := parseShape(m[3])
	if err != nil {
		return nil, 0, err
	}
	t := slices.IndexFunc(types, func(t elementType) bool { return t.descr[1:] == strings.TrimLeft(m[1], "<|=") })
	if t < 0 {
		return nil, 0, fmt.Errorf("element type %q: want bool, integers or floats in little-endian order", m[1])
	}
	size := types[t].size
	if n > limit/size {
		return nil, 0, fmt.Errorf("an array of shape %v has %d elements of %d bytes, there is room for %d bytes", shape, n, size, limit)
	}
	data, err := types[t].read(r, n, size)
	if err != nil {
		return nil, 0, err
	}
	return &Array{shape, data}, n * size, nil
}

func readHeader(r io.Reader) (string, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:6]) != magic {
		return "", fmt.Errorf("not a .npy file")
	}
	size := make([]byte, 2)
	switch start[6] {
	case 1:
	case 2, 3:
		size = make([]byte, 4)
	default:
		return "", fmt.Errorf("npy version %d.%d", start[6], start[7])
	}
	if _, err := io.ReadFull(r, size); err != nil {
		return "", fmt.Errorf("npy header: %w", err)
	}
	n := binary.LittleEndian.Uint32(append(size, 0, 0))
	if n > maxHeader {
		return "", fmt.Errorf("npy header of %d bytes", n)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", fmt.Errorf("npy header: %w", err)
	}
	return string(text), nil
}

// parseShape reads the inside of a tuple: "", "3," or "3, 4".
func parseShape(s string) (shape []int, count int, err error) {
	count, shape = 1, []int{}
	parts := strings.Split(strings.TrimSuffix(strings.TrimSpace(s), ","), ",")
	if parts[0] == "" && len(parts) == 1 {
		return shape, count, nil
	}
	if len(parts) > maxRank {
		return nil, 0, fmt.Errorf("npy shape of %d sizes, at most %d", len(parts), maxRank)
	}
	for _, part := range parts {
		d, err := strconv.ParseUint(strings.TrimSpace(part), 10, 64)
		if err != nil {
			return nil, 0, fmt.Errorf("npy shape (%s): %w", s, err)
		}
		if d > maxBytes || d > 0 && count > maxBytes/int(d) {
			return nil, 0, fmt.Errorf("npy shape (%s) is too large", s)
		}
		shape = append(shape, int(d))
		count *= int(d)
	}
	return shape, count, nil
}

// elementType is what NumPy calls a Go type, and how a slice of it is read.
type elementType struct {
	descr string
	of    reflect.Type // of the slice
	size  int
	read  func(r io.Reader, n, size int) (any, error)
}

var types = []elementType{
	{"|b1", reflect.TypeFor[[]bool](), 1, read[bool]}, {"|i1", reflect.TypeFor[[]int8](), 1, read[int8]},
	{"|u1", reflect.TypeFor[[]uint8](), 1, read[uint8]}, {"<i2", reflect.TypeFor[[]int16](), 2, read[int16]},
	{"<u2", reflect.TypeFor[[]uint16](), 2, read[uint16]}, {"<i4", reflect.TypeFor[[]int32](), 4, read[int32]},
	{"<u4", reflect.TypeFor[[]uint32](), 4, read[uint32]}, {"<i8", reflect.TypeFor[[]int64](), 8, read[int64]},
	{"<u8", reflect.TypeFor[[]uint64](), 8, read[uint64]}, {"<f4", reflect.TypeFor[[]float32](), 4, read[float32]},
	{"<f8", reflect.TypeFor[[]float64](), 8, read[float64]},
}

// read reads n elements. Beyond 64 MiB, memory grows with what is really there, not with what the header says.
func read[T any](r io.Reader, n, size int) (any, error) {
	const piece = 1 << 17 // elements
	x := make([]T, 0, min(n, 64<<20/size))
	buf := make([]byte, min(n, piece)*size)
	for len(x) < n {
		k := min(n-len(x), piece)
		got, err := io.ReadFull(r, buf[:k*size])
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, fmt.Errorf("npy data: %d of %d bytes: %w", len(x)*size+got, n*size, err)
		}
		x = slices.Grow(x, k)[:len(x)+k]
		if _, err := binary.Decode(buf[:k*size], binary.LittleEndian, x[len(x)-k:]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// WriteArray writes a .npy file, version 1.0.
func WriteArray(w io.Writer, a *Array) error {
	if a == nil {
		return fmt.Errorf("there is no array")
	}
	t := slices.IndexFunc(types, func(t elementType) bool { return t.of == reflect.TypeOf(a.Data) })
	if t < 0 {
		return fmt.Errorf("elements of type %T", a.Data)
	}
	if err := checkShape(a.Shape, reflect.ValueOf(a.Data).Len()); err != nil {
		return err
	}
	dims := make([]string, len(a.Shape))
	for i, d := range a.Shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(dims) == 1 {
		tuple += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", types[t].descr, tuple)
	text += strings.Repeat(" ", 63-(len(magic)+4+len(text))%64) + "\n" // the data begin at a multiple of 64
	head := binary.LittleEndian.AppendUint16([]byte(magic+"\x01\x00"), uint16(len(text)))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, a.Data)
}

// checkShape says whether an array of that shape has n elements.
func checkShape(shape []int, n int) error {
	want := 1
	for _, d := range shape {
		if d < 0 || d > 0 && want > maxBytes/d {
			return fmt.Errorf("shape %v", shape)
		}
		want *= d
	}
	if want != n || len(shape) > maxRank {
		return fmt.Errorf("%d elements for shape %v", n, shape)
	}
	return nil
}
