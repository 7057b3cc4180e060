package export_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/export"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/fakequant"
	"github.com/temper-ml/temper/fakequant/quant"
	"github.com/temper-ml/temper/graph"
	"github.com/temper-ml/temper/layers"
	"github.com/temper-ml/temper/optim"
	"github.com/temper-ml/temper/sparsity"
)

// auditNet has a kernel of each layout that is pruned by default, and a BatchNorm.
func auditNet(t *testing.T) *graph.Graph {
	return net(t, layers.Shape{6, 6, 4},
		layers.Conv2D{Name: "conv", Filters: 8, Kernel: 3, NoBias: true}, layers.BatchNorm{Name: "norm", Activation: layers.ReLU},
		layers.DepthwiseConv2D{Name: "depthwise", Kernel: 3},
		layers.TransposeConv2D{Name: "transpose", Filters: 6, Kernel: 2, Activation: layers.ReLU},
		layers.Flatten{}, layers.Dense{Name: "dense", Units: 7})
}

// targets are random inputs with targets: the sums of parts of them.
type targets struct {
	random
	out int
}

func (d targets) Batches(seed uint64, epoch, size, start int) iter.Seq2[[]float32, []float32] {
	return func(yield func(x, y []float32) bool) {
		for x := range d.random.Batches(seed, epoch, size, start) {
			y := make([]float32, size*d.out)
			for i, v := range x {
				y[i*len(y)/len(x)] += v
			}
			if !yield(x, y) {
				return
			}
		}
	}
}

// TestLostZeros: quantization-aware training of a pruned network without its masks lets zeros go. The audit says of which layers; with the masks in
// place nothing is lost, and a network that was stripped and quantized after training has all its zeros.
func TestLostZeros(t *testing.T) {
	build := func(strip bool, steps int) *graph.Graph {
		g := auditNet(t)
		p := sparsity.Prune{Schedule: sparsity.Constant{Sparsity: 0.8}}
		must(t, p.Apply(g))
		must(t, p.Finish(g))
		if strip {
			must(t, graph.Strip(g))
		}
		data := targets{random{g: g, n: 8}, 7}
		must(t, fakequant.QAT{Config: fakequant.Config{Calibration: data}}.Apply(g))
		if steps > 0 {
			fit := optim.Fit{Loss: optim.MeanSquaredError{}, Batch: 4, Epochs: steps / 2, Solver: &optim.SGD{LearningRate: 0.03}}
			if _, err := fit.Run(context.Background(), g, data); err != nil {
				t.Fatal(err)
			}
		}
		return g
	}
	for _, g := range []*graph.Graph{build(false, 4), build(true, 0)} {
		_, rows, err := export.Audited(g, export.Options{})
		must(t, err)
		for _, r := range rows {
			if r.Promise == "" != (r.Tensor == "depthwise/kernel") || r.Sparsity() < 0.79 && r.Promise != "" {
				t.Errorf("%+v", r)
			}
		}
	}

	g := build(true, 4)
	_, err := export.TFLite(g, export.Options{})
	var broken *export.BrokenPromises
	if !errors.As(err, &broken) {
		t.Fatalf("the file was written, or: %v", err)
	}
	for _, want := range []string{"conv/kernel (CONV_2D): promised are 230 zeros of 288 weights", "transpose/kernel (TRANSPOSE_CONV)", "dense/kernel (FULLY_CONNECTED)", "--allow-broken-promises"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\ndoes not say %q", err, want)
		}
	}
	m, rows, err := export.Audited(g, export.Options{AllowBrokenPromises: true})
	must(t, err)
	if m == nil || len(rows) != 4 || len(rows[0].Broken) == 0 {
		t.Errorf("%+v", rows)
	}
}

// TestPromises: each kind of promise, kept and broken by one weight.
func TestPromises(t *testing.T) {
	kernel := []float32{ // [in, out], outputs in columns
		1, 0,
		0, 1,
		0, 0,
		-1, 0,
		0, 1,
		0, 0.5,
	}
	for _, c := range []struct {
		promise graph.Promise
		at      int // the weight that breaks it
		to      float32
		want    string
	}{
		{graph.Promise{Zeros: 7}, 1, 1, "7 zeros of 12 weights (58.3 %), the file has 6 (50.0 %)"},
		{graph.Promise{Codes: 4}, 0, 0.3, "at most 4 codes, the file has 5"},
		{graph.Promise{N: 2, M: 4}, 2, 1, "2 zeros of every 4 weights"},
		{graph.Promise{N: 1, M: 3}, 2, 0.5, ""}, // 1 0.5 0 is still 1:3
		{graph.Promise{N: 2, M: 3}, 4, 0.5, "2 zeros of every 3 weights"},
		{graph.Promise{Zeros: 2, Block: [2]int{1, 2}}, 5, 0.5, "2 zeros in whole blocks of 1x2, the file has 0"},
	} {
		g := net(t, layers.Shape{6}, layers.Dense{Name: "dense", Units: 2})
		w := g.Var("dense/kernel")
		copy(w.Data, kernel)
		if c.promise.N == 2 && c.promise.M == 3 {
			copy(w.Data, []float32{1, 0, 0, 1, 0, 0, -1, 0, 0, 1, 0, 0})
		}
		w.Promise = &c.promise
		must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: random{g: g, n: 2}}}.Apply(g))
		w = g.Var("dense/kernel")
		if _, err := export.TFLite(g, export.Options{}); err != nil {
			t.Errorf("%s is kept: %v", c.promise, err)
		}
		w.Data[c.at] = c.to
		_, err := export.TFLite(g, export.Options{})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s is kept: %v", c.promise, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), "dense/kernel (FULLY_CONNECTED): promised are "+c.want)):
			t.Errorf("%s is broken: %v, want %q", c.promise, err, c.want)
		}
	}
}

// TestPatterns: the zeros that N:M pruning makes are found in each layout.
func TestPatterns(t *testing.T) {
	for n := 1; n < 4; n++ {
		g := auditNet(t)
		p := sparsity.Prune{N: n, M: 4}
		must(t, p.Apply(g))
		must(t, p.Finish(g))
		must(t, fakequant.PTQ{Config: fakequant.Config{Calibration: random{g: g, n: 2}}}.Apply(g))
		for _, r := range export.Audit(exported(t, g, export.Options{})) {
			if want := map[bool]int{true: n}[r.Tensor != "depthwise/kernel"]; r.InFour != want {
				t.Errorf("%s has %d zeros of 4, want %d", r.Tensor, r.InFour, want)
			}
		}
	}
}

// TestAuditCount: files of the tests (and of the corpus where it is) against a count of their bytes.
func TestAuditCount(t *testing.T) {
	files, err := filepath.Glob("interp/testdata/*.tflite")
	must(t, err)
	nets, err := filepath.Glob("../../shared/corpus/tflite/nets/*_int8.tflite")
	must(t, err)
	tensors := 0
	for _, file := range append(files, nets...) {
		m, err := tflite.ReadFile(file)
		must(t, err)
		rows := map[string]export.AuditRow{}
		for _, r := range export.Audit(m) {
			rows[r.Tensor] = r
		}
		for _, o := range m.Subgraphs[0].Operators {
			if !slices.Contains([]tflite.Code{tflite.CONV_2D, tflite.DEPTHWISE_CONV_2D, tflite.FULLY_CONNECTED}, o.Code) {
				continue
			}
			w := m.Subgraphs[0].Tensors[o.Inputs[1]]
			if !w.IsConst() || w.Type != tflite.INT8 || w.Quant.ZeroPoint[0] != 0 {
				continue
			}
			var count [256]int
			for _, b := range w.Data {
				count[b]++
			}
			n, codes, bits := float64(len(w.Data)), 0, 0.0
			for _, c := range count {
				if c > 0 {
					codes++
					bits += float64(c) * (math.Log2(n) - math.Log2(float64(c)))
				}
			}
			r, ok := rows[w.Name]
			if !ok || r.Zeros != count[0] || r.Codes != codes || math.Abs(r.EntropyBytes()-bits/8) > 1e-6*n || r.Elements != len(w.Data) {
				t.Errorf("%s, %s: %+v; want %d zeros, %d codes, %.1f bits", file, w.Name, r, count[0], codes, bits)
			}
			tensors++
		}
	}
	if tensors < 5 {
		t.Errorf("only %d tensors compared", tensors)
	}
}

// TestAuditFourBits: two codes lie in a byte, the first in the lower half; codes are counted from the zero point.
func TestAuditFourBits(t *testing.T) {
	q := quant.PerTensor(1, 0)
	w := &tflite.Tensor{Name: "w", Type: tflite.INT4, Shape: []int{1, 5}, Data: []byte{0x0f, 0x70, 0x08}, Quant: &q} // -1 0, 0 7, -8
	m := &tflite.Model{Subgraphs: []*tflite.Graph{{Tensors: []*tflite.Tensor{{}, w}, Operators: []*tflite.Operator{{Code: tflite.FULLY_CONNECTED, Inputs: []int{0, 1, -1}}}}}}
	r := export.Audit(m)[0]
	if r.Elements != 5 || r.Zeros != 2 || r.Codes != 4 || r.InFour != 2 {
		t.Errorf("%+v", r)
	}
	u := quant.PerTensor(1, 3)
	*w = tflite.Tensor{Name: "w", Type: tflite.UINT8, Shape: []int{1, 4}, Data: []byte{3, 3, 0, 3}, Quant: &u}
	if r := export.Audit(m)[0]; r.Zeros != 3 || r.InFour != 3 {
		t.Errorf("%+v", r)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
