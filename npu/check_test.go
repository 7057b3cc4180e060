package npu

import "testing"

// TestNoFindings: hazard checker and lint find nothing in the files of the corpus.
func TestNoFindings(t *testing.T) {
	for _, path := range compiledFiles(t) {
		_, all := programs(t, path)
		for i, p := range all {
			for _, f := range p.Check() {
				t.Errorf("%s, operator %d: %v", path, i, f)
			}
		}
	}
}
