package mlw

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
)

// TestVectors: weight streams from Vela's files decode to what Vela's codec decodes, encoding and decoding gives them back, and our streams are not larger than those of
// Vela's encoder. TEMPER_MLW_VECTORS names another file that testdata/vectors.py wrote.
func TestVectors(t *testing.T) {
	path := os.Getenv("TEMPER_MLW_VECTORS")
	if path == "" {
		path = "testdata/vectors.npz"
	}
	arrays, err := npz.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	sizes := arrays["encoded"].Data.([]int32)
	var file, codec, ours, smaller, larger int
	for i, n := range sizes {
		stream := arrays[fmt.Sprintf("stream%d", i)].Data.([]uint8)
		want := arrays[fmt.Sprintf("weights%d", i)].Data.([]int16)
		got, err := Decode(stream, len(want))
		if err != nil {
			t.Fatalf("stream %d: %v", i, err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("stream %d: %d weights, want %d, or others", i, len(got), len(want))
		}
		again, err := Encode(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Decode(again, len(want)); err != nil || !slices.Equal(back, want) {
			t.Fatalf("stream %d: not the same after encoding: %v", i, err)
		}
		file, codec, ours = file+len(stream), codec+int(n), ours+len(again)
		if best := min(int(n), len(stream)); len(again) > best {
			larger++
			t.Errorf("stream %d of %d weights: %d bytes, Vela has %d and mlw_codec %d", i, len(want), len(again), len(stream), n)
		} else if len(again) < best {
			smaller++
		}
	}
	t.Logf("%d streams: Vela's files %d bytes, mlw_codec.encode %d, ours %d (%.2f %% of the smaller); %d smaller than both, %d larger", len(sizes), file, codec, ours,
		100*float64(ours)/float64(min(file, codec)), smaller, larger)
}
