package graph

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// trained is a checkpoint of a network with numbers, states and settings of all sorts.
func trained(t *testing.T) *Checkpoint {
	g := mlp(t)
	copy(g.Var("b").Data, []float32{0, float32(math.Copysign(0, -1)), math.MaxFloat32, math.SmallestNonzeroFloat32, -1.0 / 3, float32(math.Inf(-1))})
	return &Checkpoint{
		Graph: g,
		State: map[string][]float32{"adam/m": {1, 2, 3}, "adam/v": {-0.5}, "empty": {}},
		Meta:  map[string]string{"step": "12", "place": `{"epoch": 3, "text": "<ä>\n"}`, "": ""},
	}
}

func marshal(t *testing.T, c *Checkpoint) []byte {
	t.Helper()
	data, err := c.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// bits are the numbers of a graph as bits, by name: NaN and -0 count.
func bits(g *Graph) map[string][]uint32 {
	m := map[string][]uint32{}
	for _, v := range g.Vars {
		for _, x := range v.Data {
			m[v.Name] = append(m[v.Name], math.Float32bits(x))
		}
	}
	return m
}

// same reports how two checkpoints differ.
func same(a, b *Checkpoint) string {
	return cmp.Diff(a.Graph.String(), b.Graph.String()) + cmp.Diff(bits(a.Graph), bits(b.Graph)) + cmp.Diff(a.State, b.State) + cmp.Diff(a.Meta, b.Meta)
}

// TestSaveLoad: everything comes back, bit for bit, and saving that again gives the same bytes.
func TestSaveLoad(t *testing.T) {
	c := trained(t)
	path := filepath.Join(t.TempDir(), "digits.temper")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := same(c, again); d != "" {
		t.Error(d)
	}
	if !bytes.Equal(marshal(t, c), marshal(t, again)) {
		t.Error("the file of what was loaded differs")
	}
	for range 5 { // maps have no order
		if !bytes.Equal(marshal(t, c), marshal(t, trained(t))) {
			t.Fatal("equal checkpoints give different bytes")
		}
	}
}

// TestResume: a run that is saved and loaded half way ends in the same bits.
func TestResume(t *testing.T) {
	x, target := normal(5*16*16*2, 1), normal(5*3, 2)
	run := func(g *Graph, steps int) {
		s := trainer(t, g, squares{})
		for range steps {
			step(t, s, 0.1, target, x)
		}
	}
	whole, half := smallNet(t), smallNet(t)
	run(whole, 4)
	run(half, 2)
	c, err := Unmarshal(marshal(t, &Checkpoint{Graph: half}))
	if err != nil {
		t.Fatal(err)
	}
	run(c.Graph, 2)
	sameVars(t, "resumed", whole, c.Graph)
}

// TestLayout: the bytes are those of the safetensors format.
func TestLayout(t *testing.T) {
	c := trained(t)
	data := marshal(t, c)
	n := int(binary.LittleEndian.Uint64(data))
	if n%8 != 0 {
		t.Errorf("a header of %d bytes: the data is not aligned to 8", n)
	}
	js, body := data[8:8+n], data[8+n:]
	if js[0] != '{' || strings.Trim(string(js[bytes.LastIndexByte(js, '}')+1:]), " ") != "" {
		t.Errorf("the header is not one JSON object padded with spaces: %q", js)
	}
	var header map[string]struct {
		Dtype   string            `json:"dtype"`
		Shape   []int             `json:"shape"`
		Offsets []int             `json:"data_offsets"`
		Meta    map[string]string `json:"-"`
	}
	if err := json.Unmarshal(js, &header); err != nil {
		t.Fatal(err)
	}
	delete(header, "__metadata__")
	at := 0
	for _, want := range []struct {
		name  string
		shape []int
		data  []float32
	}{
		{"a", []int{4, 3}, c.Graph.Var("a").Data},
		{"b", []int{3, 2}, c.Graph.Var("b").Data},
		{"state:adam/m", []int{3}, []float32{1, 2, 3}},
		{"state:adam/v", []int{1}, []float32{-0.5}},
		{"state:empty", []int{0}, nil},
	} {
		h := header[want.name]
		delete(header, want.name)
		end := at + 4*len(want.data)
		if h.Dtype != "F32" || !slices.Equal(h.Shape, want.shape) || !slices.Equal(h.Offsets, []int{at, end}) {
			t.Errorf("%s: %+v, want F32 %v [%d %d]", want.name, h, want.shape, at, end)
		}
		for i, v := range want.data {
			if got := binary.LittleEndian.Uint32(body[at+4*i:]); got != math.Float32bits(v) {
				t.Errorf("%s[%d] is %08x, want %08x", want.name, i, got, math.Float32bits(v))
			}
		}
		at = end
	}
	if at != len(body) || len(header) != 0 {
		t.Errorf("%d bytes of data, %d of them named; further entries %v", len(body), at, header)
	}
	var meta struct {
		M map[string]string `json:"__metadata__"`
	}
	if err := json.Unmarshal(js, &meta); err != nil {
		t.Fatal(err)
	}
	if meta.M["temper.graph"] != c.Graph.String() || meta.M["temper.version"] != "1" || meta.M["meta:step"] != "12" || len(meta.M["temper.crc32c"]) != 8 {
		t.Errorf("metadata %q", meta.M)
	}
}

// TestSaveIsAtomic: a target that cannot be written, and a checkpoint that does not hold, leave the old file and nothing beside it.
func TestSaveIsAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "digits.temper")
	old := trained(t)
	if err := old.Save(path); err != nil {
		t.Fatal(err)
	}
	bad := trained(t)
	bad.Graph.Var("a").Data = nil
	wantError(t, bad.Save(path), path, "var a: 0 values")
	bad = trained(t)
	bad.Meta["\xff"] = ""
	wantError(t, bad.Save(path), path, "not UTF-8")
	bad = trained(t)
	bad.State["m\xff"] = nil
	wantError(t, bad.Save(path), path, "not UTF-8")

	// A folder in the way: the rename fails after the temporary file was written.
	folder := filepath.Join(dir, "folder.temper")
	if err := os.MkdirAll(filepath.Join(folder, "inside"), 0o755); err != nil {
		t.Fatal(err)
	}
	wantError(t, old.Save(folder), folder)
	missing := filepath.Join(dir, "missing", "digits.temper")
	wantError(t, old.Save(missing), missing)

	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if !slices.Equal(names, []string{"digits.temper", "folder.temper"}) {
		t.Errorf("left behind: %v", names)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := same(old, c); d != "" {
		t.Errorf("the old file changed: %s", d)
	}
}

// TestLoadErrors: files that are none name themselves.
func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.temper"))
	wantError(t, err, "none.temper")
	_, err = Load(dir)
	wantError(t, err, dir)
	path := filepath.Join(dir, "text.temper")
	if err := os.WriteFile(path, []byte("graph digits\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = Load(path)
	wantError(t, err, "checkpoint "+path, "not a safetensors file")
}

// TestTruncated: every shorter file, and every longer one, is an error.
func TestTruncated(t *testing.T) {
	data := marshal(t, trained(t))
	for n := range data {
		if _, err := Unmarshal(data[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are accepted", n, len(data))
		}
	}
	_, err := Unmarshal(data[:len(data)-4])
	wantError(t, err, "bytes")
	_, err = Unmarshal(append(slices.Clone(data), 0))
	wantError(t, err, "truncated or damaged")
}

// TestFlippedBits: a bit that flipped anywhere is an error, or changes nothing (spaces of the header may become other spaces).
func TestFlippedBits(t *testing.T) {
	c := trained(t)
	data := marshal(t, c)
	for i := range data {
		for bit := range 8 {
			data[i] ^= 1 << bit
			got, err := Unmarshal(data)
			if err == nil {
				if d := same(c, got); d != "" {
					t.Fatalf("bit %d of byte %d of %d passes, and changes: %s", bit, i, len(data), d)
				}
			}
			data[i] ^= 1 << bit
		}
	}
	// In a weight only the checksum can tell.
	data[len(data)-20] ^= 1
	_, err := Unmarshal(data)
	wantError(t, err, "damaged: the checksum")
}

// file makes a safetensors file of a header in JSON and a body.
func file(header string, body int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, body)...)
}

const tinyGraph = `"__metadata__":{"temper.version":"1","temper.graph":"graph g\ninput x [batch,2]\nvar v [2] weight\ny = Mul(x, v) [batch,2]\noutput y\n"}`

// TestForeignFile: a file that another program wrote, without our checksum and with entries of its own, is read.
func TestForeignFile(t *testing.T) {
	c, err := Unmarshal(file(`{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"note":1},`+strings.Replace(tinyGraph, "{", `{"format":"pt",`, 1)+`}   `, 8))
	if err != nil || len(c.Graph.Var("v").Data) != 2 {
		t.Error(err)
	}
}

// TestHostileFiles: what a file must not say, with the rule that it breaks.
func TestHostileFiles(t *testing.T) {
	v := func(shape, offsets string) string {
		return fmt.Sprintf(`"v":{"dtype":"F32","shape":%s,"data_offsets":%s}`, shape, offsets)
	}
	huge := binary.LittleEndian.AppendUint64(nil, math.MaxUint64)
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "0 bytes"},
		{"seven bytes", make([]byte, 7), "7 bytes"},
		{"a header longer than the file", append(huge, "{}"...), "a header of 18446744073709551615 bytes in a file of 10"},
		{"no header", file("", 0), "safetensors header"},
		{"no JSON", file("{", 0), "safetensors header"},
		{"a list", file("[]", 0), "safetensors header"},
		{"no metadata", file("{}", 0), `metadata "temper.graph" is missing`},
		{"metadata of another type", file(`{"__metadata__":{"temper.graph":1}}`, 0), "safetensors metadata"},
		{"another version", file(`{"__metadata__":{"temper.graph":"","temper.version":"2"}}`, 0), `version "2", this program reads "1"`},
		{"a bad graph", file(strings.Replace(`{`+v("[2]", "[0,8]")+","+tinyGraph+"}", "Mul", "Mull", 1), 8), `graph text, line 4: y: unknown Kind "Mull"`},
		{"another type", file(strings.Replace(`{`+v("[2]", "[0,8]")+","+tinyGraph+"}", "F32", "F64", 1), 8), `tensor v: dtype "F64", want F32`},
		{"tensor of no JSON", file(`{"v":7,`+tinyGraph+"}", 8), "tensor v: json"},
		{"offsets of text", file(`{`+v("[2]", `["0","8"]`)+","+tinyGraph+"}", 8), "tensor v: json"},
		{"offset beyond integers", file(`{`+v("[2]", `[0,99999999999999999999]`)+","+tinyGraph+"}", 8), "tensor v: json"},
		{"offsets too short", file(`{`+v("[2]", `[0,4]`)+","+tinyGraph+"}", 8), "bytes 0 to 4 of 8 do not hold shape [2]"},
		{"offsets beyond the file", file(`{`+v("[2]", `[0,8]`)+","+tinyGraph+"}", 4), "bytes 0 to 8 of 4"},
		{"offsets backwards", file(`{`+v("[2]", `[0,-8]`)+","+tinyGraph+"}", 8), "bytes 0 to -8"},
		{"a gap before", file(`{`+v("[2]", `[4,12]`)+","+tinyGraph+"}", 12), "begins at byte 4, the one before it ends at 0"},
		{"a gap after", file(`{`+v("[2]", `[0,8]`)+","+tinyGraph+"}", 12), "the tensors have 8 bytes, the file 12"},
		{"an overlap", file(`{`+v("[2]", `[0,8]`)+`,"state:m":{"dtype":"F32","shape":[2],"data_offsets":[4,12]},`+tinyGraph+"}", 16), "tensor state:m: begins at byte 4, the one before it ends at 8"},
		{"the same bytes twice", file(`{`+v("[2]", `[0,8]`)+`,"state:m":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},`+tinyGraph+"}", 16), "no overlap"},
		{"a negative dimension", file(`{`+v("[-2,-1]", `[0,8]`)+","+tinyGraph+"}", 8), "shape [-2,-1]: dimension 0 must be positive"},
		{"the batch", file(`{`+v("[-1,2]", `[0,8]`)+","+tinyGraph+"}", 8), "do not hold shape [batch,2]"},
		{"a product of 2^64", file(`{`+v("[4294967296,4294967296,2]", `[0,8]`)+","+tinyGraph+"}", 8), "more than 268435456 elements"},
		{"another shape", file(`{`+v("[1,2]", `[0,8]`)+","+tinyGraph+"}", 8), "tensor v has shape [1,2], the graph says [2]"},
		{"a var without tensor", file(`{`+tinyGraph+"}", 0), "var v has no tensor"},
		{"a tensor without var", file(`{`+strings.Replace(v("[2]", "[0,8]"), `"v"`, `"w"`, 1)+","+tinyGraph+"}", 8), "tensor w is not a var"},
		{"a graph larger than the file", file(strings.Replace(`{`+v("[2]", "[0,8]")+","+tinyGraph+"}", "[2] weight", "[16384,16384] weight", 1), 8), "elements together"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Unmarshal(c.data)
			wantError(t, err, c.want)
		})
	}
}

// FuzzLoad: no file makes Unmarshal panic, and what it accepts can be saved and loaded to the same bits.
func FuzzLoad(f *testing.F) {
	f.Add(file("{"+tinyGraph+"}", 0))
	f.Add(file(`{"v":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"state:m":{"dtype":"F32","shape":[0],"data_offsets":[8,8]},`+tinyGraph+"}", 8))
	b := NewBuilder("g", 1)
	g, err := b.Graph(batchNorm(b, "bn", b.Input("x", 2), BatchNorm{}))
	if err != nil {
		f.Fatal(err)
	}
	data, err := (&Checkpoint{Graph: g, State: map[string][]float32{"m": {1}}, Meta: map[string]string{"step": "1"}}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)-3])
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Unmarshal(data)
		if err != nil {
			return
		}
		out, err := c.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Unmarshal(out)
		if err != nil {
			t.Fatal(err)
		}
		if c.Graph.String() != again.Graph.String() || !cmp.Equal(bits(c.Graph), bits(again.Graph)) || len(c.State) != len(again.State) || !cmp.Equal(c.Meta, again.Meta) {
			t.Fatal("saving what was loaded changes it")
		}
	})
}
