package npu

import (
	"bytes"
	"testing"

	"github.com/temper-ml/temper/npu/isa"
)

// TestReencode: every payload of the corpus is the same bytes after decoding and encoding, stream and payload.
func TestReencode(t *testing.T) {
	n := 0
	for _, path := range compiledFiles(t) {
		m, all := programs(t, path)
		for i, p := range all {
			raw := m.Subgraphs[0].Tensors[m.Subgraphs[0].Operators[i].Inputs[0]].Data
			q := *p.Payload
			q.Stream = isa.Encode(p.Commands)
			b, err := q.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(b, raw) {
				t.Errorf("%s, operator %d: %d bytes, %d after encoding", path, i, len(raw), len(b))
			}
			n++
		}
	}
	t.Logf("%d payloads", n)
}
