package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/temper-ml/temper/datasets/npz"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"temper": main, "fakepython": fakePython})
}

// TestScripts runs the command line as a user does. Besides temper there are two commands: bars FILE.npz N writes a data set of N images of 12x12
// pixels in two classes, one bright bar upright or lying; cut FILE N shortens a file to N bytes; copied FILE TO
// copies a file of the repository; same A.npz B.npz compares their out0.
func TestScripts(t *testing.T) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"report": checkReport,
			"bars": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[1])
				ts.Check(err)
				ts.Check(npz.Write(ts.MkAbs(args[0]), bars(n)))
			},
			"cut": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.ParseInt(args[1], 10, 64)
				ts.Check(err)
				ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
			},
			"copied": func(ts *testscript.TestScript, _ bool, args []string) {
				data, err := os.ReadFile(filepath.Join(repository, args[0]))
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
			},
			"same": func(ts *testscript.TestScript, _ bool, args []string) {
				a, err := npz.Read(ts.MkAbs(args[0]))
				ts.Check(err)
				b, err := npz.Read(ts.MkAbs(args[1]))
				ts.Check(err)
				if !reflect.DeepEqual(a["out0"], b["out0"]) {
					ts.Fatalf("out0 of %s and %s differ", args[0], args[1])
				}
			},
			"vectors": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(npz.Write(ts.MkAbs(args[0]), map[string]*npz.Array{"in0": {Shape: []int{3, 1, 12, 12, 1}, Data: make([]int8, 3*144)}}))
			},
		},
	})
}

// bars is a data set in Keras's arrays.
func bars(n int) map[string]*npz.Array {
	const side = 12
	r := rand.New(rand.NewPCG(1, 2))
	set := func(n int) (x, y *npz.Array) {
		pixels, labels := make([]uint8, n*side*side), make([]uint8, n)
		for i := range n {
			labels[i] = uint8(i % 2)
			at := r.IntN(side)
			for k := range side {
				pos := at*side + k
				if labels[i] == 1 {
					pos = k*side + at
				}
				pixels[i*side*side+pos] = uint8(200 + r.IntN(56))
			}
		}
		return &npz.Array{Shape: []int{n, side, side}, Data: pixels}, &npz.Array{Shape: []int{n}, Data: labels}
	}
	arrays := map[string]*npz.Array{}
	arrays["x_train"], arrays["y_train"] = set(n)
	arrays["x_test"], arrays["y_test"] = set(40)
	return arrays
}
