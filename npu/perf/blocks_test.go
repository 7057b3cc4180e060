package perf_test

import (
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/temper-ml/temper/npu/arch"
	"github.com/temper-ml/temper/npu/isa"
	"github.com/temper-ml/temper/npu/perf"
)

// TestBlocksAreVelas: the legal blocks of random operations are those that Vela's npu_find_block_configs allows. TEMPER_BLOCKS names another table of
// testdata/blocks.py.
func TestBlocksAreVelas(t *testing.T) {
	path := os.Getenv("TEMPER_BLOCKS")
	if path == "" {
		path = "testdata/blocks.txt"
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		n++
		target, o, count, crc := readCase(t, line)
		var list []arch.Shape
		velasGrid(target, o, func(b arch.Shape) {
			if c, ok := perf.Fit(target, o, b); ok {
				list = append(list, c.Block)
			}
		})
		slices.SortFunc(list, func(a, b arch.Shape) int { return slices.Compare([]int{a.H, a.W, a.D}, []int{b.H, b.W, b.D}) })
		var words []string
		for _, s := range list {
			words = append(words, fmt.Sprintf("%dx%dx%d", s.H, s.W, s.D))
		}
		if got := crc32.ChecksumIEEE([]byte(strings.Join(words, ";"))); len(list) != count || got != crc {
			t.Errorf("%s: %d blocks, CRC-32 %08x", line, len(list), got)
		}
	}
	if n == 0 {
		t.Error("no cases in", path)
	}
}

// velasGrid are the blocks that Vela's function tries: even heights and widths only, though its compilers choose odd ones too.
func velasGrid(t arch.Target, o *isa.Operation, visit func(arch.Shape)) {
	out, u := &o.Kernel.OFM, t.OFMBlock
	h, w, d := min(arch.MaxBlockHeight, out.Height), min(arch.MaxBlockWidth, out.Width), min(arch.MaxBlockDepth, out.Depth)
	for x := 2; x < w+2; x += 2 {
		for y := 2; y < h+2; y += 2 {
			for z := u.D; z < d+u.D; z += u.D {
				if z >= d || z%16 == 0 {
					visit(arch.Shape{H: y, W: x, D: z})
				}
			}
		}
	}
}

// TestLegalIsFit: Legal finds every block that fits and is no larger than the output needs, and no other.
func TestLegalIsFit(t *testing.T) {
	target, o, _, _ := readCase(t, "ethos-u55-32 part 5 7 24 3 8 3 3 2 2 1 1 0 0 0 0")
	got := map[arch.Shape]bool{}
	perf.Legal(target, o, func(c perf.Config) { got[c.Block] = true })
	for h := 1; h <= 6; h++ {
		for w := 1; w <= 8; w++ {
			for d := 4; d <= 28; d += 4 {
				b := arch.Shape{H: h, W: w, D: d}
				_, fits := perf.Fit(target, o, b)
				if want := fits && h <= 5 && w <= 7 && (d == 16 || d == 24); got[b] != want {
					t.Errorf("%v: legal %v, want %v", b, got[b], want)
				}
			}
		}
	}
}

// readCase reads a line of the table.
func readCase(t *testing.T, line string) (arch.Target, *isa.Operation, int, uint32) {
	t.Helper()
	var name, kind string
	var h, w, d, in, bits, kh, kw, sy, sx, dy, dx, up, table, count int
	var crc uint32
	if _, err := fmt.Sscanf(line, "%s %s %d %d %d %d %d %d %d %d %d %d %d %d %d %d %x", &name, &kind, &h, &w, &d, &in, &bits, &kh, &kw, &sy, &sx, &dy, &dx, &up, &table,
		&count, &crc); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	target, err := arch.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	k := &isa.Kernel{KernelH: (kh-1)*dy + 1, KernelW: (kw-1)*dx + 1, StrideY: sy, StrideX: sx, DilationY: dy, DilationX: dx, Upscale: up, Cores: target.Cores,
		PartKernel: kind == "part", HasScalar: kind == "scalar", HasIFM2: kind == "add"}
	k.OFM = isa.FeatureMap{Height: h, Width: w, Depth: d, Bytes: 1}
	k.IFM = isa.FeatureMap{Height: h, Width: w, Depth: in, Bytes: bits / 8}
	if table == 1 {
		k.Activation = isa.Table0
	}
	o := &isa.Operation{Kernel: k, Kind: map[string]isa.Kind{"conv": isa.Conv, "part": isa.Conv, "depthwise": isa.Depthwise, "max": isa.Pool, "average": isa.Pool,
		"sum": isa.Pool, "add": isa.Elementwise, "scalar": isa.Elementwise, "abs": isa.Elementwise}[kind]}
	k.Mode = map[string]int{"max": isa.PoolMax, "average": isa.PoolAverage, "sum": isa.PoolSum, "add": isa.Add, "scalar": isa.Add, "abs": isa.Abs}[kind]
	k.AccFormat = perf.AccFormat(o.Kind, k.Mode, k.IFM.Bytes, true)
	return target, o, count, crc
}
