package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/temper-ml/temper/datasets/npz"
	"github.com/temper-ml/temper/export/interp"
	"github.com/temper-ml/temper/export/tflite"
	"github.com/temper-ml/temper/internal/atomicfile"
)

func (a *app) infer() *cobra.Command {
	var input, output, profile string
	cmd := &cobra.Command{
		Use:   "infer FILE.tflite",
		Short: "Execute a .tflite file on vectors from an .npz file",
		Long: `The input file holds arrays in0, in1, ... in the order of the model's inputs, each
with the vectors stacked on a new first axis; the output file gets out0, out1, ...

Exit codes: 0 done, 1 failed, 2 wrong usage.`,
		Example: "  temper infer qat.tflite --input in.npz --output out.npz --profile litert-ref",
		Args:    exactly(1, "a .tflite file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := interp.ParseProfile(profile)
			if err != nil {
				return usageError{err}
			}
			if input == "" || output == "" {
				return usageError{fmt.Errorf("--input and --output are required")}
			}
			if err := atomicfile.Probe(output); err != nil {
				return err
			}
			m, err := tflite.ReadFile(args[0])
			if err != nil {
				return err
			}
			it, err := interp.New(m, p)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			in, err := npz.Read(input)
			if err != nil {
				return err
			}
			out, n, err := inferAll(it, in)
			if err != nil {
				return fmt.Errorf("%s: %w", input, err)
			}
			if err := npz.Write(output, out); err != nil {
				return err
			}
			return a.print(map[string]any{"output": output, "vectors": n}, func(w io.Writer) { fmt.Fprintf(w, "%s: %d vectors\n", output, n) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&input, "input", "", "vectors (required)")
	f.StringVar(&output, "output", "", "file for the results (required)")
	f.StringVar(&profile, "profile", "tflm", "whose arithmetic: tflm or litert-ref")
	return cmd
}

// inferAll runs every vector.
func inferAll(it *interp.Interpreter, in map[string]*npz.Array) (map[string]*npz.Array, int, error) {
	n := -1
	for i, t := range it.Inputs() {
		a := in[fmt.Sprintf("in%d", i)]
		if a == nil || len(a.Shape) == 0 || a.Shape[0] < 1 {
			return nil, 0, fmt.Errorf("array in%d is missing or empty", i)
		}
		if n >= 0 && a.Shape[0] != n {
			return nil, 0, fmt.Errorf("array in%d has %d vectors, in0 has %d", i, a.Shape[0], n)
		}
		n = a.Shape[0]
		if err := fitsTensor(a, t, n); err != nil {
			return nil, 0, fmt.Errorf("array in%d: %w", i, err)
		}
	}
	out := map[string]*npz.Array{}
	for i, t := range it.Outputs() {
		a := &npz.Array{Shape: append([]int{n}, t.Shape...)}
		switch t.Type {
		case tflite.INT8:
			a.Data = make([]int8, 0, n*t.Volume())
		case tflite.UINT8:
			a.Data = make([]uint8, 0, n*t.Volume())
		case tflite.INT16:
			a.Data = make([]int16, 0, n*t.Volume())
		case tflite.FLOAT32:
			a.Data = make([]float32, 0, n*t.Volume())
		case tflite.INT32:
			a.Data = make([]int32, 0, n*t.Volume())
		default:
			return nil, 0, fmt.Errorf("output %s has type %s", t.Name, t.Type)
		}
		out[fmt.Sprintf("out%d", i)] = a
	}
	for v := range n {
		for i, t := range it.Inputs() {
			k := t.Volume()
			switch x := in[fmt.Sprintf("in%d", i)].Data.(type) {
			case []int8:
				copy(t.Int8(), x[v*k:(v+1)*k])
			case []uint8:
				copy(t.Bytes(), x[v*k:(v+1)*k])
			case []int16:
				copy(t.Int16(), x[v*k:(v+1)*k])
			case []int32:
				copy(t.Int32(), x[v*k:(v+1)*k])
			case []float32:
				copy(t.Float32(), x[v*k:(v+1)*k])
			}
		}
		if it.Invoke(); it.Err() != nil {
			return nil, 0, fmt.Errorf("vector %d: %w", v, it.Err())
		}
		for i, t := range it.Outputs() {
			a := out[fmt.Sprintf("out%d", i)]
			switch x := a.Data.(type) {
			case []int8:
				a.Data = append(x, t.Int8()...)
			case []uint8:
				a.Data = append(x, t.Bytes()...)
			case []int16:
				a.Data = append(x, t.Int16()...)
			case []float32:
				a.Data = append(x, t.Float32()...)
			case []int32:
				a.Data = append(x, t.Int32()...)
			}
		}
	}
	return out, n, nil
}

// fitsTensor compares an array of n vectors with a tensor.
func fitsTensor(a *npz.Array, t *interp.Tensor, n int) error {
	want := map[tflite.Type]string{tflite.INT8: "[]int8", tflite.UINT8: "[]uint8", tflite.INT16: "[]int16", tflite.INT32: "[]int32", tflite.FLOAT32: "[]float32"}[t.Type]
	count := 1
	for _, d := range a.Shape {
		count *= d
	}
	if got := fmt.Sprintf("%T", a.Data); got != want || count != n*t.Volume() {
		return fmt.Errorf("%s of shape %v does not fit input %s, %s of shape %v a vector", got, a.Shape, t.Name, t.Type, t.Shape)
	}
	return nil
}
