package mlw

import (
	"fmt"
	"slices"
	"testing"

	"github.com/temper-ml/temper/datasets/npz"
)

// FuzzDecode: bytes from anywhere are refused, or weights that are the same after encoding and decoding again.
func FuzzDecode(f *testing.F) {
	arrays, err := npz.Read("testdata/vectors.npz")
	if err != nil {
		f.Fatal(err)
	}
	for i := range 20 {
		f.Add(arrays[fmt.Sprintf("stream%d", i)].Data.([]uint8))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		const limit = 1 << 16
		w, err := Decode(stream, limit)
		if err != nil {
			return
		}
		if len(w) > limit {
			t.Fatalf("%d weights", len(w))
		}
		roundTrip(t, w)
	})
}

// FuzzRoundTrip: any weights are the same after encoding and decoding. Each byte is a weight; the first says how values are spread.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0, 1, 2, 0, 0, 0, 255})
	f.Add([]byte{7, 128, 128, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		w := make([]int16, 0, len(data)*4)
		for _, b := range data[1:] {
			switch v := int16(int8(b)); {
			case data[0]&1 != 0 && b < 64: // a run of zeros
				w = append(w, make([]int16, b)...)
			case data[0]&2 != 0:
				w = append(w, max(-255, 2*v))
			default:
				w = append(w, v>>(data[0]>>2&7))
			}
		}
		roundTrip(t, w)
	})
}

// FuzzLayout: every weight is in the streams of the cores once at least, and Count is right.
func FuzzLayout(f *testing.F) {
	f.Add(uint8(17), uint8(3), uint8(3), uint8(5), uint8(16), uint8(0))
	f.Add(uint8(9), uint8(9), uint8(1), uint8(40), uint8(8), uint8(0xff))
	f.Fuzz(func(t *testing.T, oc, kh, kw, ic, block, kind uint8) {
		l := Layout{OC: int(oc), KH: int(kh % 20), KW: int(kw % 20), IC: int(ic), BlockDepth: int(block), MicroDepth: 4 << (kind & 1), IFMDepth: 8,
			PartKernel: kind&2 != 0,
			IFMBits:    8 << (kind >> 2 & 1), DilationY: 1 + int(kind>>3&1), DilationX: 1 + int(kind>>4&1), Cores: 1 + int(kind>>5&1)}
		if kind&0x40 != 0 {
			l.Depthwise, l.PartKernel, l.IC = true, false, 1
		}
		if l.OC < l.Cores {
			return
		}
		seen := make([]int, l.OC*l.KH*l.KW*l.IC)
		for l.Core = range l.Cores {
			n, err := l.Count()
			if err != nil {
				return
			}
			got := 0
			if err := l.Each(func(i int) {
				if got++; i >= 0 {
					seen[i]++
				}
			}); err != nil || got != n {
				t.Fatalf("%+v: %d weights, Count says %d: %v", l, got, n, err)
			}
		}
		if i := slices.Index(seen, 0); i >= 0 {
			t.Fatalf("%+v: weight %d is in no stream", l, i)
		}
	})
}
