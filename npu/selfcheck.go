package npu

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	"github.com/temper-ml/temper/export/interp"
)

// rounds are the random inputs with which a compilation checks itself; the first are extremes.
const rounds = 4

// verify runs the compiled model beside the interpreter, and looks for findings. What does not hold is a defect of the compiler, not of the model.
func (c *Compilation) verify(reference *interp.Interpreter) error {
	for i, p := range c.Programs {
		if list := p.Check(); len(list) > 0 {
			return fmt.Errorf("a defect of the compiler: operator %d of the compiled model has %d findings, the first: %s", i, len(list), list[0])
		}
	}
	it, err := NewSimulator(c.Model)
	if err != nil {
		return fmt.Errorf("a defect of the compiler: %w", err)
	}
	random := rand.New(rand.NewPCG(3, 5))
	for round := range rounds {
		for i, in := range reference.Inputs() {
			draw(random, round, in)
			copy(it.Inputs()[i].Bytes(), in.Bytes())
		}
		reference.Invoke()
		if it.Invoke(); it.Err() != nil {
			return fmt.Errorf("a defect of the compiler: %w", it.Err())
		}
		for i, out := range reference.Outputs() {
			if got := it.Outputs()[i].Bytes(); !bytes.Equal(got, out.Bytes()) {
				differ := 0
				for j, b := range out.Bytes() {
					if b != got[j] {
						differ++
					}
				}
				return fmt.Errorf("a defect of the compiler: output %s of the compiled model differs from the interpreter's in %d of %d bytes; nothing is written",
					out.Name, differ, len(got))
			}
		}
	}
	return nil
}

// draw fills an input: any codes, or the lowest and highest only; floats are small.
func draw(random *rand.Rand, round int, t *interp.Tensor) {
	if x := t.Float32(); t.Type.String() == "float32" {
		for i := range x {
			x[i] = random.Float32()*4 - 2
		}
		return
	}
	if t.Type.Size() != 1 { // may be indices
		return
	}
	for i := range t.Bytes() {
		b := byte(random.Uint32())
		if round == 0 {
			b = [2]byte{0x80, 0x7f}[b&1]
		}
		t.Bytes()[i] = b
	}
}
