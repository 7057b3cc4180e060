package isa

import (
	"bytes"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// everything is a stream with each command once, its parameter and payload full of different bits.
func everything() []Command {
	var list []Command
	for op := range table {
		list = append(list, Command{Op: op})
	}
	slices.SortFunc(list, func(a, b Command) int { return int(a.Op) - int(b.Op) })
	for i := range list {
		list[i].Param = uint16(0x9e37 * (i + 1))
		if list[i].Op&Payload != 0 {
			list[i].Value = uint32(0x9e3779b9 * uint64(i+1))
		}
	}
	return list
}

func TestRoundTrip(t *testing.T) {
	list := everything()
	if len(list) != 97 {
		t.Errorf("%d commands, Arm's interface has 60 without payload and 37 with one", len(list))
	}
	got, err := Decode(Encode(list))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, list) {
		t.Error("not the same after encoding and decoding")
	}
}

// TestTable: names and fields are what a reader can rely on.
func TestTable(t *testing.T) {
	names := map[string]Op{}
	for op, i := range table {
		if !strings.HasPrefix(i.name, "NPU_OP_") && !strings.HasPrefix(i.name, "NPU_SET_") {
			t.Errorf("%s (0x%x)", i.name, op)
		}
		if other, ok := names[i.name]; ok {
			t.Errorf("%s is 0x%x and 0x%x", i.name, op, other)
		}
		names[i.name] = op
		if (i.payload != "") != (op&Payload != 0) {
			t.Errorf("%s: payload %q", i.name, i.payload)
		}
		used := 0
		for _, f := range i.fields {
			mask := (1<<f.bits - 1) << f.shift
			if used&mask != 0 || mask > 0xffff {
				t.Errorf("%s: field %s overlaps another, or the word", i.name, f.name)
			}
			used |= mask
			if len(f.names) > 1<<f.bits {
				t.Errorf("%s: field %s has more names than values", i.name, f.name)
			}
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		c    Command
		want string
	}{
		{Command{Op: OP_STOP, Param: 0xffff}, "NPU_OP_STOP mask=65535"},
		{Command{Op: OP_POOL, Param: 1}, "NPU_OP_POOL pooling_mode=AVERAGE"},
		{Command{Op: SET_IFM_ZERO_POINT, Param: 0xff80}, "NPU_SET_IFM_ZERO_POINT zero_point=-128"},
		{Command{Op: SET_ACTIVATION, Param: 0x3011}, "NPU_SET_ACTIVATION activation_function=TABLE_1 activation_clip_range=FORCE_INT8"},
		{Command{Op: SET_ACTIVATION, Param: 0x1002}, "NPU_SET_ACTIVATION activation_function=2 activation_clip_range=1"},
		{WithAddress(SET_OFM_STRIDE_Y, -8), "NPU_SET_OFM_STRIDE_Y stride=-8"},
		{WithAddress(SET_IFM_BASE0, 0x1234567890), "NPU_SET_IFM_BASE0 addr=0x1234567890"},
		{Command{Op: SET_OFM_SCALE, Param: 31, Value: 1 << 30}, "NPU_SET_OFM_SCALE shift=31 scale=1073741824"},
		{Command{Op: OP_CONV, Param: 2}, "NPU_OP_CONV reserved=0x2"},
	} {
		if got := c.c.String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for what, b := range map[string][]byte{
		"bytes of no word":            {1, 2, 3},
		"an unknown command":          {4, 0, 0, 0},
		"control 2":                   {0, 0x80, 0, 0},
		"bits that must be zero":      {0, 4, 0, 0},
		"a payload that is not there": {0, 0x40, 0, 0},
	} {
		if list, err := Decode(b); err == nil {
			t.Errorf("%s: %v", what, list)
		}
	}
}

// TestOperations: registers last from one operation to the next, and what is not set is reported.
func TestOperations(t *testing.T) {
	ops := Operations([]Command{
		{Op: SET_DMA0_SRC_REGION}, {Op: SET_DMA0_DST_REGION, Param: 1 | 1<<8}, WithAddress(SET_DMA0_SRC, 16), WithAddress(SET_DMA0_LEN, 256), {Op: OP_DMA_START},
		WithAddress(SET_DMA0_DST, 0x5800), {Op: OP_DMA_START},
		{Op: OP_DMA_WAIT}, {Op: OP_IRQ}, {Op: OP_KERNEL_WAIT, Param: 1}, {Op: OP_STOP}, {Op: OP_CONV},
	})
	if len(ops) != 5 || ops[2].Kind != DMAWait || ops[3].Wait != 1 || ops[4].Kind != Stop {
		t.Fatalf("%v", ops)
	}
	if len(ops[0].Unset) != 1 || ops[0].Unset[0] != SET_DMA0_DST || len(ops[1].Unset) != 0 {
		t.Errorf("unset: %v, %v", ops[0].Unset, ops[1].Unset)
	}
	want := Transfer{Src: 16, Dst: 0x5800, DstRegion: 1, DstInternal: true, Length: 256}
	if *ops[1].DMA != want {
		t.Errorf("%+v, want %+v", *ops[1].DMA, want)
	}
}

func TestPayload(t *testing.T) {
	p := &Payload1{Patch: 1, Config: 0x1807, ID: 0x10066001, Pad: 3, Stream: Encode(everything())}
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if len(b)-len(p.Stream) != 32 {
		t.Errorf("the stream begins at byte %d", len(b)-len(p.Stream))
	}
	q, err := ReadPayload(b)
	if err != nil || !reflect.DeepEqual(p, q) {
		t.Errorf("%v, %v", q, err)
	}
	for n := range len(b) {
		if _, err := ReadPayload(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are a payload", n, len(b))
		}
	}
	if _, err := ReadPayload([]byte("COP2....")); err == nil || !strings.Contains(err.Error(), "COP2") {
		t.Error(err)
	}
	if _, err := (&Payload1{Stream: []byte{1}}).Marshal(); err == nil {
		t.Error("a stream of one byte is written")
	}
}

// FuzzDecode: bytes from anywhere are refused, or commands that are the same bytes again, that have a text, and operations.
func FuzzDecode(f *testing.F) {
	f.Add(Encode(everything()))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := Decode(b)
		if err != nil {
			return
		}
		if !bytes.Equal(Encode(list), b) {
			t.Fatal("other bytes after decoding and encoding")
		}
		if err := Disassemble(io.Discard, list); err != nil {
			t.Fatal(err)
		}
		Assemble(Operations(list), 1)
	})
}

// FuzzPayload: the same for driver payloads.
func FuzzPayload(f *testing.F) {
	b, err := (&Payload1{Patch: 1, Config: 0x1807, ID: 0x10066001, Pad: 3, Stream: Encode(everything()[:5])}).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ReadPayload(b)
		if err != nil {
			return
		}
		if again, err := p.Marshal(); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("other bytes after reading and writing: %v", err)
		}
	})
}
