package mnist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
)

func TestSums(t *testing.T) {
	for name, want := range map[string]string{
		"t10k-images-idx3-ubyte.gz":  "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
		"t10k-labels-idx1-ubyte.gz":  "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
		"train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
		"train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
	} {
		data, err := files.ReadFile("data/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func Example() {
	digits, err := Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(digits.Train.Len(), digits.Test.Len(), digits.Train.Shape(), "the first is a", digits.Train.Label(0))
	// Output: 60000 10000 [28 28 1] the first is a 5
}

// TestParts: the digits of each class are as many as in the original (the figures of the MNIST page), and the values are in [0, 1].
func TestParts(t *testing.T) {
	digits, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var n [10]int
	x, y := make([]float32, 28*28), make([]float32, 1)
	low, high := float32(9), float32(-9)
	for i := range digits.Test.Len() {
		digits.Test.Example(i, x, y)
		n[int(y[0])]++
		low, high = min(low, slices.Min(x)), max(high, slices.Max(x))
	}
	if want := [10]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009}; n != want {
		t.Errorf("test digits of each class %v, want %v", n, want)
	}
	if low != 0 || high != 1 {
		t.Errorf("pixels from %g to %g", low, high)
	}
	if d := digits.Train; d.Len() != 60000 || d.Classes[7] != "7" || d.TargetLen() != 1 {
		t.Errorf("%d training digits, classes %q", d.Len(), d.Classes)
	}
}
