package mnist

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
