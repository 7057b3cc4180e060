package mlw

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
)

// TestVectors: weight streams from Vela's files decode to what Vela's codec decodes, encoding and decoding gives them back, and our streams are not larger
// than those of Vela's encoders. With -v it prints a table. TEMPER_MLW_VECTORS names another file that testdata/vectors.py wrote.
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
	type bytes struct{ streams, weights, file, codec, ours int }
	table := map[string]*bytes{}
	var smaller int
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
		for _, name := range []string{string(arrays[fmt.Sprintf("net%d", i)].Data.([]uint8)), "together"} {
			if table[name] == nil {
				table[name] = &bytes{}
			}
			b := table[name]
			*b = bytes{b.streams + 1, b.weights + len(want), b.file + len(stream), b.codec + int(n), b.ours + len(again)}
		}
		if best := min(int(n), len(stream)); len(again) > best {
			t.Errorf("stream %d of %d weights: %d bytes, Vela has %d and mlw_codec %d", i, len(want), len(again), len(stream), n)
		} else if len(again) < best {
			smaller++
		}
	}
	t.Logf("%d of %d streams are smaller than both of Vela's", smaller, len(sizes))
	t.Logf("%-10s %7s %8s %11s %16s %8s", "net", "streams", "weights", "Vela's file", "mlw_codec.encode", "ours")
	for _, name := range slices.Sorted(maps.Keys(table)) {
		b := table[name]
		t.Logf("%-10s %7d %8d %11d %16d %8d", name, b.streams, b.weights, b.file, b.codec, b.ours)
	}
}
