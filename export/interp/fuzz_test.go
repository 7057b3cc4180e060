package interp

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant/quant"
)

// FuzzInvoke: whatever the bytes of a file and of its inputs are, the model is refused with an error or runs.
func FuzzInvoke(f *testing.F) {
	for _, path := range seeds(f) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, []byte{0, 0x7f, 0x80, 0xff})
	}
	f.Fuzz(func(_ *testing.T, data, input []byte) {
		if m, err := tflite.Read(data); err == nil {
			runOnce(m, input)
		}
	})
}

// FuzzOperators changes valid models field by field: that gets past the reader and into the checks of the operators.
func FuzzOperators(f *testing.F) {
	files := seeds(f)
	for i := range files {
		f.Add(uint8(i), []byte{}, []byte{1, 2, 3})
		f.Add(uint8(i), []byte{0, 0, 0, 0, 2, 1, 1, 1, 6, 0, 0, 0}, []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, seed uint8, script, input []byte) {
		m, err := tflite.ReadFile(files[int(seed)%len(files)])
		if err != nil {
			t.Fatal(err)
		}
		for ; len(script) >= 4; script = script[4:] {
			change(m.Subgraphs[0], script[0], script[1], script[2], script[3])
		}
		if m.Check() == nil {
			runOnce(m, input)
		}
	})
}

// seeds are the models of testdata that are small: one or two of each operator.
func seeds(t testing.TB) []string {
	all, err := filepath.Glob(filepath.Join("testdata", "*.tflite"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || info.Size() > 2048
	})
}

// runOnce runs a model in both profiles, unless it is large: the product takes models of any work, a fuzzer wants many.
func runOnce(m *tflite.Model, input []byte) {
	if cost(m.Subgraphs[0]) > 1e8 {
		return
	}
	for _, p := range []Profile{TFLM, LiteRTRef} {
		it, err := New(m, p)
		if err != nil {
			continue
		}
		for _, t := range it.Inputs() {
			for i := range t.Bytes() {
				if len(input) > 0 {
					t.Bytes()[i] = input[i%len(input)]
				}
			}
		}
		it.Invoke()
		for _, t := range it.Tensors() {
			x := make([]float32, t.Volume())
			_ = t.Floats(x)
			_ = t.SetFloats(x)
		}
	}
}

// cost is a bound of the multiplications and copies of one run.
func cost(g *tflite.Graph) float64 {
	sum := 0.0
	for _, t := range g.Tensors {
		sum += 8 * float64(t.Volume())
	}
	for _, o := range g.Operators {
		large, second := 1.0, 1.0
		for _, i := range append(slices.Clone(o.Inputs), o.Outputs...) {
			if i >= 0 {
				v := float64(g.Tensors[i].Volume())
				sum += v
				if v > large {
					large, v = v, large
				}
				second = max(second, v)
			}
		}
		switch x := o.Options.(type) {
		case *tflite.Conv2DOptions, *tflite.DepthwiseConv2DOptions, *tflite.TransposeConvOptions, *tflite.FullyConnectedOptions, *tflite.BatchMatMulOptions:
			sum += large * second
		case *tflite.Pool2DOptions:
			sum += large * second * min(float64(x.FilterHeight)*float64(x.FilterWidth), large)
		}
	}
	return sum
}

// change alters one thing of a graph; a, b and c say where and how.
func change(g *tflite.Graph, what, a, b, c byte) {
	t := g.Tensors[int(a)%len(g.Tensors)]
	o := g.Operators[int(a)%len(g.Operators)]
	value := []int{0, 1, 2, 3, 4, 5, 7, 8, 16, 17, 255, 1000, 1 << 16, 1<<31 - 1, -1, -2, -1 << 31}[int(c)%17]
	switch what % 12 {
	case 0: // a dimension
		if len(t.Shape) > 0 {
			t.Shape[int(b)%len(t.Shape)] = value
		}
	case 1: // the number of dimensions
		if b%2 == 0 || len(t.Shape) == 0 {
			t.Shape = append(t.Shape, value)
		} else {
			t.Shape = t.Shape[1:]
		}
	case 2: // quantization
		scale := []float32{1, 0.01, 1e-45, 1e-38, math.MaxFloat32, 1.0 / 256, 100}[int(b)%7]
		p := quant.PerTensor(scale, int32(int8(c)))
		if t.Quant = &p; b >= 128 {
			t.Quant = nil
		}
	case 3: // scales along a dimension
		p := quant.PerAxis(slices.Repeat([]float32{0.5}, int(c)+1), int(b)%4)
		t.Quant = &p
	case 4: // an element of a constant
		if at := 4 * int(b); t.IsConst() && at+4 <= len(t.Data) {
			t.Data = slices.Clone(t.Data)
			binary.LittleEndian.PutUint32(t.Data[at:], uint32(value))
		}
	case 5: // constant or not
		if t.Data = nil; b%2 == 0 && t.Type.Size() > 0 && t.Volume() > 0 && t.Volume() < 1<<16 {
			t.Data = slices.Repeat([]byte{c}, t.Volume()*t.Type.Size())
		}
	case 6: // an option
		setOption(o.Options, int(b), value)
	case 7: // operators and options that do not belong together
		codes := Ops()
		if o.Code = codes[int(b)%len(codes)].Code; c%4 == 0 {
			o.Options = nil
		}
	case 8: // an input
		if len(o.Inputs) > 0 {
			o.Inputs[int(b)%len(o.Inputs)] = int(c)%(len(g.Tensors)+1) - 1
		}
	case 9: // the number of inputs
		if o.Inputs = append(o.Inputs, int(c)%(len(g.Tensors)+1)-1); b%2 == 0 {
			o.Inputs = o.Inputs[:len(o.Inputs)/2]
		}
	case 10: // outputs
		if o.Outputs = append(o.Outputs, int(c)%len(g.Tensors)); b%2 == 0 {
			o.Outputs = nil
		}
	case 11:
		t.Type = []tflite.Type{tflite.INT8, tflite.FLOAT32, tflite.INT32, tflite.UINT8, tflite.INT64, tflite.BOOL, tflite.INT16, tflite.STRING, tflite.INT4}[int(b)%9]
	}
	if size := t.Type.Size() * t.Volume(); t.IsConst() && size >= 0 && size < 1<<16 {
		t.Data = slices.Grow(slices.Clone(t.Data), size)[:size]
	}
}

func setOption(options any, field, value int) {
	if options == nil {
		return
	}
	s := reflect.ValueOf(options).Elem()
	switch f := s.Field(field % s.NumField()); f.Kind() {
	case reflect.Int, reflect.Int8:
		f.SetInt(int64(value))
	case reflect.Bool:
		f.SetBool(value%2 == 0)
	case reflect.Float32:
		f.SetFloat([]float64{0, -1, 1e-45, math.MaxFloat32, math.NaN(), math.Inf(1), 0.5}[(value%7+7)%7])
	}
}
